// Rows that changed since the last checkpoint, and a consistent checkpoint of them taken in slices.
//
// A checkpoint must show every row as it was at one log position, but encoding them all at once would stop the
// process for too long. So `begin` freezes the set of changed rows, `take` encodes a few at a time, and a row that is
// about to change before its turn is encoded first (copy on write).
import { EarlyRows } from "./early-rows.ts";

/** One persisted row: `bytes` null deletes it. They may be memory that the next row is written to: copy what is kept. */
export type RowWriter<K> = (key: K, bytes: Uint8Array | null) => void;

/** What a host needs to checkpoint one table, whoever owns its rows. */
export interface SnapshotSource<K extends string | number = string | number> {
  /** Name of the table; stable, it is part of the stored keys. */
  readonly table: string;
  /** How many rows changed since the last `begin`. */
  readonly dirtyCount: number;
  /** Freezes the rows to write. The snapshot before must have been taken whole. */
  begin(): void;
  /** Writes up to `max` rows of the frozen set, as they were at `begin`; true when none is left. */
  take(max: number, write: RowWriter<K>): boolean;
  /** Puts back one row at start, in any order. */
  load(key: K, bytes: Uint8Array): void;
}

/** A table that memory holds whole. */
export interface WholeTable<K extends string | number = string | number> extends SnapshotSource<K> {
  /** Marks every row as changed, so that the next checkpoint needs none before it. Not between `begin` and the last `take`. */
  touchAll(): void;
}

export class DirtyRows<K extends string | number> {
  #dirty = new Set<K>();
  #frozen: Set<K> | null = null;
  /** Of `#frozen`, between two slices: from its start each would step over the gaps that those before have left. */
  #rest: Iterator<K> | null = null;
  readonly #early = new EarlyRows<K>();
  readonly #encode: (key: K) => Uint8Array | null;

  /** @param encode - the row's bytes as it is now, good until the next call; null where it no longer exists. */
  constructor(encode: (key: K) => Uint8Array | null) {
    this.#encode = encode;
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** To be called before row `key` changes. */
  touch(key: K): void {
    if (this.#frozen !== null && this.#frozen.delete(key)) this.#early.add(key, this.#encode(key));
    this.#dirty.add(key);
  }

  begin(): void {
    this.#frozen = this.#dirty;
    this.#rest = this.#frozen.values();
    this.#dirty = new Set();
  }

  take(max: number, write: RowWriter<K>): boolean {
    let left = max - this.#early.take(max, write);
    if (this.#frozen !== null) {
      for (; left > 0 && this.#frozen.size > 0; left--) {
        const key: K = this.#rest!.next().value;
        this.#frozen.delete(key);
        write(key, this.#encode(key));
      }
      if (this.#frozen.size === 0) this.#frozen = this.#rest = null;
    }
    return this.#frozen === null && this.#early.isEmpty;
  }
}
