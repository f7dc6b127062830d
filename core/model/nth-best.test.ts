import { equal } from "node:assert/strict";
import { test } from "node:test";
import { nthBest } from "./nth-best.ts";

test("the n-th largest is where sorting puts it, with ties, runs and numbers in order", () => {
  let lot = 7;
  const draw = (below: number): number => (lot = (Math.imul(lot, 1_103_515_245) + 12_345) >>> 1) % below;
  for (let round = 0; round < 300; round++) {
    const count = 1 + draw(200);
    const range = 1 + draw(round % 2 === 0 ? 4 : 1_000);
    const values = Float64Array.from({ length: count + 5 }, () => draw(range) / 7);
    if (round % 5 === 0) values.sort();
    const before = values.slice();
    const sorted = [...values.subarray(0, count)].sort((a, b) => b - a);
    for (const n of [1, 1 + draw(count), count]) equal(nthBest(values, count, n), sorted[n - 1]);
    equal(values.join(), before.join());
  }
});
