// Persons of one project: a bounded cache of decoded states over the state file. A state that changed since the last
// durable checkpoint stays in memory; the rest is dropped when it has not been used for two generations.
//
// To encode a person is to fetch some eighty cold objects (10-20 µs), so no event waits for it: persons are written
// ahead of a checkpoint, one after the other while events come in, each with the log position that he stands at.
import { assert } from "../../core/assert.ts";
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import { decodePerson, encodePerson, newPerson, type PersonState } from "../../core/profile/person.ts";
import type { RowWriter, SnapshotSource } from "../../core/wire/dirty-rows.ts";
import type { StateFile } from "../state/state-file.ts";

const PERSONS = "p:";
const TIMERS = "x:";
/** f64 due time, u32 program version, f64 log position, then the person's bytes. */
const HEADER_BYTES = 20;
/** Beside the program version: a position follows. Rows of the first release have none. */
const HAS_POSITION = 0x80000000;
const HEADER_BYTES_WITHOUT_POSITION = 12;
/** Room for a row; it grows as needed. */
const ROW_BYTES_MIN = 4096;
const KEYS_AT_ONCE = 1_000;
const PACKED_A_PERSON = 2; // Of those who left, for each that comes: all are packed before a generation is over.

interface Entry {
  /** Null where he is packed, or forgotten since the last checkpoint (merged into another). */
  state: PersonState | null;
  /** His row, while he waits for a checkpoint outside the cache: a tenth of the memory of a decoded state. */
  packed: Uint8Array | null;
  /** Checkpoint epoch in which it last changed. */
  epoch: number;
  /** Due time of the timer row in the state file; Infinity where there is none. */
  storedDueMs: number;
  /** Log position of the row that he was read from: what the log says of him before it is in his state. */
  readPosition: number;
}

/** A way past everybody, some at a time. */
export interface PersonWalk {
  /** Keys of the next ones, at most `limit`; none when it is over. */
  next(limit: number): string[];
}

export class Persons implements SnapshotSource<string> {
  readonly table = "persons";
  readonly #file: StateFile;
  readonly #programs: ProgramTimeline;
  readonly #generationMax: number;
  /** Changed since they were last written. */
  #dirty = new Set<string>();
  /** Still to be written ahead of the checkpoint that is being taken; null while none is. */
  #ahead: Set<string> | null = null;
  #row = new Uint8Array(ROW_BYTES_MIN);
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  /** Left the cache before a checkpoint held them. */
  #unsaved = new Map<string, Entry>();
  /** Keys of those of them that may still be decoded. */
  readonly #toPack: string[] = [];
  #epoch = 1;
  #epochCommitted = 0;
  /** All persons, those on disk only included. */
  total = 0;
  /** Log position up to which every record is folded; kept by the fold. */
  position = 0;

  /** @param cachedMax - persons held decoded; about 3 kB each. */
  constructor(file: StateFile, programs: ProgramTimeline, cachedMax: number) {
    this.#file = file;
    this.#programs = programs;
    this.#generationMax = Math.max(64, Math.ceil(cachedMax / 2));
  }

