import assert from "node:assert/strict";
import { test } from "node:test";
import { durationMs, formatAgo, formatCounted, formatDuration, formatMoney, formatNumber, formatShare, formatShares, formatShort, formatSpan, initialOf } from "./format.ts";

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
  assert.deepEqual(["90s", "10m", "36h", "395d", "5794d", "until it is revoked"].map(formatSpan), [
    "1 min 30 s",
    "10 min",
    "1 d 12 h",
    "395 d",
    "5,794 d",
    "until it is revoked",
  ]);
});

test("numbers show three digits, or all of a whole number's", () => {
  assert.deepEqual([0.001, 0.4249, 12.34, 123.4, 999.97, 1204, 1204.5, -12].map(formatNumber), [
    "0.001",
    "0.42",
    "12.3",
    "123",
    "1,000",
    "1,204",
    "1,205",
    "-12",
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

test("a count in few characters is grouped like any other", () => {
  assert.deepEqual([0.25, 999, 1000, 5781, 9999, 12_345, 3_400_000].map(formatShort), [
    "0.25",
    "999",
    "1,000",
    "5,781",
    "9,999",
    "12.3k",
    "3.4M",
  ]);
});

test("a share that is nearly all is not shown as all", () => {
  assert.deepEqual([0, 0.025, 0.34, 0.991, 0.996, 0.99999, 1, 1.2].map(formatShare), [
    "0\u00a0%",
    "2.5\u00a0%",
    "34\u00a0%",
    "99.1\u00a0%",
    "99.6\u00a0%",
    "99.9\u00a0%",
    "100\u00a0%",
    "120\u00a0%",
  ]);
});

test("the ends of a narrow interval of shares are told apart", () => {
  assert.deepEqual(
    [
      [0.1, 0.34],
      [0.0251, 0.0312],
      [0.0996, 0.1052],
      [0.341, 0.343],
      [0.0999, 0.1001],
      [0.02461, 0.02466],
    ].map(([low, high]) => formatShares({ low: low!, high: high! })),
    ["10\u00a0% to 34\u00a0%", "2.5\u00a0% to 3.1\u00a0%", "10.0\u00a0% to 10.5\u00a0%", "34.1\u00a0% to 34.3\u00a0%", "9.99\u00a0% to 10.01\u00a0%", "2.461\u00a0% to 2.466\u00a0%"],
  );
});

test("how long ago keeps to units that a reader can picture", () => {
  const day = 86_400_000;
  assert.deepEqual([1000, 90_000, 1.5 * day, 3 * day, 729 * day, 731 * day, 5796 * day].map((ms) => formatAgo(0, ms)), [
    "now",
    "1 min ago",
    "36 h ago",
    "3 d ago",
    "729 d ago",
    "2 y ago",
    "15 y ago",
  ]);
});

test("no time at all is no milliseconds", () => {
  assert.deepEqual([0, 400, 1500, 200_000].map(formatDuration), ["0 s", "400 ms", "1.5 s", "3 min 20 s"]);
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
