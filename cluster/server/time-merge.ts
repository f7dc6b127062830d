// Records of several partitions in the order of their log time, and where they say so of one log time by key. While one
// catches up it is exact: nothing is handed out before each partition has shown what it has of that time. At the end of
// the log a record waits until each partition that shows nothing was asked again, as long after the record came as it has
// patience.

export interface Timed {
  /** Log time, Unix ms. */
  readonly timeMs: number;
  /** The order of those of one log time, also within a partition; one that has none keeps the partition's order. */
  readonly thenBy?: string;
  readonly offset: number;
  /** When it was read, by the machine's clock. */
  readonly cameMs: number;
  /** How long it may wait for older ones of partitions that show nothing, ms. */
  readonly patienceMs: number;
}

/** Records handed out that a partition's list may still hold. */
const DROP_AT = 1_024;

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
  readonly #hurriedFrom: number;
  /** Log time of the record that was handed out last. */
  #takenMs = -1;

  /** Where so many of one partition wait, its next one has no patience any more. */
  constructor(hurriedFrom = Infinity) {
    this.#hurriedFrom = hurriedFrom;
  }

  /** Makes a partition known, read from `nextOffset` on where that is known: without its word nothing is handed out. */
  open(name: string, nextOffset = -1): void {
    this.#sources.set(name, { waiting: [], head: 0, nextOffset, atEndSinceMs: undefined });
  }

  clear(): void {
    this.#takenMs = -1;
    this.#sources.clear();
  }

  /** What was read of a partition, up to `nextOffset`. */
  add(name: string, records: readonly T[], nextOffset: number): void {
    const source = this.#sources.get(name)!;
    for (const record of records) insert(source, record);
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
    for (const source of this.#sources.values()) {
      const isEarlier = source.head < source.waiting.length && (first === undefined || isBefore(nextOf(source), nextOf(first)));
      if (isEarlier) first = source;
    }
    if (first === undefined) return undefined;
    const record = nextOf(first);
    let knownMs = Infinity;
    for (const source of this.#sources.values()) {
      if (showsMore(source, record)) continue;
      if (source.atEndSinceMs === undefined) return undefined;
      knownMs = Math.min(knownMs, source.atEndSinceMs);
    }
    const isHurried = first.waiting.length - first.head >= this.#hurriedFrom;
    if (!isHurried && knownMs < record.cameMs + record.patienceMs) return undefined;
    this.#takenMs = record.timeMs;
    first.head++;
    // Who catches up may never see it empty.
    if (first.head === first.waiting.length || first.head >= DROP_AT) {
      first.waiting = first.waiting.slice(first.head);
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

  /** True where nothing waits that has the log time of the record handed out last: else its offsets may be mixed. */
  get isBetweenTimes(): boolean {
    for (const source of this.#sources.values())
      if (source.head < source.waiting.length && nextOf(source).timeMs === this.#takenMs) return false;
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

function nextOf<T extends Timed>({ waiting, head }: Source<T>): T {
  return waiting[head]!;
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && (a.thenBy ?? "") < (b.thenBy ?? ""));
}

/** Whether what the source shows leaves no doubt that it has nothing that belongs before `record`. */
function showsMore<T extends Timed>({ waiting, head }: Source<T>, record: T): boolean {
  if (head === waiting.length) return false;
  return record.thenBy === undefined || waiting[waiting.length - 1]!.timeMs > record.timeMs;
}

function insert<T extends Timed>({ waiting, head }: Source<T>, record: T): void {
  let at = waiting.length;
  const { thenBy, timeMs } = record;
  while (at > head && thenBy !== undefined && waiting[at - 1]!.timeMs === timeMs && waiting[at - 1]!.thenBy! > thenBy) at--;
  waiting.splice(at, 0, record);
}
