// The online ranker ("mix", research/relevance.md): a softmax over the union of all candidates, linear in their
// features, learnt by cross-entropy with Adagrad (Duchi, Hazan, Singer 2011). One set of weights that all steps share,
// and what each session length adds to it. It starts as the calibrated blend: weight 1 on its log chance.
//
// Progressive holdout: every step is ranked before it is learnt, by mix, by the calibrated blend and by each model
// alone. What would have ranked best lately, for sessions of this length, is what is served (`judge.ts`).
import { exp2 } from "../math/exp2.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { SnapshotSource } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS } from "./situation.ts";
import { GENERAL, PER_MODEL, type Union } from "./union.ts";

const LOG2_E = 1.4426950408889634;
const SHARED = LENGTH_BUCKETS; // Row of the weights that all session lengths share.
const SHARED_RATE = 0.2; // Chosen on other data than is reported: docs/decisions/models.md.
const LENGTH_RATE = 0.05;
const SQUARES_START = 0.01;
const KEEP = 0.9999; // Of a length's own weight with each step: what is not learnt again fades (L2).
const GENERAL_V1 = 16; // General features when rows did not say how many.
const ERROR_MIN = 1e-6;

export interface Mix {
  /** Log scores of the union's candidates, into `into`; -Infinity for those that are not described. */
  score(union: Union, lengthBucket: number, into: Float64Array): void;
  /** One step whose item is the described candidate `target` of the union. `scores` holds what `score` gave; it is overwritten. */
  learn(union: Union, lengthBucket: number, target: number, scores: Float64Array): void;
  /** Weight of each feature for one session length, in order of `union`'s features. */
  weights(lengthBucket: number): Float64Array;
  readonly tables: readonly SnapshotSource[];
}

export function createMix(modelCount: number): Mix {
  const width = modelCount * PER_MODEL + GENERAL;
  const weights = new Float64Array((LENGTH_BUCKETS + 1) * width);
  const squares = new Float64Array(weights.length).fill(SQUARES_START);
  weights[SHARED * width + modelCount * PER_MODEL] = 1;
  const gradient = new Float64Array(width);
  const sum = new Float64Array(width);

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(2);
    out.i32(modelCount);
    out.i32(GENERAL);
    for (let j = row * width; j < (row + 1) * width; j++) {
      out.f64(weights[j]!);
      out.f64(squares[j]!);
    }
    return out.bytes();
  });

  const settle = (lengthBucket: number): Float64Array => {
    for (let j = 0; j < width; j++) sum[j] = weights[SHARED * width + j]! + weights[lengthBucket * width + j]!;
    return sum;
  };

  const move = (row: number, rate: number): void => {
    dirty.touch(row);
    for (let j = 0, at = row * width; j < width; j++, at++) {
      const slope = gradient[j]!;
      if (slope === 0) continue;
      squares[at] = squares[at]! + slope * slope;
      weights[at] = weights[at]! - (rate * slope) / Math.sqrt(squares[at]!);
    }
  };

  return {
    score(union, lengthBucket, into) {
      settle(lengthBucket);
      for (let i = 0; i < union.count; i++) into[i] = union.isDescribed[i] === 1 ? union.weigh(i, sum) : -Infinity;
    },
    learn(union, lengthBucket, target, scores) {
      toShares(scores, union.count);
      gradient.fill(0);
      for (let i = 0; i < union.count; i++) {
        const error = scores[i]! - (i === target ? 1 : 0);
        if (error < ERROR_MIN && error > -ERROR_MIN) continue;
        union.addTo(gradient, i, error);
      }
      move(SHARED, SHARED_RATE);
      move(lengthBucket, LENGTH_RATE);
      for (let j = lengthBucket * width; j < (lengthBucket + 1) * width; j++) weights[j] = weights[j]! * KEEP;
    },
    weights: (lengthBucket) => settle(lengthBucket).slice(),
    tables: [
      slotTable("mix", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        const version = input.version(2);
        const models = input.i32();
        const general = version === 1 ? GENERAL_V1 : input.i32();
        // A row of a release with fewer models and features: the models' come first, then the general ones.
        for (let j = 0; j < models * PER_MODEL + general; j++) {
          const place = j < models * PER_MODEL ? j : j + (modelCount - models) * PER_MODEL;
          weights[row * width + place] = input.f64();
          squares[row * width + place] = input.f64();
        }
      }),
    ],
  };
}

/** Log scores to shares that sum to 1. */
export function toShares(scores: Float64Array, count: number): void {
  let best = -Infinity;
  for (let i = 0; i < count; i++) if (scores[i]! > best) best = scores[i]!;
  let all = 0;
  for (let i = 0; i < count; i++) all += scores[i] = exp2((scores[i]! - best) * LOG2_E);
  for (let i = 0; i < count; i++) scores[i] = scores[i]! / all;
}