  get cached(): number {
    return this.#young.size + this.#old.size;
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** The state to read; never change it without `change`. */
  get(key: string): PersonState | undefined {
    return this.#entry(key)?.state ?? undefined;
  }

  /** The state to change, made where there is none. */
  change(key: string): PersonState {
    let entry = this.#entry(key);
    this.#dirty.add(key);
    if (entry === undefined || entry.state === null) {
      const state = newPerson(key, this.#programs.current.plan);
      if (entry === undefined) this.#remember(key, (entry = { state, packed: null, epoch: this.#epoch, storedDueMs: Infinity, readPosition: 0 }));
      else entry.state = state;
      this.total++;
    }
    entry.epoch = this.#epoch;
    return entry.state!;
  }

  /** Forgets a person that was merged into another. */
  forget(key: string): void {
    const entry = this.#entry(key);
    if (entry === undefined || entry.state === null) return;
    this.#dirty.add(key);
    entry.state = null;
    entry.epoch = this.#epoch;
    this.total--;
  }

  /**
   * Everybody who is there now, each once: who is in memory, then who is on disk alone. Whoever comes meanwhile may be missed.
   * It ends early where another file takes this one's place.
   */
  walk(): PersonWalk {
    const inMemory = new Set<string>();
    for (const entries of [this.#young, this.#old, this.#unsaved]) {
      for (const [key, entry] of entries) if (!isForgotten(entry)) inMemory.add(key);
    }
    const first = inMemory.values();
    let after = "";
    const next = (limit: number): string[] => {
      const keys: string[] = [];
      while (keys.length < limit) {
        const { value, done } = first.next();
        if (done === true) break;
        keys.push(value);
      }
      while (keys.length === 0 && !this.#file.isEnding) {
        const stored = [...this.#file.rows(PERSONS, { ...(after !== "" && { after }), limit })];
        if (stored.length === 0) break;
        after = stored.at(-1)![0];
        for (const [key] of stored) if (!inMemory.has(key) && !this.#isForgotten(key)) keys.push(key);
      }
      return keys;
    };
    return { next };
  }

  /** The same one by one, in one go. */
  *all(): Generator<string> {
    const walk = this.walk();
    for (let keys = walk.next(KEYS_AT_ONCE); keys.length > 0; keys = walk.next(KEYS_AT_ONCE)) yield* keys;
  }

  #isForgotten(key: string): boolean {
    const known = this.#known(key);
    return known !== undefined && isForgotten(known);
  }

  /** Keys that start with one of the prefixes, prefix by prefix, of each the first `limit` in key order. */
  async search(prefixes: readonly string[], limit: number): Promise<string[]> {
    const forgotten = [...this.#young, ...this.#old, ...this.#unsaved].filter(([, entry]) => isForgotten(entry)).length;
    const keys = new Set(await this.#file.findPersons(prefixes, limit + forgotten));
    for (const entries of [this.#young, this.#old, this.#unsaved]) {
      for (const [key, entry] of entries) {
        if (!prefixes.some((prefix) => key.startsWith(prefix))) continue;
        if (isForgotten(entry)) keys.delete(key);
        else keys.add(key);
      }
    }
    const inOrder = [...keys].sort();
    return prefixes.flatMap((prefix) => inOrder.filter((key) => key.startsWith(prefix)).slice(0, limit));
  }

  /** The state, without keeping it in memory where it is not. */
  peek(key: string): PersonState | undefined {
    const known = this.#known(key);
    if (known?.state != null) return known.state;
    const row = known === undefined ? this.#file.get(PERSONS + key) : known.packed;
    return row == null ? undefined : this.#decode(row).state;
  }

  /** Timer rows on disk that fall due up to `toMs`, earliest first; some may be stale: ask the person. */
  storedTimers(options: { after?: string; toMs: number; limit: number }): { cursor: string; key: string }[] {
    const { after, toMs, limit } = options;
    const to = timerKey(toMs + 1, "");
    return [...this.#file.rows(TIMERS, { ...(after === undefined ? {} : { after }), to, limit })].map(([cursor]) => ({
      cursor,
      key: cursor.slice(cursor.indexOf(":") + 1),
    }));
  }

  /** True where what the log says of the person before `position` is in his state: a replay skips it. */
  standsAt(key: string, position: number): boolean {
    const entry = this.#entry(key);
    return entry !== undefined && entry.readPosition >= position;
  }

  /**
   * Has the person written once more before the checkpoint that is being taken: to be called where something changes him,
   * or who an id leads to, that a replay of his own events and attributes would not bring about.
   */
  again(key: string): void {
    this.#ahead?.add(key);
  }

  /** `again` for everybody who changed since he was written. */
  allAgain(): void {
    if (this.#ahead === null) return;
    for (const key of this.#dirty) this.#ahead.add(key);
  }

  begin(): void {
    this.#epoch++;
    this.#ahead = this.#dirty;
    this.#dirty = new Set();
  }

  /** Writes persons as they are now; when none is left, every one in the file stands between `begin` and this moment. */
  take(max: number, write: RowWriter<string>): boolean {
    let left = max;
    for (const key of this.#ahead ?? []) {
      if (left-- <= 0) return false;
      this.#ahead!.delete(key);
      this.#write(key, write);
    }
    this.#ahead = null;
    return true;
  }

  #write(key: string, write: RowWriter<string>): void {
    const entry = this.#known(key);
    if (entry === undefined) return;
    const bytes = this.#encode(entry);
    const dueMs = bytes === null ? Infinity : viewOf(bytes).getFloat64(0, true);
    write(PERSONS + key, bytes);
    if (this.#dirty.delete(key)) entry.epoch = this.#epoch - 1;
    if (dueMs === entry.storedDueMs) return;
    if (entry.storedDueMs !== Infinity) write(TIMERS + timerKey(entry.storedDueMs, key), null);
    if (dueMs !== Infinity) write(TIMERS + timerKey(dueMs, key), new Uint8Array(0));
    entry.storedDueMs = dueMs;
  }

  /** The checkpoint that `begin` opened is durable: what has not changed since may leave the cache. */
  committed(): void {
    this.#epochCommitted = this.#epoch - 1;
    for (const [key, entry] of this.#old) {
      if (isForgotten(entry) && entry.epoch <= this.#epochCommitted) this.#old.delete(key);
    }
    for (const [key, entry] of this.#unsaved) if (entry.epoch <= this.#epochCommitted) this.#unsaved.delete(key);
  }

  load(): void {
    // Persons are read from the file when asked for.
  }

  #entry(key: string): Entry | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const known = this.#old.get(key) ?? this.#unsaved.get(key);
    if (known !== undefined) {
      if (known.packed !== null) {
        known.state = this.#decode(known.packed).state;
        known.packed = null;
      }
      this.#old.delete(key);
      this.#unsaved.delete(key);
      this.#remember(key, known);
      return known;
    }
    const stored = this.#file.get(PERSONS + key);
    if (stored === undefined) return undefined;
    const storedDueMs = viewOf(stored).getFloat64(0, true);
    const { state, position: readPosition } = this.#decode(stored);
    const entry: Entry = { state, packed: null, epoch: 0, storedDueMs, readPosition };
    this.#remember(key, entry);
    return entry;
  }

  #decode(row: Uint8Array): { state: PersonState; position: number } {
    const header = viewOf(row);
    const version = header.getUint32(8, true);
    const hasPosition = version >= HAS_POSITION;
    const program = this.#programs.at(hasPosition ? version - HAS_POSITION : version);
    assert(program !== undefined, "the programs of all persons are known");
    const person = row.subarray(hasPosition ? HEADER_BYTES : HEADER_BYTES_WITHOUT_POSITION);
    const position = hasPosition ? header.getFloat64(12, true) : 0;
    return { state: decodePerson(person, program.plan), position };
  }

  #known(key: string): Entry | undefined {
    return this.#young.get(key) ?? this.#old.get(key) ?? this.#unsaved.get(key);
  }

  #remember(key: string, entry: Entry): void {
    this.#young.set(key, entry);
    this.#packSome();
    if (this.#young.size < this.#generationMax) return;
    for (const [oldKey, oldEntry] of this.#old) {
      if (oldEntry.epoch <= this.#epochCommitted) continue;
      this.#unsaved.set(oldKey, oldEntry);
      this.#toPack.push(oldKey);
    }
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Of those that left with changes a few become bytes at a time: thousands at once would keep everybody waiting. */
  #packSome(): void {
    for (let i = 0; i < PACKED_A_PERSON && this.#toPack.length > 0; i++) {
      const entry = this.#unsaved.get(this.#toPack.pop()!);
      if (entry === undefined || entry.state === null) continue; // Asked for again, written by a checkpoint, or forgotten.
      entry.packed = this.#encode(entry)?.slice() ?? null;
      entry.state = null;
    }
  }

  /** His row, good until the next call; null where he is forgotten. */
  #encode({ state, packed }: Entry): Uint8Array | null {
    if (state === null) return packed;
    const person = encodePerson(state);
    const sizeBytes = HEADER_BYTES + person.length;
    if (sizeBytes > this.#row.length) this.#row = new Uint8Array(2 * sizeBytes);
    const header = viewOf(this.#row);
    header.setFloat64(0, state.nextCheckMs, true);
    header.setUint32(8, HAS_POSITION + state.programVersion, true);
    header.setFloat64(12, this.position, true);
    this.#row.set(person, HEADER_BYTES);
    return this.#row.subarray(0, sizeBytes);
  }
}

function isForgotten({ state, packed }: Entry): boolean {
  return state === null && packed === null;
}

/** Sorts by due time: 16 digits of milliseconds. */
function timerKey(dueMs: number, key: string): string {
  return `${String(Math.max(0, Math.ceil(dueMs))).padStart(16, "0")}:${key}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
