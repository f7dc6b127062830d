import assert from "node:assert/strict";
import { test } from "node:test";
import { plotTimes, strengthAt, type HistoryInput } from "./interest-history.ts";

const HOUR_MS = 3_600_000;
const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

/** Two lamps and a chair within three hours, a half-life of an hour: the fold's own sums. */
const input: HistoryInput = {
  halfLifeMs: HOUR_MS,
  nowMs: 3 * HOUR_MS,
  knownSinceMs: -Infinity,
  firstSeenMs: HOUR_MS,
  interactions: [
    { timeMs: HOUR_MS, categories: ["lamps"], weight: 4 },
    { timeMs: 2 * HOUR_MS, categories: ["lamps"], weight: 2 },
    { timeMs: 2 * HOUR_MS, categories: ["chairs"], weight: 6 },
  ],
  shares: { lamps: 0.4, chairs: 0.6 },
  engagement: 1 + 1 + 3,
};

test("it gives back the fold's own course: nothing before, a rise with each interaction, decay between", () => {
  close(strengthAt(input, "lamps", HOUR_MS - 1), 0);
  close(strengthAt(input, "lamps", HOUR_MS), 4);
  close(strengthAt(input, "lamps", 1.5 * HOUR_MS), 4 * Math.SQRT1_2);
  close(strengthAt(input, "lamps", 2 * HOUR_MS), 4);
  close(strengthAt(input, "lamps", 3 * HOUR_MS), 2);
  close(strengthAt(input, "chairs", 3 * HOUR_MS), 3);
});

test("now it is the share of the engagement score, whatever the interactions explain", () => {
  const none = { ...input, interactions: [], firstSeenMs: -Infinity };
  close(strengthAt(none, "lamps", none.nowMs), 2);
  close(strengthAt(none, "lamps", none.nowMs - HOUR_MS), 4);
  const less = { ...input, engagement: 1 };
  close(strengthAt(less, "lamps", less.nowMs), 0.4);
  close(strengthAt(input, "books", input.nowMs), 0);
});

test("plot times end now and hold the moments of the interactions", () => {
  const times = plotTimes(input, { spanMs: 1.5 * HOUR_MS, steps: 3 });
  assert.deepEqual(
    times,
    [1.5, 2 - 1 / HOUR_MS, 2, 2.5, 3].map((hours) => Math.round(hours * HOUR_MS)),
  );
});

test("what is not listed rose with the looks it followed, or when the person came, and never before", () => {
  const more = { ...input, engagement: 10 };
  close(strengthAt(more, "lamps", HOUR_MS - 1), 0);
  close(strengthAt(more, "lamps", HOUR_MS), 8);
  close(strengthAt(more, "lamps", more.nowMs), 4);
  const unseen = { ...input, interactions: [] };
  close(strengthAt(unseen, "lamps", HOUR_MS - 1), 0);
  close(strengthAt(unseen, "lamps", HOUR_MS), 8);
  assert.deepEqual(
    plotTimes(unseen, { spanMs: 4 * HOUR_MS, steps: 1 }),
    [-HOUR_MS, HOUR_MS - 1, HOUR_MS, 3 * HOUR_MS],
  );
});

test("of a list that is cut, what it does not explain was there before", () => {
  const cut = { ...input, engagement: 10, knownSinceMs: HOUR_MS };
  close(strengthAt(cut, "lamps", HOUR_MS), 12);
  close(strengthAt(cut, "lamps", cut.nowMs), 4);
});

test("nothing is said about the time before the oldest interaction of a list that is cut", () => {
  const times = plotTimes({ ...input, knownSinceMs: 2 * HOUR_MS }, { spanMs: 3 * HOUR_MS, steps: 2 });
  assert.deepEqual(times, [2 * HOUR_MS, 2.5 * HOUR_MS, 3 * HOUR_MS]);
});
