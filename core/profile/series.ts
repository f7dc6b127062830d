// A sliding window over event times: the newest TIMES_MAX times exactly, everything older in panes of an absolute grid.
//
// An event that has left the exact part never comes back into it, so "the newest 16, and the rest in panes" is a function
// of the set of events, not of their order. With at most 16 events in the window the count is exact to the millisecond;
// beyond that it is right to within one pane, 1/64 of the window. Rules compare with small numbers (3 views, 5 carts):
// those are exact.
import { insertedNumber, NO_NUMBERS, withoutFirst } from "./lists.ts";
import { TIMES_MAX, withTime } from "./times.ts";

/** Panes per window. */
export const PANES = 64;

export type Measure = "count" | "sum" | "max";

/** Ascending indices of panes (time / paneMs), and what each holds: how many, and the sum or maximum of the values. */
export interface Panes {
  readonly indices: number[];
  readonly counts: number[];
  /** Empty where only the count matters (Measure "count"). */
  readonly values: number[];
}

export interface Series {
  /** Ascending, the newest event always among them, and their values. What only counts keeps none: each would be 1. */
  times: readonly number[];
  values: readonly number[];
  panes: Panes;
}

const NO_PANES: Panes = Object.freeze({ indices: [], counts: [], values: [] });

/** Stands for every series that holds nothing yet, as most of most persons: to be replaced, not written to. */
export const NO_SERIES: Readonly<Series> = Object.freeze(emptySeries());

export function emptySeries(): Series {
  return { times: NO_NUMBERS, values: NO_NUMBERS, panes: NO_PANES };
}

/** The series at `index`, to be written to. */
export function seriesToChange(list: Readonly<Series>[], index: number): Series {
  return list[index] === NO_SERIES ? (list[index] = emptySeries()) : list[index]!;
}

/** Newest event time; -1 while empty. */
function newestOf({ times }: Series): number {
  return times.length === 0 ? -1 : times[times.length - 1]!;
}

export function paneMsOf(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / PANES));
}

/** Adds one event at `timeMs`; `value` is 1 where only the count matters. A series is only ever used with one measure. */
export function addToSeries(series: Series, windowMs: number, measure: Measure, timeMs: number, value: number): void {
  const paneMs = paneMsOf(windowMs);
  if (!advance(series, windowMs, paneMs, timeMs)) return;
  insert(series, paneMs, measure, timeMs, value);
}

/** Makes `into` what it would be had it seen the events of `from` too. */
export function mergeSeries(into: Series, from: Readonly<Series>, windowMs: number, measure: Measure): void {
  const newestMs = newestOf(from);
  if (newestMs < 0) return;
  const paneMs = paneMsOf(windowMs);
  const live = Math.max(newestOf(into), newestMs) - windowMs;
  advance(into, windowMs, paneMs, newestMs);
  const { indices, counts, values } = from.panes;
  for (let i = 0; i < indices.length; i++) {
    if (paneEnd(indices[i]!, paneMs) > live) addToPane(into, measure, indices[i]!, counts[i]!, values[i] ?? 0);
  }
  for (let i = 0; i < from.times.length; i++) {
    if (paneEnd(paneOf(from.times[i]!, paneMs), paneMs) <= live) continue;
    insert(into, paneMs, measure, from.times[i]!, from.values[i] ?? 1);
  }
}

/** How many events lie in (now - window, …]: events that clocks put after now count already. */
export function seriesCount(series: Readonly<Series>, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const { times } = series;
  const { indices, counts } = series.panes;
  let count = 0;
  if (times.length > 0 && times[0]! > cutoff) count = times.length;
  else for (let i = times.length - 1; i >= 0 && times[i]! > cutoff; i--) count++;
  if (indices.length === 0) return count;
  const paneMs = paneMsOf(windowMs);
  for (let i = indices.length - 1; i >= 0 && paneEnd(indices[i]!, paneMs) > cutoff; i--) count += counts[i]!;
  return count;
}

/** Sum of the values in the window. */
export function seriesSum({ times, values, panes }: Readonly<Series>, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const paneMs = paneMsOf(windowMs);
  let sum = 0;
  for (let i = times.length - 1; i >= 0 && times[i]! > cutoff; i--) sum += values[i]!;
  const { indices } = panes;
  for (let i = indices.length - 1; i >= 0 && paneEnd(indices[i]!, paneMs) > cutoff; i--) sum += panes.values[i]!;
  return sum;
}

/** Largest value in the window; -Infinity where there is none. */
export function seriesMax({ times, values, panes }: Readonly<Series>, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const paneMs = paneMsOf(windowMs);
  let max = -Infinity;
  for (let i = times.length - 1; i >= 0 && times[i]! > cutoff; i--) max = Math.max(max, values[i]!);
  const { indices } = panes;
  for (let i = indices.length - 1; i >= 0 && paneEnd(indices[i]!, paneMs) > cutoff; i--) {
    max = Math.max(max, panes.values[i]!);
  }
  return max;
}

/** The next instant at which an event or a pane leaves the window; Infinity when it is empty. */
export function seriesNextChangeMs({ times, panes }: Readonly<Series>, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  let next = Infinity;
  for (const timeMs of times) {
    if (timeMs <= cutoff) continue;
    next = timeMs + windowMs;
    break;
  }
  const paneMs = paneMsOf(windowMs);
  for (const index of panes.indices) {
    const endMs = paneEnd(index, paneMs);
    if (endMs <= cutoff) continue;
    return Math.min(next, endMs + windowMs);
  }
  return next;
}

