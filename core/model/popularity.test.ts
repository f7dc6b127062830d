// The most popular items, against all counts put in order: whatever leaves, and where many count the same.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { createDecayClock } from "./decay-clock.ts";
import { createPopularity, POPULAR_MAX } from "./popularity.ts";
import { createSituation } from "./situation.ts";

test("the best are those of all counts in order, by slot where they are equal, whoever left", () => {
  forEachSeed(6, (rng) => {
    const popularity = createPopularity(createDecayClock(86_400_000), { name: "popularity" });
    const situation = createSituation();
    const slots = POPULAR_MAX * rng.between(1, 4) + rng.between(0, 1);
    const counts = new Float64Array(slots);
    // In one moment nothing decays: counts are whole, and many are equal.
    const reveal = (slot: number) => ({ slot, ref: slot, timeMs: 0, weight: 1, isRepeat: false, sessionNumber: 0 });
    const expected = (): number[] =>
      Array.from(counts.keys()).filter((slot) => counts[slot]! > 0)
        .sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, POPULAR_MAX);
    for (let turn = 0; turn < 8; turn++) {
      for (let n = rng.between(1, 2 * slots); n > 0; n--) {
        const slot = rng.between(0, slots - 1);
        popularity.learn(reveal(slot), situation);
        counts[slot]!++;
      }
      for (let n = rng.between(0, 20); n > 0; n--) {
        const slot = rng.between(0, 3) === 0 ? rng.between(0, slots - 1) : expected()[rng.between(0, 9)]!;
        if (rng.between(0, 1) === 0) {
          popularity.forget(slot);
          counts[slot] = 0;
        } else {
          popularity.turnAway!(reveal(slot), situation);
          counts[slot] = Math.max(0, counts[slot]! - 1);
        }
      }
      deepEqual(Array.from(popularity.popular()).slice(0, popularity.popularCount), expected());
    }
  });
});
