// Repeats: how likely is the next step to go back to the n-th newest item of the session, or of the time before it?
// Counted, so a shop where a third of the clicks are repeats and a newsroom where none is need no setting.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { HISTORY_MAX, TRAIL_MAX } from "./config.ts";
import { addScore } from "./candidates.ts";
import type { Model } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

const VISIT_BUCKETS = 3; // Once, twice, more.
const LENGTHS = 4; // Trail of 1, 2, 3–5, more.
const TRAIL_CELLS = (TRAIL_MAX + 1) * VISIT_BUCKETS * LENGTHS;
const CELLS = TRAIL_CELLS + HISTORY_MAX * 2;
const TRIALS_MAX = 1 << 20; // Then both counters are halved: an old habit fades.
const PRIOR_HITS = 0.05;
const PRIOR_TRIALS = 5;

const lengthOf = (trailLength: number): number => (trailLength <= 2 ? trailLength - 1 : trailLength <= 5 ? 2 : 3);

const cellOf = (place: number, visits: number, trailLength: number): number =>
  (place * VISIT_BUCKETS + Math.min(visits, VISIT_BUCKETS) - 1) * LENGTHS + lengthOf(trailLength);
const pastCellOf = (place: number, trailLength: number): number => TRAIL_CELLS + place * 2 + (trailLength === 0 ? 0 : 1);

export function createRepeats(): Model {
  const hits = new Float64Array(CELLS);
  const trials = new Float64Array(CELLS);
  const dirty = new DirtySlots(() => {
    const out = rowWriter();
    out.u8(1);
    for (let i = 0; i < CELLS; i++) {
      out.f64(hits[i]!);
      out.f64(trials[i]!);
    }
    return out.bytes();
  });

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
    learn(reveal, { trail, visits, trailLength, past, pastLength }) {
      dirty.touch(0);
      for (let i = 0; i < trailLength; i++) count(cellOf(i, visits[i]!, trailLength), trail[i] === reveal.slot);
      for (let i = 0; i < pastLength; i++) count(pastCellOf(i, trailLength), past[i] === reveal.slot);
    },
    score({ trail, visits, trailLength, past, pastLength }, sheet) {
      for (let i = 0; i < trailLength; i++) addScore(sheet, trail[i]!, chance(cellOf(i, visits[i]!, trailLength)));
      for (let i = 0; i < pastLength; i++) addScore(sheet, past[i]!, chance(pastCellOf(i, trailLength)));
    },
    because: (situation, slot) => (own(situation, slot) ? [slot] : []),
    forget() {},
    tables: [
      slotTable("repeats", dirty, (_row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        for (let i = 0; i < CELLS && input.left() >= 16; i++) {
          hits[i] = input.f64();
          trials[i] = input.f64();
        }
      }),
    ],
  };
}
