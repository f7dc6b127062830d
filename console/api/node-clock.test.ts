// The difference of two clocks, from headers that are cut to the second.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createNodeClock } from "./node-clock.ts";

const NOON_MS = Date.parse("2026-03-01T12:00:00Z");
const HOUR_MS = 3_600_000;
const headerAt = (timeMs: number): string => new Date(timeMs).toUTCString();

test("a clock that agrees within what a header can tell is left alone", () => {
  const clock = createNodeClock();
  for (let askedMs = NOON_MS; askedMs < NOON_MS + 5000; askedMs += 170) {
    clock.hear(headerAt(askedMs + 20), askedMs, askedMs + 40);
    assert.equal(clock.at(NOON_MS), NOON_MS);
  }
});

test("a browser an hour ahead or behind is told the node's time to within a second, and better with each answer", () => {
  for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
    const clock = createNodeClock();
    let mostWrongMs = 1000;
    for (let nodeMs = NOON_MS; nodeMs < NOON_MS + 20_000; nodeMs += 730) {
      clock.hear(headerAt(nodeMs), nodeMs - 15 + aheadMs, nodeMs + 15 + aheadMs);
      const wrongMs = Math.abs(clock.at(nodeMs + aheadMs) - nodeMs);
      assert.ok(wrongMs <= mostWrongMs + 15, `${wrongMs} ms after ${mostWrongMs} ms`);
      mostWrongMs = wrongMs;
    }
    assert.ok(mostWrongMs < 100, `${mostWrongMs} ms`);
  }
});

test("a clock that is set right while the page is open is followed; an answer without a time changes nothing", () => {
  const clock = createNodeClock();
  clock.hear(headerAt(NOON_MS), NOON_MS + HOUR_MS, NOON_MS + HOUR_MS + 10);
  clock.hear(null, 0, 0);
  assert.ok(Math.abs(clock.at(NOON_MS + HOUR_MS) - NOON_MS) <= 1000);
  clock.hear(headerAt(NOON_MS), NOON_MS, NOON_MS + 10);
  assert.ok(Math.abs(clock.at(NOON_MS) - NOON_MS) <= 1000);
});
