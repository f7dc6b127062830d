// Repeats: how likely is the next step to go back to the n-th newest item of the session, or of the time before it?
// Counted, so a shop where a third of the clicks are repeats and a newsroom where none is need no setting. Beside the
// place, the item: some are gone back to more than others.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { HISTORY_MAX, TRAIL_MAX } from "./config.ts";
import { addScore } from "./candidates.ts";
import type { ScoringModel } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

const VISIT_BUCKETS = 3; // Once, twice, more.
const LENGTHS = 4; // Trail of 1, 2, 3–5, more.
const TRAIL_CELLS = (TRAIL_MAX + 1) * VISIT_BUCKETS * LENGTHS;
const CELLS = TRAIL_CELLS + HISTORY_MAX * 2;
const TRIALS_MAX = 1 << 20; // Then both counters are halved: an old habit fades.
const ITEM_TRIALS_MAX = 1 << 12;
const PULL_PRIOR = 10; // Sessions that an item's own ways back are mixed with, as others go back. Guess.
const PRIOR_HITS = 0.05;
const PRIOR_TRIALS = 5;

const lengthOf = (trailLength: number): number => (trailLength <= 2 ? trailLength - 1 : trailLength <= 5 ? 2 : 3);

const cellOf = (place: number, visits: number, trailLength: number): number =>
  (place * VISIT_BUCKETS + Math.min(visits, VISIT_BUCKETS) - 1) * LENGTHS + lengthOf(trailLength);
const pastCellOf = (place: number, trailLength: number): number => TRAIL_CELLS + place * 2 + (trailLength === 0 ? 0 : 1);

export interface Repeats extends ScoringModel {
  /** How many times as often as other items an item is gone back to by those who saw it; 1 where nothing is known. */
  pull(slot: number): number;
}

export function createRepeats(): Repeats {
  const hits = new Float64Array(CELLS);
  const trials = new Float64Array(CELLS);
  /** By slot: sessions that saw the item, and ways back to it within one. */
  let seen = new Float32Array(1024);
  let back = new Float32Array(1024);
  const all = { seen: 0, back: 0 };

  const dirty = new DirtySlots(() => {
    const out = rowWriter();
    out.u8(2);
    out.f64(all.seen);
    out.f64(all.back);
    for (let i = 0; i < CELLS; i++) {
      out.f64(hits[i]!);
      out.f64(trials[i]!);
    }
    return out.bytes();
  });
  const dirtyItems = new DirtySlots((slot) => {
    if (slot >= seen.length || (seen[slot] === 0 && back[slot] === 0)) return null;
    const out = rowWriter();
    out.u8(1);
    out.f32(seen[slot]!);
    out.f32(back[slot]!);
    return out.bytes();
  });

  const reserve = (slot: number): void => {
    if (slot < seen.length) return;
    const size = Math.max(slot + 1, 2 * seen.length);
    const grown = [new Float32Array(size), new Float32Array(size)] as const;
    grown[0].set(seen);
    grown[1].set(back);
    [seen, back] = grown;
  };

  const countItem = (slot: number, isRepeat: boolean): void => {
    reserve(slot);
    dirtyItems.touch(slot);
    if (seen[slot]! + back[slot]! >= ITEM_TRIALS_MAX) {
      seen[slot] = seen[slot]! / 2;
      back[slot] = back[slot]! / 2;
    }
    if (all.seen >= TRIALS_MAX) {
      all.seen /= 2;
      all.back /= 2;
    }
    if (isRepeat) {
      back[slot] = back[slot]! + 1;
      all.back++;
    } else {
      seen[slot] = seen[slot]! + 1;
      all.seen++;
    }
  };

  const count = (cell: number, isHit: boolean): void => {
    if (trials[cell]! >= TRIALS_MAX) {
      trials[cell] = trials[cell]! / 2;
      hits[cell] = hits[cell]! / 2;
    }
    trials[cell] = trials[cell]! + 1;
    if (isHit) hits[cell] = hits[cell]! + 1;
  };
  const chance = (cell: number): number => (hits[cell]! + PRIOR_HITS) / (trials[cell]! + PRIOR_TRIALS);

  const own = ({ trail, trailLength, past, pastLength }: Situation, slot: number): boolean =>
    trail.subarray(0, trailLength).includes(slot) || past.subarray(0, pastLength).includes(slot);

  return {
    name: "repeats",
    pull(slot) {
      const usual = (all.back + 1) / (all.seen + PULL_PRIOR);
      if (slot >= seen.length) return 1;
      return (back[slot]! / usual + PULL_PRIOR) / (seen[slot]! + PULL_PRIOR);
    },
    learn(reveal, { trail, visits, trailLength, past, pastLength }) {
      dirty.touch(0);
      countItem(reveal.slot, reveal.isRepeat);
      for (let i = 0; i < trailLength; i++) count(cellOf(i, visits[i]!, trailLength), trail[i] === reveal.slot);
      for (let i = 0; i < pastLength; i++) count(pastCellOf(i, trailLength), past[i] === reveal.slot);
    },
    score({ trail, visits, trailLength, past, pastLength }, sheet) {
      for (let i = 0; i < trailLength; i++) addScore(sheet, trail[i]!, chance(cellOf(i, visits[i]!, trailLength)));
      for (let i = 0; i < pastLength; i++) addScore(sheet, past[i]!, chance(pastCellOf(i, trailLength)));
    },
    because: (situation, slot) => (own(situation, slot) ? [slot] : []),
    forget(slot) {
      if (slot >= seen.length) return;
      dirtyItems.touch(slot);
      seen[slot] = 0;
      back[slot] = 0;
    },
    tables: [
      slotTable("returns", dirtyItems, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        reserve(slot);
        seen[slot] = input.f32();
        back[slot] = input.f32();
      }),
      slotTable("repeats", dirty, (_row, bytes) => {
        const input = rowReader(bytes);
        if (input.version(2) === 2) {
          all.seen = input.f64();
          all.back = input.f64();
        }
        for (let i = 0; i < CELLS && input.left() >= 16; i++) {
          hits[i] = input.f64();
          trials[i] = input.f64();
        }
      }),
    ],
  };
}
