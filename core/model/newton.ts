// Second-order steps for one row of weights: an online Newton step (Hazan, Agarwal, Kale 2007), seen as a Kalman filter.
// What is known of the weights is a mean and a covariance, the spread. A sample's gradient g stands for the curvature too
// (g gᵀ, the empirical Fisher information): the spread shrinks where samples have spoken, and directions that few of them
// moved keep their large steps. Models say nearly the same as each other, and a rate for each weight (Adagrad) goes along
// the narrow valleys between them slowly. With every sample the spread grows a little again: a site changes.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import type { FeatureLayout } from "./feature-layout.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

const SPREAD_START = 0.1; // Chosen, as GROWTH, on other data than is reported: docs/decisions/models.md.
const GROWTH = 1e-5;

export interface NewtonSteps {
  /** One sample: moves the weights from `from` on against its gradient. */
  step(gradient: Float64Array, weights: Float64Array, from: number): void;
  /** Weights of a release that kept each one's sum of squared slopes alone: how much samples had told of it. */
  begin(place: number, squares: number): void;
  readonly table: WholeTable;
}

export function createNewtonSteps(name: string, layout: FeatureLayout): NewtonSteps {
  const { width } = layout;
  /** Symmetric, so of a row only what lies from the diagonal on is kept and stored. */
  const spread = new Float32Array(width * width);
  const gains = new Float64Array(width);
  let isLoaded = false;
  for (let j = 0; j < width; j++) spread[j * width + j] = SPREAD_START;

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(1);
    layout.write(out);
    for (let at = row * (width + 1); at < (row + 1) * width; at++) out.f32(spread[at]!);
    return out.bytes();
  });

  /** `gains` becomes the spread times the gradient; the answer is gradient · gains. */
  const measure = (gradient: Float64Array): number => {
    gains.fill(0);
    for (let j = 0; j < width; j++) {
      const slope = gradient[j]!;
      let at = j * (width + 1);
      let gain = gains[j]! + spread[at++]! * slope;
      for (let k = j + 1; k < width; k++, at++) {
        gain += spread[at]! * gradient[k]!;
        gains[k] = gains[k]! + spread[at]! * slope;
      }
      gains[j] = gain;
    }
    let all = 0;
    for (let j = 0; j < width; j++) all += gains[j]! * gradient[j]!;
    return all;
  };

  const shrink = (share: number): void => {
    for (let j = 0; j < width; j++) {
      const part = gains[j]! * share;
      if (part === 0) continue;
      for (let k = j, at = j * (width + 1); k < width; k++, at++) spread[at] = spread[at]! - part * gains[k]!;
    }
  };

  return {
    step(gradient, weights, from) {
      for (let j = 0, at = 0; j < width; j++, at += width + 1) {
        dirty.touch(j);
        if (spread[at]! < SPREAD_START) spread[at] = spread[at]! + GROWTH;
      }
      const share = 1 / (1 + measure(gradient));
      shrink(share);
      for (let j = 0; j < width; j++) weights[from + j] = weights[from + j]! - share * gains[j]!;
    },
    begin(place, squares) {
      if (!isLoaded) spread[place * width + place] = 1 / (1 / SPREAD_START + squares);
    },
    table: slotTable(name, dirty, (row, bytes) => {
      const input = rowReader(bytes);
      input.version(1);
      const stored = layout.read(input);
      if (!isLoaded) {
        isLoaded = true;
        spread.fill(0);
        for (let j = 0; j < width; j++) spread[j * width + j] = SPREAD_START;
      }
      const from = stored.placeOf(row) * width;
      for (let j = row; j < stored.width; j++) spread[from + stored.placeOf(j)] = input.f32();
    }),
  };
}
