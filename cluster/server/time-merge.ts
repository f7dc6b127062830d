// Records of several partitions in the order of their log time, and where they say so of one log time by key. While one
// catches up it is exact: nothing is handed out before each partition has shown what it has of that time. At the end of
// the log a record waits until each partition that shows nothing was asked again, as long after the record came as it has
// patience.
//
// A partition that several write to has no order of its own: with a window its records are sorted too, as far as they
// are late by no more than that. What was handed out is then no beginning of the partition, so a place to go on from has
// three parts: from where to read, and up to which offset whatever is not newer than some log time was handed out.

export interface Timed {
  /** Log time, Unix ms. */
  readonly timeMs: number;
  /** The order of those of one log time, where the merge has a window. */
  readonly thenBy?: string;
  readonly offset: number;
  /** When it was read, by the machine's clock. */
  readonly cameMs: number;
  /** How long it may wait for older ones of partitions that show nothing, ms. */
  readonly patienceMs: number;
}

export interface TimeMergeOptions {
  /** Where so many of one partition wait, its next one has no patience any more; and no window until half of them are gone. */
  readonly hurriedFrom?: number;
  /** By how much, in log time, records of a partition may be late, ms; undefined: its own order is kept. */
  readonly windowMs?: number | undefined;
}

/** By name of the partition, and of parts of the place there. */
export type Places = Readonly<Record<string, number>>;

/** Records handed out that a partition's list may still hold. */
const DROP_AT = 1_024;
/** What stands behind a partition's name for the two other parts of its place. */
const READ_TO = "/read";
const TAKEN_TO = "/taken";

interface Entry<T> {
  readonly record: T;
  isTaken: boolean;
}

/** A list that is taken from its beginning. */
interface Line<T> {
  entries: Entry<T>[];
  /** Place of the next one. */
  head: number;
}

interface Source<T> {
  readonly waiting: Line<T>;
  /** The same in the order of offsets, with some between them that were handed out. */
  readonly came: Line<T>;
  nextOffset: number;
  /** Whoever fills it may pause until half of it is gone, and then nothing newer shows. */
  isLong: boolean;
  /** Of these offsets, whoever was here before us has handed out what is not newer than this log time. */
  readonly before: { readonly toOffset: number; readonly toMs: number };
  /** Up to when it is known to have nothing more, by the machine's clock; undefined: it has, or may have. */
  atEndSinceMs: number | undefined;
}

export class TimeMerge<T extends Timed> {
  readonly #sources = new Map<string, Source<T>>();
  readonly #hurriedFrom: number;
  readonly #windowMs: number | undefined;
  /** The newest log time of the records that were handed out. */
  #takenMs = -1;

  constructor({ hurriedFrom = Infinity, windowMs }: TimeMergeOptions = {}) {
    this.#hurriedFrom = hurriedFrom;
    this.#windowMs = windowMs;
  }

  /** Makes a partition known, read from its place on where that is known: without its word nothing is handed out. */
  open(name: string, places: Places = {}): void {
    const before = { toOffset: places[name + READ_TO] ?? -1, toMs: places[name + TAKEN_TO] ?? -1 };
    const [waiting, came] = [emptyLine<T>(), emptyLine<T>()];
    this.#sources.set(name, { waiting, came, nextOffset: places[name] ?? -1, isLong: false, before, atEndSinceMs: undefined });
    this.#takenMs = Math.max(this.#takenMs, before.toMs);
  }

  clear(): void {
    this.#takenMs = -1;
    this.#sources.clear();
  }

