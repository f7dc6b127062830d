// Persons in experiments: a row for each person and run, in a table of the host. Rows of persons who were here lately
// are held decoded.
import { ByteReader } from "../wire/reader.ts";
import { ByteWriter } from "../wire/writer.ts";

/** A person's part in one run. */
export interface Unit {
  variant: number;
  /** Event time of the first exposure; -1 while he was only assigned. */
  exposedMs: number;
  /** Event time of his last event since; -1 before the first. */
  lastMs: number;
  /** The covariate. */
  x: number;
  /** He counts in none: an earlier release wrote it of whoever had been two persons with two variants. */
  isMixed: boolean;
  /** By metric, before any cut (`measured`). */
  values: number[];
}

/** Where the rows lie: a table that a checkpoint holds. */
export interface UnitRows {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array | null): void;
  /** In an order of the host's own. */
  page(options: { prefix: string; limit: number }): [key: string, bytes: Uint8Array][];
}

const CACHED_MAX = 16_384;
const READ_AHEAD = 1_024;
const VALUES_MAX = 64;
const VERSION = 1;

/** Units of one generation by run and person: two maps, so that an event joins no strings to ask. */
type Cached = Map<string, Map<string, Unit | null>>;

export class Units {
  readonly #rows: UnitRows;
  #young: Cached = new Map();
  #youngCount = 0;
  #old: Cached = new Map();
  /** Runs by whether anybody takes part: of one that nobody has seen, every event would ask the table in vain. */
  readonly #isUsed = new Map<string, boolean>();
  /** Rows of runs that are being forgotten, read ahead: a page costs the host all that changed since its checkpoint. */
  readonly #leaving = new Map<string, string[]>();

  constructor(rows: UnitRows) {
    this.#rows = rows;
  }

  get(run: string, personKey: string): Unit | undefined {
    let unit = this.#young.get(run)?.get(personKey);
    if (unit === undefined) {
      if (!this.#used(run)) return undefined;
      unit = this.#old.get(run)?.get(personKey);
      if (unit === undefined) {
        const bytes = this.#rows.get(`${run}/${personKey}`);
        unit = bytes === undefined ? null : decodeUnit(bytes);
      }
      this.#remember(run, personKey, unit);
    }
    return unit ?? undefined;
  }

  /** Keeps the unit as it is now; null forgets it. */
  put(run: string, personKey: string, unit: Unit | null): void {
    this.#isUsed.set(run, true);
    this.#rows.set(`${run}/${personKey}`, unit === null ? null : encodeUnit(unit));
    this.#remember(run, personKey, unit);
  }

  /** Forgets up to `limit` persons of a run; false while there are more. */
  sweep(run: string, limit: number): boolean {
    let left = limit;
    while (left > 0) {
      let leaving = this.#leaving.get(run) ?? [];
      if (leaving.length === 0) leaving = this.#rows.page({ prefix: `${run}/`, limit: READ_AHEAD }).map(([key]) => key).reverse();
      if (leaving.length === 0) break;
      this.#leaving.set(run, leaving);
      for (const key of leaving.splice(-left)) {
        this.#rows.set(key, null);
        const personKey = key.slice(run.length + 1);
        this.#young.get(run)?.delete(personKey);
        this.#old.get(run)?.delete(personKey);
        left--;
      }
    }
    if (left > 0) this.#leaving.delete(run);
    return left > 0;
  }

  #used(run: string): boolean {
    let isUsed = this.#isUsed.get(run);
    if (isUsed === undefined) {
      isUsed = this.#rows.page({ prefix: `${run}/`, limit: 1 }).length > 0;
      this.#isUsed.set(run, isUsed);
    }
    return isUsed;
  }

  #remember(run: string, personKey: string, unit: Unit | null): void {
    let units = this.#young.get(run);
    if (units === undefined) this.#young.set(run, (units = new Map()));
    const before = units.size;
    units.set(personKey, unit);
    this.#youngCount += units.size - before;
    if (this.#youngCount < CACHED_MAX / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngCount = 0;
  }
}

const writer = new ByteWriter();

function encodeUnit({ variant, exposedMs, lastMs, x, isMixed, values }: Unit): Uint8Array {
  writer.byte(VERSION);
  writer.varint(2 * variant + Number(isMixed));
  for (const value of [exposedMs, lastMs, x]) writer.number(value);
  writer.varint(values.length);
  for (const value of values) writer.number(value);
  return writer.take();
}

/** @throws CorruptBytesError */
export function decodeUnit(bytes: Uint8Array): Unit {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw reader.corrupt("a unit of another version");
  const head = reader.varint();
  const [exposedMs, lastMs, x] = [reader.number(), reader.number(), reader.number()];
  const values = Array.from({ length: reader.count(VALUES_MAX) }, () => reader.number());
  reader.end();
  return { variant: head >> 1, isMixed: (head & 1) === 1, exposedMs, lastMs, x, values };
}
