// A small persisted map: what changed since the last checkpoint lies in memory over what the state file holds.
import type { SnapshotSource, RowWriter } from "../../core/wire/dirty-rows.ts";
import type { StateFile } from "./state-file.ts";

type Value = Uint8Array | null;

export class OverlayTable implements SnapshotSource<string> {
  readonly table: string;
  readonly #file: StateFile;
  #latest = new Map<string, Value>();
  /** Being written: still laid over the file until `committed`. */
  #frozen = new Map<string, Value>();
  #taking: Iterator<[string, Value]> | null = null;

  constructor(file: StateFile, table: string) {
    this.table = table;
    this.#file = file;
  }

  get dirtyCount(): number {
    return this.#latest.size;
  }

  get(key: string): Uint8Array | undefined {
    const fresh = this.#latest.get(key) ?? (this.#latest.has(key) ? null : this.#frozen.get(key));
    if (fresh !== undefined) return fresh ?? undefined;
    return this.#file.get(`${this.table}:${key}`);
  }

  set(key: string, bytes: Value): void {
    this.#latest.set(key, bytes);
  }

  /** Rows in the order of their names in the file; `after` is exclusive. */
  page(options: { prefix?: string; after?: string; limit: number; reverse?: boolean }): [string, Uint8Array][] {
    const prefix = options.prefix ?? "";
    const nameOf = (key: string): string => this.#file.nameOf(`${this.table}:${key}`);
    const after = options.after === undefined ? undefined : nameOf(options.after);
    const isWanted = (key: string): boolean => {
      if (!key.startsWith(prefix)) return false;
      if (after === undefined) return true;
      return options.reverse ? nameOf(key) < after : nameOf(key) > after;
    };
    const fresh = new Map<string, Value>();
    for (const layer of [this.#frozen, this.#latest]) {
      for (const [key, value] of layer) if (isWanted(key)) fresh.set(key, value);
    }
    const stored = this.#file.rows(`${this.table}:${prefix}`, {
      ...(options.after === undefined
        ? {}
        : { [options.reverse ? "to" : "after"]: options.after.slice(prefix.length) }),
      reverse: options.reverse === true,
    });
    const rows: { name: string; row: [string, Uint8Array] }[] = [];
    for (const [rest, bytes] of stored) {
      if (rows.length >= options.limit) break;
      const key = prefix + rest;
      if (!fresh.has(key)) rows.push({ name: nameOf(key), row: [key, bytes] });
    }
    for (const [key, value] of fresh) if (value !== null) rows.push({ name: nameOf(key), row: [key, value] });
    rows.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    if (options.reverse) rows.reverse();
    return rows.slice(0, options.limit).map(({ row }) => row);
  }

  begin(): void {
    this.#frozen = this.#frozen.size === 0 ? this.#latest : new Map([...this.#frozen, ...this.#latest]);
    this.#latest = new Map();
    this.#taking = this.#frozen.entries();
  }

  take(max: number, write: RowWriter<string>): boolean {
    for (let left = max; left > 0; left--) {
      const next = this.#taking?.next();
      if (next === undefined || next.done) {
        this.#taking = null;
        return true;
      }
      write(next.value[0], next.value[1]);
    }
    return false;
  }

  /** The checkpoint that `begin` opened is durable: the file now says what was laid over it. */
  committed(): void {
    this.#frozen = new Map();
  }

  load(): void {
    // Nothing to load at start: rows are read from the file when asked for.
  }
}