/** Instants at which something leaves that `seriesFallsMs` looks through before it settles for a lower bound. */
export const JUMPS_MAX = 8;

/**
 * The instant at which the count falls below `least`, without an event; Infinity where it is below already. Where it
 * stays above for JUMPS_MAX changes, and for changes at `horizonMs` or later: any time up to which it surely stays.
 */
export function seriesFallsMs(
  series: Readonly<Series>,
  windowMs: number,
  least: number,
  { nowMs, horizonMs }: { nowMs: number; horizonMs: number },
): number {
  const { times } = series;
  const { indices, counts } = series.panes;
  const cutoff = nowMs - windowMs;
  // Most often all that is kept is in the window, and it falls when the one event leaves that it cannot spare.
  if (indices.length === 0 && (times.length === 0 || times[0]! > cutoff)) {
    const spare = times.length - least;
    if (spare < 0) return Infinity;
    if (least > 0 && spare < JUMPS_MAX) return times[spare]! + windowMs;
  }
  const paneMs = paneMsOf(windowMs);
  let first = 0;
  let pane = 0;
  while (first < times.length && times[first]! <= cutoff) first++;
  while (pane < indices.length && paneEnd(indices[pane]!, paneMs) <= cutoff) pane++;
  let count = times.length - first;
  for (let i = pane; i < indices.length; i++) count += counts[i]!;
  if (count < least) return Infinity;
  for (let jump = 0; ; jump++) {
    let atMs = first < times.length ? times[first]! + windowMs : Infinity;
    if (pane < indices.length) atMs = Math.min(atMs, paneEnd(indices[pane]!, paneMs) + windowMs);
    if (jump === JUMPS_MAX || atMs >= horizonMs) return atMs;
    for (; first < times.length && times[first]! + windowMs <= atMs; first++) count--;
    for (; pane < indices.length && paneEnd(indices[pane]!, paneMs) + windowMs <= atMs; pane++) count -= counts[pane]!;
    if (count < least) return atMs;
  }
}

function paneOf(timeMs: number, paneMs: number): number {
  return Math.floor(timeMs / paneMs);
}

function paneEnd(pane: number, paneMs: number): number {
  return (pane + 1) * paneMs;
}

// Moves the window's end to `timeMs` if that is newer, and forgets panes that ended before its start; exact times go by
// the end of their pane too, or an event's fate would depend on whether it had left the exact part already.
// False: the event at `timeMs` itself is too old to count ever again.
function advance(series: Series, windowMs: number, paneMs: number, timeMs: number): boolean {
  const newestMs = newestOf(series);
  if (timeMs <= newestMs) return paneEnd(paneOf(timeMs, paneMs), paneMs) > newestMs - windowMs;
  const live = timeMs - windowMs;
  const { times, values } = series;
  if (times.length > 0 && times[0]! <= live) {
    let gone = 0;
    while (gone < times.length && paneEnd(paneOf(times[gone]!, paneMs), paneMs) <= live) gone++;
    if (gone > 0) {
      series.times = withoutFirst(times, gone);
      if (values.length > 0) series.values = withoutFirst(values, gone);
    }
  }
  const { indices } = series.panes;
  if (indices.length > 0 && paneEnd(indices[0]!, paneMs) <= live) {
    let gone = 0;
    while (gone < indices.length && paneEnd(indices[gone]!, paneMs) <= live) gone++;
    forgetPanes(series, gone);
  }
  return true;
}

function forgetPanes(series: Series, count: number): void {
  const { indices, counts, values } = series.panes;
  if (count === indices.length) {
    series.panes = NO_PANES;
    return;
  }
  indices.splice(0, count);
  counts.splice(0, count);
  values.splice(0, count);
}

// Keeps (time, value) ascending; the oldest beyond TIMES_MAX goes to its pane.
function insert(series: Series, paneMs: number, measure: Measure, timeMs: number, value: number): void {
  const { times, values } = series;
  const isFull = times.length === TIMES_MAX;
  if (measure === "count") {
    if (isFull) addToPane(series, measure, paneOf(Math.min(times[0]!, timeMs), paneMs), 1, 1);
    series.times = withTime(times, timeMs);
    return;
  }
  let at = times.length;
  while (at > 0 && (times[at - 1]! > timeMs || (times[at - 1]! === timeMs && values[at - 1]! > value))) at--;
  if (isFull && at === 0) {
    addToPane(series, measure, paneOf(timeMs, paneMs), 1, value);
    return;
  }
  if (isFull) addToPane(series, measure, paneOf(times[0]!, paneMs), 1, values[0]!);
  series.times = withTime(times, timeMs);
  const next = insertedNumber(values, at, value);
  series.values = isFull ? withoutFirst(next, 1) : next;
}

function addToPane(series: Series, measure: Measure, pane: number, count: number, value: number): void {
  if (series.panes === NO_PANES) {
    series.panes = { indices: [pane], counts: [count], values: measure === "count" ? [] : [value] };
    return;
  }
  const { indices, counts, values } = series.panes;
  let at = indices.length;
  while (at > 0 && indices[at - 1]! > pane) at--;
  if (at > 0 && indices[at - 1] === pane) {
    counts[at - 1]! += count;
    if (measure === "max") values[at - 1] = Math.max(values[at - 1]!, value);
    else if (measure === "sum") values[at - 1]! += value;
    return;
  }
  indices.splice(at, 0, pane);
  counts.splice(at, 0, count);
  if (measure !== "count") values.splice(at, 0, value);
}
