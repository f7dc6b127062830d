import assert from "node:assert/strict";
import { test } from "node:test";
import { durationMs, formatCounted, formatMoney, formatSpan, initialOf } from "./format.ts";

test("durations are read as the program writes them", () => {
  assert.deepEqual(["30s", "10m", "2h", "3d", "x", undefined].map(durationMs), [
    30_000,
    600_000,
    7_200_000,
    259_200_000,
    undefined,
    undefined,
  ]);
});

test("they are shown as any other length of time, and what is none stays as it is", () => {
  assert.deepEqual(["90s", "10m", "36h", "395d", "until it is revoked"].map(formatSpan), [
    "1 min 30 s",
    "10 min",
    "1 d 12 h",
    "395 d",
    "until it is revoked",
  ]);
});

test("one is not many", () => {
  assert.deepEqual([0, 1, 2, 1204].map((count) => formatCounted(count, "event")), [
    "0 events",
    "1 event",
    "2 events",
    "1,204 events",
  ]);
});

test("money keeps its cents", () => {
  assert.deepEqual([0, 49, 129.9, 1234567.891, -0.5].map(formatMoney), ["0", "49", "129.90", "1,234,567.89", "-0.50"]);
});

test("a name's initial is a letter or digit of it; signs of two code units are not cut in half", () => {
  assert.deepEqual(["elv mug", "👩‍👧 tent", "<b>", "كرسي", "🏕️", "  ", ""].map(initialOf), [
    "E",
    "T",
    "B",
    "ك",
    "🏕",
    "",
    "",
  ]);
});
