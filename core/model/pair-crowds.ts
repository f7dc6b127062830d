// How many different persons, and senders, went from one thing to another: from an item to an item, or from a country to
// an item. 32 bits of each a pair, as `sketches.ts` counts; pairs that few made or that are old give way to new ones.
import type { Hash64 } from "../math/hash.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { bits } from "./sketches.ts";
import { createTaggedSets, scatter, type TaggedSets } from "./tagged-sets.ts";

const SET_BITS = 18; // 2^20 pairs of 16 bytes.
const ROW_BITS = 2; // Four sets a row: their flags stay in the cache.
const WINDOW_MS = 30 * 86_400_000; // A pair that nobody made for as long is none.
const OLD = 64; // Worth of a window's age, in persons.
/** Beside the tag of a pair. */
const PERSONS = 1;
const SENDERS = 2;
const WINDOW = 3;

export interface PairCrowds {
  add(a: number, b: number, who: { person: Hash64; sender: Hash64; timeMs: number }): void;
  /** In whichever order. */
  holds(a: number, b: number, least: number, nowMs: number): boolean;
  readonly table: WholeTable;
}

export function createPairCrowds(): PairCrowds {
  // Made when a pair comes: programs that ask for one person only need none of it.
  let made: TaggedSets | undefined;
  const make = (): TaggedSets => (made = createTaggedSets(SET_BITS));
  const windowOf = (timeMs: number): number => Math.floor(timeMs / WINDOW_MS);
  const worth = (place: number): number => made!.cells[place + WINDOW]! * OLD + bits(made!.cells[place + PERSONS]!);
  const hiOf = (a: number, b: number): number => scatter(Math.imul(a, 0x9e3779b1) + b);
  const loOf = (a: number, b: number): number => scatter(Math.imul(b, 0x85ebca77) ^ Math.imul(a, 0xc2b2ae3d));

  const rangeOf = (sets: TaggedSets, row: number): [from: number, to: number] => [
    sets.rangeOf(row << ROW_BITS)[0],
    sets.rangeOf((row + 1) << ROW_BITS)[0],
  ];

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(1);
    out.i32s(made!.cells, ...rangeOf(made!, row));
    return out.bytes();
  });

  return {
    add(a, b, { person, sender, timeMs }) {
      const sets = made ?? make();
      const { cells } = sets;
      const hi = a < b ? hiOf(a, b) : hiOf(b, a);
      dirty.touch(sets.setOf(hi) >>> ROW_BITS);
      const place = sets.claim(hi, a < b ? loOf(a, b) : loOf(b, a), worth);
      const window = windowOf(timeMs);
      if (window - cells[place + WINDOW]! > 1) {
        cells[place + PERSONS] = 0;
        cells[place + SENDERS] = 0;
      }
      if (window > cells[place + WINDOW]!) cells[place + WINDOW] = window;
      cells[place + PERSONS] = cells[place + PERSONS]! | (1 << (person.hi & 31));
      cells[place + SENDERS] = cells[place + SENDERS]! | (1 << (sender.hi & 31));
    },
    holds(a, b, least, nowMs) {
      if (made === undefined) return false;
      const { cells } = made;
      const place = a < b ? made.find(hiOf(a, b), loOf(a, b)) : made.find(hiOf(b, a), loOf(b, a));
      if (place < 0 || windowOf(nowMs) - cells[place + WINDOW]! > 1) return false;
      return bits(cells[place + PERSONS]!) >= least && bits(cells[place + SENDERS]!) >= least;
    },
    table: slotTable("pair_crowds", dirty, (row, bytes) => {
      const sets = made ?? make();
      const input = rowReader(bytes);
      input.version(1);
      const [from, to] = rangeOf(sets, row);
      for (let i = from; i < to; i++) sets.cells[i] = input.i32();
    }),
  };
}
