// What each source (a person, a sender's address) has brought to each item, decayed as the item's popularity is. Of many
// sources the lightest are forgotten first, so whoever brings much stays known.
import { powerOfTwo } from "../math/exp2.ts";
import type { Hash64 } from "../math/hash.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import type { DecayClock } from "./decay-clock.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { createTaggedSets, scatter, type TaggedSets } from "./tagged-sets.ts";

const SET_BITS = 16; // 2^18 contributions of 16 bytes.
/** Beside the tag of a contribution; the weight is a 32-bit float. */
const WEIGHT = 1;
const EPOCH = 2;

export interface Contributions {
  /** What the source has brought to the item, in events as they count at `nowMs`. */
  of(ref: number, source: Hash64, nowMs: number): number;
  add(ref: number, source: Hash64, weight: number, timeMs: number): void;
  readonly table: WholeTable;
}

export function createContributions(clock: DecayClock): Contributions {
  let made: TaggedSets | undefined;
  const make = (): TaggedSets => (made = createTaggedSets(SET_BITS));
  const hiOf = (ref: number, source: Hash64): number => scatter(Math.imul(ref, 0x9e3779b1) ^ source.hi);
  const loOf = (ref: number, source: Hash64): number => scatter(Math.imul(ref, 0x85ebca77) + source.lo);
  let epoch = 0;
  const worth = (place: number): number => made!.floats[place + WEIGHT]! * powerOfTwo(made!.cells[place + EPOCH]! - epoch);

  const dirty = new DirtySlots((set) => {
    const out = rowWriter();
    out.u8(1);
    out.i32s(made!.cells, ...made!.rangeOf(set));
    return out.bytes();
  });

  return {
    of(ref, source, nowMs) {
      if (made === undefined) return 0;
      const place = made.find(hiOf(ref, source), loOf(ref, source));
      if (place < 0) return 0;
      const now = clock.at(nowMs);
      return (made.floats[place + WEIGHT]! * powerOfTwo(made.cells[place + EPOCH]! - now.epoch)) / now.fraction;
    },
    add(ref, source, weight, timeMs) {
      const sets = made ?? make();
      const { cells, floats } = sets;
      const now = clock.at(timeMs);
      epoch = now.epoch;
      const hi = hiOf(ref, source);
      dirty.touch(sets.setOf(hi));
      const place = sets.claim(hi, loOf(ref, source), worth);
      if (sets.isNew) cells[place + EPOCH] = epoch;
      const ahead = epoch - cells[place + EPOCH]!;
      if (ahead > 0) {
        floats[place + WEIGHT] = floats[place + WEIGHT]! * powerOfTwo(-ahead);
        cells[place + EPOCH] = epoch;
      }
      floats[place + WEIGHT] = floats[place + WEIGHT]! + weight * now.fraction * powerOfTwo(ahead < 0 ? ahead : 0);
    },
    table: slotTable("contributions", dirty, (set, bytes) => {
      const sets = made ?? make();
      const input = rowReader(bytes);
      input.version(1);
      const [from, to] = sets.rangeOf(set);
      for (let i = from; i < to; i++) sets.cells[i] = input.i32();
    }),
  };
}
