// The calibrated blend ("cal", research/relevance.md): how often is the item at this place of this model's list the one
// that comes next? Counted by model, rank bucket, length of the session and whether the item was in it already;
// the models' chances are put together as if independent: 1 − Π(1 − p), the same order as Σ −log(1 − p).
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { SnapshotSource } from "../wire/dirty-rows.ts";
import { LIST_MAX } from "./config.ts";
import type { CandidateList, ScoreSheet } from "./candidates.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS, type Situation } from "./situation.ts";

/** First rank (0-based) of each bucket. */
const BUCKET_STARTS = [0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50];
const RANK_BUCKETS = BUCKET_STARTS.length;
const BUCKET_OF_RANK = (() => {
  const buckets = new Uint8Array(LIST_MAX);
  for (let rank = 0; rank < LIST_MAX; rank++) buckets[rank] = BUCKET_STARTS.findLastIndex((start) => start <= rank);
  return buckets;
})();
const TRIALS_MAX = 1 << 20; // Then both counters are halved, so the blend follows a site that changes.
const PRIOR_TRIALS = 50;
const CHANCE_MAX = 0.98;

export interface Blend {
  /** Counts one step: what the models listed before it, and the item that it revealed. */
  learn(lists: readonly CandidateList[], situation: Situation, target: number): void;
  /** Puts the chance of every candidate of any list into an empty sheet. */
  score(lists: readonly CandidateList[], situation: Situation, sheet: ScoreSheet): void;
  /** Chance that a model's list alone gives to a rank. */
  chance(model: number, rank: number, situation: Situation, isOwn: boolean): number;
  /** Steps learnt from. */
  readonly samples: number;
  readonly tables: readonly SnapshotSource[];
}

export function createBlend(modelCount: number): Blend {
  const cells = modelCount * RANK_BUCKETS * LENGTH_BUCKETS * 2;
  const hits = new Float64Array(cells);
  const trials = new Float64Array(cells);
  const chances = new Float64Array(RANK_BUCKETS * 2);
  let own = new Uint8Array(1024);
  let samples = 0;

  const dirty = new DirtySlots(() => {
    const out = rowWriter(9 + cells * 16);
    out.u8(1);
    out.f64(samples);
    for (let i = 0; i < cells; i++) {
      out.f64(hits[i]!);
      out.f64(trials[i]!);
    }
    return out.bytes();
  });

  const cellOf = (model: number, bucket: number, length: number, isOwn: number): number =>
    ((model * LENGTH_BUCKETS + length) * RANK_BUCKETS + bucket) * 2 + isOwn;

  const chanceOf = (cell: number, bucket: number): number => {
    // Before anything is learnt: falling with the rank, the same for all models.
    const prior = 0.05 / (1 + BUCKET_STARTS[bucket]!);
    const chance = (hits[cell]! + prior * PRIOR_TRIALS) / (trials[cell]! + PRIOR_TRIALS);
    return chance > CHANCE_MAX ? CHANCE_MAX : chance;
  };

  const mark = ({ trail, trailLength }: Situation, value: 0 | 1): void => {
    for (let i = 0; i < trailLength; i++) own[trail[i]!] = value;
  };

  const reserve = (sheetLength: number): void => {
    if (own.length < sheetLength) own = new Uint8Array(sheetLength);
  };

  return {
    get samples() {
      return samples;
    },
    learn(lists, situation, target) {
      dirty.touch(0);
      samples++;
      let slotMax = 0;
      for (let i = 0; i < situation.trailLength; i++) slotMax = Math.max(slotMax, situation.trail[i]!);
      reserve(slotMax + 1);
      mark(situation, 1);
      for (let model = 0; model < lists.length; model++) {
        const { slots, length } = lists[model]!;
        for (let rank = 0; rank < length; rank++) {
          const slot = slots[rank]!;
          const cell = cellOf(model, BUCKET_OF_RANK[rank]!, situation.lengthBucket, own[slot] === 1 ? 1 : 0);
          if (trials[cell]! >= TRIALS_MAX) {
            trials[cell] = trials[cell]! / 2;
            hits[cell] = hits[cell]! / 2;
          }
          trials[cell] = trials[cell]! + 1;
          if (slot === target) hits[cell] = hits[cell]! + 1;
        }
      }
      mark(situation, 0);
    },
    score(lists, situation, sheet) {
      reserve(sheet.scores.length);
      mark(situation, 1);
      const { scores, touched } = sheet;
      let count = 0;
      for (let model = 0; model < lists.length; model++) {
        for (let bucket = 0; bucket < RANK_BUCKETS; bucket++) {
          const cell = cellOf(model, bucket, situation.lengthBucket, 0);
          chances[2 * bucket] = 1 - chanceOf(cell, bucket);
          chances[2 * bucket + 1] = 1 - chanceOf(cell + 1, bucket);
        }
        const { slots, length } = lists[model]!;
        for (let rank = 0; rank < length; rank++) {
          const slot = slots[rank]!;
          const miss = chances[2 * BUCKET_OF_RANK[rank]! + own[slot]!]!;
          if (scores[slot] === 0) {
            touched[count++] = slot;
            scores[slot] = miss;
          } else {
            scores[slot] = scores[slot]! * miss;
          }
        }
      }
      for (let i = 0; i < count; i++) scores[touched[i]!] = 1 - scores[touched[i]!]!;
      sheet.count = count;
      mark(situation, 0);
    },
    chance: (model, rank, situation, isOwn) => {
      const bucket = BUCKET_OF_RANK[rank]!;
      return chanceOf(cellOf(model, bucket, situation.lengthBucket, isOwn ? 1 : 0), bucket);
    },
    tables: [
      slotTable("blend", dirty, (_row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        samples = input.f64();
        for (let i = 0; i < cells && input.left() >= 16; i++) {
          hits[i] = input.f64();
          trials[i] = input.f64();
        }
      }),
    ],
  };
}
