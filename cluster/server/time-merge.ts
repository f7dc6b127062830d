// Records of several partitions in the order of their log time. While one catches up it is exact: nothing is handed out
// before each partition has shown what it has of that time. At the end of the log a record waits until each partition that
// shows nothing was asked again, a moment after the record came: transactions of one checkpoint become visible one after
// the other.

/** That moment. A guess: commits of one checkpoint come within some ms. */
export const PATIENCE_MS = 250;

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
  /** Up to when it is known to have nothing more, by the machine's clock; undefined: it has, or may have. */
  atEndSinceMs: number | undefined;
}

export class TimeMerge<T extends Timed> {
  readonly #sources = new Map<string, Source<T>>();

  /** Makes a partition known: without its word nothing is handed out. */
  open(name: string): void {
    this.#sources.set(name, { waiting: [], head: 0, nextOffset: -1, atEndSinceMs: undefined });
  }

  clear(): void {
    this.#sources.clear();
  }

  /** What was read of a partition, up to `nextOffset`. */
  add(name: string, records: readonly T[], nextOffset: number): void {
    const source = this.#sources.get(name)!;
    for (const record of records) source.waiting.push(record);
    source.nextOffset = nextOffset;
    source.atEndSinceMs = undefined;
  }

  /** Up to when the partition has nothing that was not read; undefined: it has, or may have. */
  setAtEnd(name: string, sinceMs: number | undefined): void {
    this.#sources.get(name)!.atEndSinceMs = sinceMs;
  }

  /** Records of a partition that wait. */
  waiting(name: string): number {
    const { waiting, head } = this.#sources.get(name)!;
    return waiting.length - head;
  }

  /** The next record; undefined where it has to wait, or there is none. */
  take(): T | undefined {
    let first: Source<T> | undefined;
    let knownMs = Infinity;
    for (const source of this.#sources.values()) {
      if (source.head === source.waiting.length) {
        if (source.atEndSinceMs === undefined) return undefined;
        knownMs = Math.min(knownMs, source.atEndSinceMs);
      } else if (first === undefined || timeOf(source) < timeOf(first)) first = source;
    }
    const record = first?.waiting[first.head];
    if (first === undefined || record === undefined || knownMs < record.cameMs + PATIENCE_MS) return undefined;
    first.head++;
    if (first.head === first.waiting.length) {
      first.waiting = [];
      first.head = 0;
    }
    return record;
  }

  /** True where nothing waits and nothing is left to read. */
  get isDrained(): boolean {
    for (const { waiting, atEndSinceMs } of this.#sources.values())
      if (waiting.length > 0 || atEndSinceMs === undefined) return false;
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
