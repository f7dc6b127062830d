// Persons in experiments, in memory: a row for each person and run, kept by run. Rows are held as strings of a byte a
// character: an array of its own for each would take twice the memory (405 against 196 bytes, with a key of 55 characters and four metrics).
import type { UnitRows } from "../../core/experiment/units.ts";
import { DirtyRows, type RowWriter, type WholeTable } from "../../core/wire/dirty-rows.ts";

const SEPARATOR = "/";

export class UnitTable implements UnitRows, WholeTable<string> {
  readonly table = "units";
  readonly #runs = new Map<string, Map<string, string>>();
  readonly #dirty = new DirtyRows<string>((key) => this.get(key) ?? null);
  size = 0;

  get(key: string): Uint8Array | undefined {
    const [run, person] = split(key);
    const row = this.#runs.get(run)?.get(person);
    return row === undefined ? undefined : bytesOf(row);
  }

  set(key: string, bytes: Uint8Array | null): void {
    this.#dirty.touch(key);
    this.#put(key, bytes);
  }

  /** Not in key order: whoever sweeps a run does not mind. */
  page({ prefix, limit }: { prefix: string; limit: number }): [key: string, bytes: Uint8Array][] {
    const [run, start] = split(prefix);
    const rows: [string, Uint8Array][] = [];
    for (const [person, row] of this.#runs.get(run) ?? []) {
      if (rows.length >= limit) break;
      if (person.startsWith(start)) rows.push([run + SEPARATOR + person, bytesOf(row)]);
    }
    return rows;
  }

  /** Each row, by its key. */
  *rows(): Generator<[key: string, bytes: Uint8Array]> {
    for (const [run, persons] of this.#runs)
      for (const [person, row] of persons) yield [run + SEPARATOR + person, bytesOf(row)];
  }

  get dirtyCount(): number {
    return this.#dirty.dirtyCount;
  }

  begin(): void {
    this.#dirty.begin();
  }

  take(max: number, write: RowWriter<string>): boolean {
    return this.#dirty.take(max, write);
  }

  touchAll(): void {
    for (const [run, persons] of this.#runs) for (const person of persons.keys()) this.#dirty.touch(run + SEPARATOR + person);
  }

  load(key: string, bytes: Uint8Array): void {
    this.#put(key, bytes);
  }

  #put(key: string, bytes: Uint8Array | null): void {
    const [run, person] = split(key);
    let persons = this.#runs.get(run);
    if (bytes === null) {
      if (persons?.delete(person) === true) this.size--;
      if (persons?.size === 0) this.#runs.delete(run);
      return;
    }
    if (persons === undefined) this.#runs.set(run, (persons = new Map()));
    if (!persons.has(person)) this.size++;
    persons.set(person, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"));
  }
}

function bytesOf(row: string): Uint8Array {
  return Buffer.from(row, "latin1");
}

/** A run's id holds no slash. */
function split(key: string): [run: string, person: string] {
  const at = key.indexOf(SEPARATOR);
  return [key.slice(0, at), key.slice(at + 1)];
}
