import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import {
  addToSeries,
  emptySeries,
  mergeSeries,
  paneMsOf,
  seriesCount,
  seriesMax,
  seriesNextChangeMs,
  seriesSum,
  type Measure,
  type Series,
} from "./series.ts";
import { TIMES_MAX } from "./times.ts";

const MINUTE = 60_000;
type Entry = { timeMs: number; value: number };

function fold(entries: readonly Entry[], windowMs: number, measure: Measure = "sum"): Series {
  const series = emptySeries();
  for (const { timeMs, value } of entries) addToSeries(series, windowMs, measure, timeMs, value);
  return series;
}

test("any order gives the same series, and so does any split and merge", () => {
  forEachSeed(500, (rng) => {
    const windowMs = rng.between(1, 5000);
    const entries = Array.from({ length: rng.between(0, 80) }, () => ({
      timeMs: rng.between(0, 9000),
      value: rng.between(1, 5),
    }));
    const measure = (["sum", "max"] as const)[rng.between(0, 1)]!;
    const inOrder = fold(entries, windowMs, measure);
    deepEqual(fold(rng.shuffle(entries), windowMs, measure), inOrder);
    const cut = rng.between(0, entries.length);
    const merged = fold(entries.slice(0, cut), windowMs, measure);
    mergeSeries(merged, fold(entries.slice(cut), windowMs, measure), windowMs, measure);
    deepEqual(merged, inOrder);
  });
});

test("a recount of the raw events: exact for the newest 16, right to a pane beyond", () => {
  forEachSeed(500, (rng) => {
    const windowMs = rng.between(1, 20 * MINUTE);
    const paneMs = paneMsOf(windowMs);
    const entries = Array.from({ length: rng.between(0, 60) }, () => ({
      timeMs: rng.between(0, 30 * MINUTE),
      value: rng.between(1, 9),
    }));
    const newestMs = Math.max(0, ...entries.map(({ timeMs }) => timeMs));
    const nowMs = newestMs + rng.between(0, windowMs);
    const after = (cutoffMs: number) => entries.filter(({ timeMs }) => timeMs > cutoffMs);
    const least = after(nowMs - windowMs);
    const most = entries.length <= TIMES_MAX ? least : after(nowMs - windowMs - paneMs);
    const sum = (list: Entry[]) => list.reduce((total, { value }) => total + value, 0);
    const max = (list: Entry[]) => Math.max(-Infinity, ...list.map(({ value }) => value));
    const between = (value: number, low: number, high: number) =>
      ok(value >= low && value <= high, `${low} <= ${value} <= ${high}`);
    between(seriesCount(fold(entries, windowMs), windowMs, nowMs), least.length, most.length);
    between(seriesSum(fold(entries, windowMs), windowMs, nowMs), sum(least), sum(most));
    between(seriesMax(fold(entries, windowMs, "max"), windowMs, nowMs), max(least), max(most));
  });
});

test("at the limits: one, full, full + 1, expired", () => {
  const windowMs = 64 * MINUTE;
  const at = (count: number) =>
    fold(
      Array.from({ length: count }, (_, i) => ({ timeMs: i * MINUTE, value: 1 })),
      windowMs,
    );
  deepEqual([seriesCount(at(0), windowMs, 0), seriesNextChangeMs(at(0), windowMs, 0)], [0, Infinity]);
  deepEqual([seriesCount(at(1), windowMs, windowMs - 1), seriesCount(at(1), windowMs, windowMs)], [1, 0]);
  deepEqual(at(TIMES_MAX).panes.indices, []);
  deepEqual(at(TIMES_MAX + 1).panes.indices, [0]);
  const series = at(TIMES_MAX + 1);
  addToSeries(series, windowMs, "count", 200 * MINUTE, 1);
  deepEqual([series.times, series.panes.indices], [[200 * MINUTE], []]);
  addToSeries(series, windowMs, "count", 0, 1);
  deepEqual(series.times, [200 * MINUTE], "an event that can never count again changes nothing");
});

test("the next change is exact: the same value until then, another one there", () => {
  forEachSeed(300, (rng) => {
    const windowMs = rng.between(1, 3000);
    const entries = Array.from({ length: rng.between(1, 50) }, () => ({ timeMs: rng.between(0, 3000), value: 1 }));
    const series = fold(entries, windowMs, "count");
    let nowMs = series.times.at(-1)!;
    let steps = 0;
    for (
      let next = seriesNextChangeMs(series, windowMs, nowMs);
      next < Infinity;
      next = seriesNextChangeMs(series, windowMs, nowMs)
    ) {
      equal(seriesCount(series, windowMs, next - 1), seriesCount(series, windowMs, nowMs));
      ok(seriesCount(series, windowMs, next) < seriesCount(series, windowMs, nowMs));
      nowMs = next;
      ok(++steps < 100);
    }
    equal(seriesCount(series, windowMs, nowMs), 0);
  });
});
