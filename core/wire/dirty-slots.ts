// DirtyRows for tables whose keys are small dense integers: a flag array instead of a set, so that touching a row
// that is dirty already costs one load. Learning touches some twenty rows an event (measured: docs/decisions/models.md).
import type { RowWriter, WholeTable } from "./dirty-rows.ts";
import { EarlyRows } from "./early-rows.ts";

const DIRTY = 1;
const FROZEN = 2;
const KNOWN = 4; // Touched or loaded once: the row may exist.

export class DirtySlots {
  #flags = new Uint8Array(1024);
  #dirty: number[] = [];
  #frozen: number[] = [];
  readonly #early = new EarlyRows<number>();
  readonly #encode: (slot: number) => Uint8Array | null;

  /** @param encode - the row's bytes as it is now, good until the next call; null where it no longer exists. */
  constructor(encode: (slot: number) => Uint8Array | null) {
    this.#encode = encode;
  }

  get dirtyCount(): number {
    return this.#dirty.length;
  }

  /** To be called before row `slot` changes. */
  touch(slot: number): void {
    if ((this.#flags[slot]! & DIRTY) !== 0) return;
    this.#touchClean(slot);
  }

  #touchClean(slot: number): void {
    if (slot >= this.#flags.length) this.#grow(slot);
    const flags = this.#flags[slot]!;
    if ((flags & FROZEN) !== 0) this.#early.add(slot, this.#encode(slot));
    this.#dirty.push(slot);
    this.#flags[slot] = DIRTY | KNOWN;
  }

  #grow(slot: number): void {
    const flags = new Uint8Array(Math.max(slot + 1, this.#flags.length * 2));
    flags.set(this.#flags);
    this.#flags = flags;
  }

  /** Row `slot` was loaded. */
  loaded(slot: number): void {
    if (slot >= this.#flags.length) this.#grow(slot);
    this.#flags[slot] = this.#flags[slot]! | KNOWN;
  }

  /** Every row that was ever touched or loaded; not between `begin` and the last `take`. */
  touchAll(): void {
    for (let slot = 0; slot < this.#flags.length; slot++) if (this.#flags[slot] === KNOWN) this.#touchClean(slot);
  }

  begin(): void {
    this.#frozen = this.#dirty;
    this.#dirty = [];
    for (const slot of this.#frozen) this.#flags[slot] = FROZEN | KNOWN;
  }

  take(max: number, write: RowWriter<number>): boolean {
    let left = max - this.#early.take(max, write);
    while (left > 0 && this.#frozen.length > 0) {
      const slot = this.#frozen.pop()!;
      if ((this.#flags[slot]! & FROZEN) === 0) continue; // Written early.
      this.#flags[slot] = this.#flags[slot]! & ~FROZEN;
      write(slot, this.#encode(slot));
      left--;
    }
    return this.#frozen.length === 0 && this.#early.isEmpty;
  }
}

/** The snapshot source of one table of slots. */
export function slotTable(
  table: string,
  rows: DirtySlots,
  load: (slot: number, bytes: Uint8Array) => void,
): WholeTable {
  return {
    table,
    get dirtyCount() {
      return rows.dirtyCount;
    },
    begin: () => rows.begin(),
    take: (max, write) => rows.take(max, write),
    load(key, bytes) {
      rows.loaded(key as number);
      load(key as number, bytes);
    },
    touchAll: () => rows.touchAll(),
  };
}