  /** What was read of a partition, up to `nextOffset`. */
  add(name: string, records: readonly T[], nextOffset: number): void {
    const source = this.#sources.get(name)!;
    const { toOffset, toMs } = source.before;
    for (const record of records) {
      if (record.offset < toOffset && record.timeMs <= toMs) continue;
      const entry = { record, isTaken: false };
      source.came.entries.push(entry);
      if (this.#windowMs === undefined) source.waiting.entries.push(entry);
      else insert(source.waiting, entry);
    }
    source.nextOffset = nextOffset;
    source.isLong ||= lengthOf(source.waiting) >= this.#hurriedFrom;
    source.atEndSinceMs = undefined;
  }

  /** Up to when the partition has nothing that was not read; undefined: it has, or may have. */
  setAtEnd(name: string, sinceMs: number | undefined): void {
    this.#sources.get(name)!.atEndSinceMs = sinceMs;
  }

  /** Records of a partition that wait. */
  waiting(name: string): number {
    return lengthOf(this.#sources.get(name)!.waiting);
  }

  /** The next record; undefined where it has to wait, or there is none. */
  take(): T | undefined {
    let first: Source<T> | undefined;
    let record: T | undefined;
    for (const source of this.#sources.values()) {
      const next = nextOf(source.waiting);
      if (next === undefined || (record !== undefined && !isBefore(next, record))) continue;
      [first, record] = [source, next];
    }
    if (first === undefined || record === undefined) return undefined;
    let knownMs = Infinity;
    for (const source of this.#sources.values()) {
      if (this.#showsMore(source, record)) continue;
      if (source.atEndSinceMs === undefined) return undefined;
      knownMs = Math.min(knownMs, source.atEndSinceMs);
    }
    const isHurried = lengthOf(first.waiting) >= this.#hurriedFrom;
    if (!isHurried && knownMs < record.cameMs + record.patienceMs) return undefined;
    this.#takenMs = Math.max(this.#takenMs, record.timeMs);
    first.waiting.entries[first.waiting.head]!.isTaken = true;
    for (const line of [first.waiting, first.came]) skipTaken(line);
    first.isLong &&= lengthOf(first.waiting) >= this.#hurriedFrom / 2;
    return record;
  }

  /** True where nothing waits and nothing is left to read. */
  get isDrained(): boolean {
    for (const { waiting, atEndSinceMs } of this.#sources.values())
      if (lengthOf(waiting) > 0 || atEndSinceMs === undefined) return false;
    return true;
  }

  /** True where places say exactly what was handed out: nothing waits that is not newer, nor is anything to be skipped. */
  get isBetweenTimes(): boolean {
    for (const { waiting, nextOffset, before } of this.#sources.values()) {
      const next = nextOf(waiting);
      if (next !== undefined && next.timeMs <= this.#takenMs) return false;
      if (nextOffset < before.toOffset) return false;
    }
    return true;
  }

  /** Where each partition is to be read from by whoever goes on from what was handed out so far. */
  get places(): Places {
    const places: Record<string, number> = {};
    for (const [name, { came, nextOffset }] of this.#sources) {
      const from = nextOf(came)?.offset ?? nextOffset;
      if (from < 0) continue;
      places[name] = from;
      if (this.#windowMs === undefined || from === nextOffset) continue;
      places[name + READ_TO] = nextOffset;
      places[name + TAKEN_TO] = this.#takenMs;
    }
    return places;
  }

  /** Whether what the source shows leaves no doubt that it has nothing that belongs before `record`. */
  #showsMore(source: Source<T>, record: T): boolean {
    const last = source.waiting.entries.at(-1)?.record;
    if (last === undefined || lengthOf(source.waiting) === 0) return false;
    if (this.#windowMs === undefined) return true;
    return last.timeMs > record.timeMs + (source.isLong ? 0 : this.#windowMs);
  }
}

const emptyLine = <T>(): Line<T> => ({ entries: [], head: 0 });
const lengthOf = <T>({ entries, head }: Line<T>): number => entries.length - head;
const nextOf = <T>({ entries, head }: Line<T>): T | undefined => entries[head]?.record;

function isBefore(a: Timed, b: Timed): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && (a.thenBy ?? "") < (b.thenBy ?? ""));
}

function insert<T extends Timed>({ entries, head }: Line<T>, entry: Entry<T>): void {
  let at = entries.length;
  while (at > head && isBefore(entry.record, entries[at - 1]!.record)) at--;
  entries.splice(at, 0, entry);
}

function skipTaken<T>(line: Line<T>): void {
  while (line.head < line.entries.length && line.entries[line.head]!.isTaken) line.head++;
  // Who catches up may never see it empty.
  if (line.head < line.entries.length && line.head < DROP_AT) return;
  line.entries = line.entries.slice(line.head);
  line.head = 0;
}
