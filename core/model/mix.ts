// The online ranker ("mix", docs/decisions/models.md): a softmax over the union of all candidates, linear in their
// features, learnt by cross-entropy. One set of weights that all steps share, by second-order steps (`newton.ts`), and what
// each session length and each of the visitor's tastes, as strong as it is, adds to it, by Adagrad (Duchi, Hazan, Singer
// 2011). It starts as the calibrated blend: weight 1 on its log chance.
//
// Progressive holdout: every step is ranked before it is learnt, by mix, by the calibrated blend and by each model
// alone. What would have ranked best lately, for sessions of this length, is what is served (`judge.ts`).
import { assert } from "../assert.ts";
import { exp2 } from "../math/exp2.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { featureLayout } from "./feature-layout.ts";
import { createNewtonSteps } from "./newton.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS } from "./situation.ts";
import { PER_MODEL, TASTES, type Union } from "./union.ts";

const LOG2_E = 1.4426950408889634;
const SHARED = LENGTH_BUCKETS; // Row of the weights that all steps share; before it those of each length, behind it of each taste.
const ROWS = LENGTH_BUCKETS + 1 + TASTES;
const OWN_RATE = 0.05; // Of what is not shared. Chosen on other data than is reported: docs/decisions/models.md.
const SQUARES_START = 0.01;
const KEEP = 0.9999; // Of a weight that is not shared with each step: what is not learnt again fades (L2).
const GENERAL_V1 = 16; // General features when rows did not say how many.
const ERROR_MIN = 1e-6;

export interface Mix {
  /** Log scores of the union's candidates, into `into`; -Infinity for those that are not described. */
  score(union: Union, lengthBucket: number, into: Float64Array): void;
  /** One step whose item is the described candidate `target` of the union. `scores` holds what `score` gave; it is overwritten. */
  learn(union: Union, lengthBucket: number, target: number, scores: Float64Array): void;
  /** Weight of each feature for the union's visitor, in order of its features. */
  weights(union: Pick<Union, "tastes">, lengthBucket: number): Float64Array;
  readonly tables: readonly WholeTable[];
}

export function createMix(modelCount: number): Mix {
  const layout = featureLayout(modelCount);
  const { width } = layout;
  const weights = new Float64Array(ROWS * width);
  const squares = new Float64Array(weights.length).fill(SQUARES_START); // The shared row has its spread instead.
  weights[SHARED * width + modelCount * PER_MODEL] = 1;
  const gradient = new Float64Array(width);
  const sum = new Float64Array(width);
  const newton = createNewtonSteps("mix_spread", layout);

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(4); // As 2; earlier releases do not know that the shared row's squares stand still (2), and no rows of tastes (3).
    layout.write(out);
    for (let j = row * width; j < (row + 1) * width; j++) {
      out.f64(weights[j]!);
      out.f64(squares[j]!);
    }
    return out.bytes();
  });

  const settle = ({ tastes }: Pick<Union, "tastes">, lengthBucket: number): Float64Array => {
    for (let j = 0; j < width; j++) sum[j] = weights[SHARED * width + j]! + weights[lengthBucket * width + j]!;
    for (let t = 0; t < TASTES; t++) {
      const taste = tastes[t]!;
      const from = (SHARED + 1 + t) * width;
      if (taste !== 0) for (let j = 0; j < width; j++) sum[j] = sum[j]! + taste * weights[from + j]!;
    }
    return sum;
  };

  /** What one row adds, as much of it as counted in the scores. */
  const moveOwn = (row: number, share: number): void => {
    dirty.touch(row);
    for (let j = 0, at = row * width; j < width; j++, at++) {
      const slope = gradient[j]! * share;
      if (slope !== 0) {
        squares[at] = squares[at]! + slope * slope;
        weights[at] = weights[at]! - (OWN_RATE * slope) / Math.sqrt(squares[at]!);
      }
      weights[at] = weights[at]! * KEEP;
    }
  };

  return {
    score(union, lengthBucket, into) {
      settle(union, lengthBucket);
      for (let i = 0; i < union.count; i++) into[i] = union.isDescribed[i] === 1 ? union.weigh(i, sum) : -Infinity;
    },
    learn(union, lengthBucket, target, scores) {
      assert(union.isDescribed[target] === 1, "the ranker learns from candidates that have features");
      toShares(scores, union.count);
      gradient.fill(0);
      for (let i = 0; i < union.count; i++) {
        const error = scores[i]! - (i === target ? 1 : 0);
        if (error < ERROR_MIN && error > -ERROR_MIN) continue;
        union.addTo(gradient, i, error);
      }
      dirty.touch(SHARED);
      newton.step(gradient, weights, SHARED * width);
      moveOwn(lengthBucket, 1);
      for (let t = 0; t < TASTES; t++) if (union.tastes[t] !== 0) moveOwn(SHARED + 1 + t, union.tastes[t]!);
    },
    weights: (union, lengthBucket) => settle(union, lengthBucket).slice(),
    tables: [
      slotTable("mix", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        const version = input.version(4);
        const stored = layout.read(input, version === 1 ? GENERAL_V1 : undefined);
        for (let j = 0; j < stored.width; j++) {
          const place = stored.placeOf(j);
          weights[row * width + place] = input.f64();
          squares[row * width + place] = input.f64();
          if (row === SHARED) newton.begin(place, squares[row * width + place]! - SQUARES_START);
        }
      }),
      newton.table,
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
