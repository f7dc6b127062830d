// Records of several partitions in the order of their log time. While one catches up it is exact: nothing is handed out
// before each partition has shown what it has of that time. At the end of the log, where a partition without news says
// nothing, a record waits for a moment instead, because transactions of one checkpoint become visible one after the other.

/** How long a record waits for older ones of partitions that are at their end. A guess: commits come within some ms. */
export const PATIENCE_MS = 500;

export interface Timed {
  /** Log time, Unix ms. */
  readonly timeMs: number;
  readonly offset: number;
  /** When it was read, by the machine's clock. */
  readonly cameMs: number;
}

interface Source<T> {
  waiting: T[];
  /** Place of the next one in `waiting`. */
  head: number;
  nextOffset: number;
  isAtEnd: boolean;
}

export class TimeMerge<T extends Timed> {
  readonly #sources = new Map<string, Source<T>>();

  /** Makes a partition known: without its word nothing is handed out. */
  open(name: string): void {
    this.#sources.set(name, { waiting: [], head: 0, nextOffset: -1, isAtEnd: false });
  }

  clear(): void {
    this.#sources.clear();
  }

  /** What was read of a partition, up to `nextOffset`. */
  add(name: string, records: readonly T[], nextOffset: number): void {
    const source = this.#sources.get(name)!;
    for (const record of records) source.waiting.push(record);
    source.nextOffset = nextOffset;
  }

  /** Whether the partition has nothing that was not read. */
  setAtEnd(name: string, isAtEnd: boolean): void {
    this.#sources.get(name)!.isAtEnd = isAtEnd;
  }

  /** Records of a partition that wait. */
  waiting(name: string): number {
    const { waiting, head } = this.#sources.get(name)!;
    return waiting.length - head;
  }

  /** The next record; undefined where it has to wait, or there is none. `nowMs`: the machine's clock. */
  take(nowMs: number): T | undefined {
    let first: Source<T> | undefined;
    let isExact = true;
    for (const source of this.#sources.values()) {
      if (source.head === source.waiting.length) {
        if (!source.isAtEnd) return undefined;
        isExact = false;
      } else if (first === undefined || timeOf(source) < timeOf(first)) first = source;
    }
    const record = first?.waiting[first.head];
    if (first === undefined || record === undefined) return undefined;
    if (!isExact && nowMs - record.cameMs < PATIENCE_MS) return undefined;
    first.head++;
    if (first.head === first.waiting.length) {
      first.waiting = [];
      first.head = 0;
    }
    return record;
  }

  /** True where nothing waits and nothing is left to read. */
  get isDrained(): boolean {
    for (const { waiting, isAtEnd } of this.#sources.values()) if (waiting.length > 0 || !isAtEnd) return false;
    return true;
  }

  /** Where each partition is to be read from by whoever goes on from what was handed out so far. */
  get offsets(): Record<string, number> {
    const offsets: Record<string, number> = {};
    for (const [name, { waiting, head, nextOffset }] of this.#sources) {
      const offset = waiting[head]?.offset ?? nextOffset;
      if (offset >= 0) offsets[name] = offset;
    }
    return offsets;
  }
}

function timeOf<T extends Timed>({ waiting, head }: Source<T>): number {
  return waiting[head]!.timeMs;
}
