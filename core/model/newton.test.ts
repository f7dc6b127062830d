// Second-order steps: few samples find weights of features that say nearly the same; a restored spread is the one that was
// written; rows of releases with fewer models and features find their places, and weights that were learnt stay.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { exp2 } from "../math/exp2.ts";
import { forEachSeed } from "../testing/seeds.ts";
import type { Rng } from "../math/rng.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { featureLayout, type FeatureLayout } from "./feature-layout.ts";
import { createMix } from "./mix.ts";
import { createNewtonSteps } from "./newton.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS } from "./situation.ts";
import { GENERAL, PER_MODEL, TASTES } from "./union.ts";

type Row = [key: number, bytes: Uint8Array];

function rowsOf(source: WholeTable): Row[] {
  const rows: Row[] = [];
  source.begin();
  source.take(1e9, (key, bytes) => rows.push([key as number, bytes!.slice()]));
  return rows.sort(([a], [b]) => a - b);
}

const uniform = (rng: Rng): number => rng.between(0, 1_000_000) / 1_000_000;

const chance = (score: number): number => 1 / (1 + exp2(-score));
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, j) => sum + value * b[j]!, 0);

test("features that nearly agree are told apart in some hundred samples, and better than by a rate for each", () => {
  const layout = featureLayout(2);
  const { width } = layout;
  let [byNewton, byRates] = [0, 0];
  forEachSeed(3, (rng) => {
    const wanted = Float64Array.from({ length: width }, () => 4 * uniform(rng) - 2);
    const newton = createNewtonSteps("spread", layout);
    const [weights, plain] = [new Float64Array(width), new Float64Array(width)];
    const squares = new Float64Array(width).fill(0.01);
    for (let i = 0; i < 1_200; i++) {
      const shared = 2 * uniform(rng);
      const features = Float64Array.from({ length: width }, () => shared + uniform(rng) - 0.5);
      const truth = chance(dot(wanted, features));
      const hit = uniform(rng) < truth ? 1 : 0;
      if (i >= 800) {
        byNewton += Math.abs(chance(dot(weights, features)) - truth);
        byRates += Math.abs(chance(dot(plain, features)) - truth);
      }
      const slopes = features.map((value) => value * (chance(dot(plain, features)) - hit));
      for (let j = 0; j < width; j++) {
        squares[j] = squares[j]! + slopes[j]! * slopes[j]!;
        plain[j] = plain[j]! - (0.2 * slopes[j]!) / Math.sqrt(squares[j]!);
      }
      const error = chance(dot(weights, features)) - hit;
      newton.step(features.map((value) => value * error), weights, 0);
    }
  });
  ok(byNewton < 0.9 * byRates, `${byNewton} against ${byRates}`);
});

test("a spread that was written and read goes on as the one that was not", () => {
  const layout = featureLayout(3);
  forEachSeed(3, (rng) => {
    const slopeOf = (): Float64Array => Float64Array.from({ length: layout.width }, () => uniform(rng) - 0.5);
    const slopes = Array.from({ length: 300 }, slopeOf);
    const whole = createNewtonSteps("spread", layout);
    const weights = new Float64Array(layout.width);
    for (const slope of slopes.slice(0, 150)) whole.step(slope, weights, 0);
    const restored = createNewtonSteps("spread", layout);
    for (const [key, bytes] of rowsOf(whole.table)) restored.table.load(key, bytes);
    const restoredWeights = weights.slice();
    restored.begin(0, 1e9); // What squares say counts for nothing where the spread is there.
    for (const slope of slopes.slice(150)) {
      whole.step(slope, weights, 0);
      restored.step(slope, restoredWeights, 0);
    }
    deepEqual(restoredWeights, weights);
    deepEqual(rowsOf(restored.table), rowsOf(whole.table));
  });
});

test("a spread of fewer models and features keeps what it knew at the places of today", () => {
  const now = featureLayout(3);
  const general = GENERAL - 4;
  const oldWidth = 2 * PER_MODEL + general;
  const old: FeatureLayout = {
    ...now,
    width: oldWidth,
    write(out) {
      out.i32(2);
      out.i32(general);
    },
  };
  const before = createNewtonSteps("spread", old);
  const weights = new Float64Array(oldWidth);
  const slopes = (k: number): Float64Array => Float64Array.from({ length: oldWidth }, (_, j) => ((j + k) % 5) - 2);
  for (let k = 0; k < 50; k++) before.step(slopes(k), weights, 0);
  const after = createNewtonSteps("spread", now);
  const stored = rowsOf(before.table);
  for (const [key, bytes] of stored) after.table.load(key, bytes);
  after.step(new Float64Array(now.width), new Float64Array(now.width), 0); // Nothing was learnt, all rows are written.
  /** Of a row, from its diagonal on. */
  const valuesOf = (row: number, bytes: Uint8Array): number[] => {
    const input = rowReader(bytes);
    input.version(1);
    const { width } = now.read(input);
    return Array.from({ length: width - row }, () => input.f32());
  };
  const written = new Map(rowsOf(after.table).map(([key, bytes]) => [key, valuesOf(key, bytes)]));
  equal(written.size, now.width);
  const place = (j: number): number => (j < 2 * PER_MODEL ? j : j + PER_MODEL);
  for (const [key, bytes] of stored) {
    for (const [k, value] of valuesOf(key, bytes).entries()) {
      const found = written.get(place(key))![place(key + k) - place(key)]!;
      ok(Math.abs(found - value) <= 1.1e-5, `${key}, ${key + k}: grown by one sample at most`);
    }
  }
  equal(written.get(2 * PER_MODEL)![0], Math.fround(0.1), "what is new begins unknown");
});

test("rows of releases that learnt by Adagrad alone keep their weights, and those that had been learnt move little", () => {
  for (const [version, general] of [[1, 16], [2, 22], [3, 26]] as const) {
    const mix = createMix(2);
    const out = rowWriter();
    out.u8(version);
    out.i32(1);
    if (version > 1) out.i32(general);
    for (let j = 0; j < PER_MODEL + general; j++) {
      out.f64(j + 1);
      out.f64(10_000);
    }
    const [table, spread] = mix.tables;
    table!.load(LENGTH_BUCKETS, out.bytes().slice());
    const weights = mix.weights({ tastes: new Float64Array(TASTES) }, 0);
    deepEqual([...weights.subarray(0, PER_MODEL)], [1, 2, 3, 4]);
    deepEqual([...weights.subarray(PER_MODEL, 2 * PER_MODEL)], [0, 0, 0, 0], "a model that was not there");
    const found = [...weights.subarray(2 * PER_MODEL, 2 * PER_MODEL + general)];
    deepEqual(found, Array.from({ length: general }, (_, j) => j + 1 + PER_MODEL));
    equal(spread!.table, "mix_spread");
  }
  const layout = featureLayout(1);
  const newton = createNewtonSteps("spread", layout);
  newton.begin(0, 10_000);
  const weights = new Float64Array(layout.width);
  newton.step(new Float64Array(layout.width).fill(1), weights, 0);
  ok(Math.abs(weights[0]!) < 0.01 * Math.abs(weights[1]!), `${weights[0]} against ${weights[1]}`);
});
