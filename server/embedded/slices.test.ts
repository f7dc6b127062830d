import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { slices } from "./slices.ts";

/** Lengths of the slices after turns of these lengths, ms. */
async function lengthsAfter(turnsMs: readonly number[], ms = 1): Promise<number[]> {
  let nowMs = 0;
  let turnMs = 0;
  const slice = slices(ms, () => nowMs, async () => void (nowMs += turnMs));
  const lengths = [];
  for (turnMs of turnsMs) {
    await slice.next();
    const startMs = nowMs;
    while (!slice.isOver()) nowMs += 0.5;
    lengths.push(nowMs - startMs);
  }
  return lengths;
}

test("a slice is 1 ms, an eighth of a long turn, and never more than 50 ms", async () => {
  deepEqual(await lengthsAfter([0, 8, 12, 80, 400, 5_000, 1]), [1, 1, 1.5, 10, 50, 50, 1]);
});

test("a slice of no length stays one, so that a test has its rows one a turn", async () => {
  deepEqual(await lengthsAfter([80, 5_000], 0), [0, 0]);
});
