import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../core/testing/seeds.ts";
import { Histogram, Timing } from "./timings.ts";

test("a quantile is at most 9 % above the one of the sorted values", () => {
  forEachSeed(50, (rng) => {
    const histogram = new Histogram();
    const values = Array.from({ length: rng.between(1, 500) }, () => rng.between(1, 5_000_000) / 1_000);
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    for (const quantile of [0.01, 0.5, 0.99, 1]) {
      const exact = values[Math.ceil(values.length * quantile) - 1]!;
      const shown = histogram.quantileMs(quantile)!;
      ok(shown >= exact * 0.999 - 0.001 && shown <= exact * 1.0906 + 0.001, `${quantile}: ${shown} for ${exact}`);
    }
  });
});

test("nothing measured has no quantile; zero and a day are in the outermost buckets", () => {
  const histogram = new Histogram();
  equal(histogram.quantileMs(0.5), null);
  histogram.record(0);
  histogram.record(86_400_000);
  equal(histogram.count, 2);
  equal(histogram.countUpTo(0.01), 1);
});

test("the last minute forgets what is older than twelve steps, all time does not", () => {
  const timing = new Timing();
  timing.record(5);
  for (let i = 0; i < 12; i++) timing.step();
  equal(timing.lastMinute().count, 1);
  timing.step();
  equal(timing.lastMinute().count, 0);
  equal(timing.allTime().count, 1);
});
