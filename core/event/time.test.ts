import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { formatTimestamp, parseTimestamp } from "./time.ts";

test("ISO 8601 with a zone, as Date reads it", () => {
  for (const text of [
    "2026-01-31T23:59:59Z",
    "2026-01-31T23:59:59.5Z",
    "2026-01-31T23:59:59.123Z",
    "2024-02-29T00:00:00Z",
    "2000-02-29T12:00:00+05:30",
    "2026-01-31T00:00Z",
    "1970-01-01T00:00:00.000Z",
    "2026-12-31T23:59:59-11:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
  ])
    equal(parseTimestamp(text), Date.parse(text), text);
});

test("the forms that Date is stricter about", () => {
  const noon = Date.parse("2026-01-31T12:00:00Z");
  for (const text of [
    "2026-01-31 12:00:00Z",
    "2026-01-31t12:00:00z",
    "2026-01-31T14:00:00+0200",
    "2026-01-31T14:00:00+02",
    "2026-01-31T12:00:00,0Z",
    "2026-01-31T11:59:60Z",
    "2026-01-31T12:00:00.0009999999Z",
  ])
    equal(parseTimestamp(text), noon, text);
  deepEqual([parseTimestamp(1.9), parseTimestamp(-0.5), parseTimestamp(0)], [1, -1, 0]);
});

test("everything else is refused", () => {
  for (const raw of [
    "",
    "now",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:61Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00Z ",
    "2026-01-01T00:00:00+1",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+02:0",
    "2026-01-01T00:00:00+02:00x",
    "+026-01-01T00:00:00Z",
    "2026-01-01T00:00:00UTC",
    "2026/01/01T00:00:00Z",
    NaN,
    Infinity,
    1e17,
    null,
    undefined,
    true,
    {},
    [],
    5n,
  ])
    ok(Number.isNaN(parseTimestamp(raw)), String(raw));
});

test("writing is Date's, and reading takes it back", () => {
  forEachSeed(2000, (rng) => {
    const timeMs = rng.between(0, 4_000_000_000) * 1000 + rng.between(0, 999) - 60_000_000_000_000 * rng.between(0, 1);
    equal(formatTimestamp(timeMs), new Date(timeMs).toISOString());
    equal(parseTimestamp(formatTimestamp(timeMs)), timeMs);
  });
});
