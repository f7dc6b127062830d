// A sliding window over event times: the newest EXACT_MAX times exactly, everything older in panes of an absolute grid.
//
// An event that has left the exact part never comes back into it, so "the newest 16, and the rest in panes" is a function
// of the set of events, not of their order. With at most 16 events in the window the count is exact to the millisecond;
// beyond that it is right to within one pane, 1/64 of the window.

/** How many event times are kept exactly. Rules compare with small numbers (3 views, 5 carts): those are exact. */
export const EXACT_MAX = 16;
/** Panes per window. */
export const PANES = 64;

export type Measure = "count" | "sum" | "max";

export interface Series {
  /** Newest event time; -1 while empty. */
  newestMs: number;
  /** Ascending times and their values. What only counts (Measure "count") keeps no values: each would be 1. */
  times: number[];
  values: number[];
  /** Ascending pane indices (time / paneMs), and what each holds: how many, and the sum or maximum of the values. */
  panes: number[];
  paneCounts: number[];
  paneValues: number[];
}

/**
 * Stands for every list that holds nothing yet: most series of most persons are empty or have no panes, and a person has
 * dozens of these lists. Never written to; a list is made by its first entry.
 */
const NONE: number[] = [];

export function emptySeries(): Series {
  return { newestMs: -1, times: NONE, values: NONE, panes: NONE, paneCounts: NONE, paneValues: NONE };
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
export function mergeSeries(into: Series, from: Series, windowMs: number, measure: Measure): void {
  if (from.newestMs < 0) return;
  const paneMs = paneMsOf(windowMs);
  advance(into, windowMs, paneMs, from.newestMs);
  const live = into.newestMs - windowMs;
  for (let i = 0; i < from.panes.length; i++) {
    if ((from.panes[i]! + 1) * paneMs <= live) continue;
    addToPane(into, measure, from.panes[i]!, from.paneCounts[i]!, from.paneValues[i] ?? 0);
  }
  for (let i = 0; i < from.times.length; i++) {
    if (paneEnd(from.times[i]!, paneMs) <= live) continue;
    insert(into, paneMs, measure, from.times[i]!, from.values[i] ?? 1);
  }
}

/** How many events lie in (now - window, …]: events that clocks put after now count already. */
export function seriesCount(series: Series, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const { times, panes } = series;
  let count = 0;
  if (times.length > 0 && times[0]! > cutoff) count = times.length;
  else for (let i = times.length - 1; i >= 0 && times[i]! > cutoff; i--) count++;
  if (panes.length > 0) {
    const paneMs = paneMsOf(windowMs);
    for (let i = panes.length - 1; i >= 0 && (panes[i]! + 1) * paneMs > cutoff; i--) count += series.paneCounts[i]!;
  }
  return count;
}

/** Sum of the values in the window. */
export function seriesSum(series: Series, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const paneMs = paneMsOf(windowMs);
  let sum = 0;
  for (let i = series.times.length - 1; i >= 0 && series.times[i]! > cutoff; i--) sum += series.values[i]!;
  for (let i = series.panes.length - 1; i >= 0 && (series.panes[i]! + 1) * paneMs > cutoff; i--) {
    sum += series.paneValues[i]!;
  }
  return sum;
}

/** Largest value in the window; -Infinity where there is none. */
export function seriesMax(series: Series, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  const paneMs = paneMsOf(windowMs);
  let max = -Infinity;
  for (let i = series.times.length - 1; i >= 0 && series.times[i]! > cutoff; i--)
    max = Math.max(max, series.values[i]!);
  for (let i = series.panes.length - 1; i >= 0 && (series.panes[i]! + 1) * paneMs > cutoff; i--) {
    max = Math.max(max, series.paneValues[i]!);
  }
  return max;
}

/** The next instant at which an event or a pane leaves the window; Infinity when it is empty. */
export function seriesNextChangeMs(series: Series, windowMs: number, nowMs: number): number {
  const cutoff = nowMs - windowMs;
  let next = Infinity;
  for (const timeMs of series.times) {
    if (timeMs <= cutoff) continue;
    next = timeMs + windowMs;
    break;
  }
  const paneMs = paneMsOf(windowMs);
  for (const pane of series.panes) {
    const endMs = (pane + 1) * paneMs;
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
  series: Series,
  windowMs: number,
  least: number,
  { nowMs, horizonMs }: { nowMs: number; horizonMs: number },
): number {
  const { times, panes, paneCounts } = series;
  const cutoff = nowMs - windowMs;
  // Most often all that is kept is in the window, and it falls when the one event leaves that it cannot spare.
  if (panes.length === 0 && (times.length === 0 || times[0]! > cutoff)) {
    const spare = times.length - least;
    if (spare < 0) return Infinity;
    if (least > 0 && spare < JUMPS_MAX) return times[spare]! + windowMs;
  }
  const paneMs = paneMsOf(windowMs);
  let first = 0;
  let pane = 0;
  while (first < times.length && times[first]! <= cutoff) first++;
  while (pane < panes.length && (panes[pane]! + 1) * paneMs <= cutoff) pane++;
  let count = times.length - first;
  for (let i = pane; i < panes.length; i++) count += paneCounts[i]!;
  if (count < least) return Infinity;
  for (let jump = 0; ; jump++) {
    let atMs = first < times.length ? times[first]! + windowMs : Infinity;
    if (pane < panes.length) atMs = Math.min(atMs, (panes[pane]! + 1) * paneMs + windowMs);
    if (jump === JUMPS_MAX || atMs >= horizonMs) return atMs;
    for (; first < times.length && times[first]! + windowMs <= atMs; first++) count--;
    for (; pane < panes.length && (panes[pane]! + 1) * paneMs + windowMs <= atMs; pane++) count -= paneCounts[pane]!;
    if (count < least) return atMs;
  }
}

function paneEnd(timeMs: number, paneMs: number): number {
  return (Math.floor(timeMs / paneMs) + 1) * paneMs;
}

// Moves the window's end to `timeMs` if that is newer, and forgets panes that ended before its start; exact times go by
// the end of their pane too, or an event's fate would depend on whether it had left the exact part already.
// False: the event at `timeMs` itself is too old to count ever again.
function advance(series: Series, windowMs: number, paneMs: number, timeMs: number): boolean {
  if (timeMs <= series.newestMs) return paneEnd(timeMs, paneMs) > series.newestMs - windowMs;
  series.newestMs = timeMs;
  const live = timeMs - windowMs;
  const { times, values, panes } = series;
  if (times.length > 0 && times[0]! <= live) {
    let gone = 0;
    while (gone < times.length && paneEnd(times[gone]!, paneMs) <= live) gone++;
    if (gone > 0) {
      times.splice(0, gone);
      if (values.length > 0) values.splice(0, gone);
    }
  }
  if (panes.length > 0 && (panes[0]! + 1) * paneMs <= live) {
    let gone = 0;
    while (gone < panes.length && (panes[gone]! + 1) * paneMs <= live) gone++;
    panes.splice(0, gone);
    series.paneCounts.splice(0, gone);
    if (series.paneValues.length > 0) series.paneValues.splice(0, gone);
  }
  return true;
}

// Keeps (time, value) ascending; the oldest beyond EXACT_MAX goes to its pane.
function insert(series: Series, paneMs: number, measure: Measure, timeMs: number, value: number): void {
  const { times } = series;
  if (times.length === 0) {
    series.times = [timeMs];
    if (measure !== "count") series.values = [value];
    return;
  }
  if (measure !== "count") insertValued(series, paneMs, measure, timeMs, value);
  else if (times.length < EXACT_MAX) {
    let at = times.length;
    times.push(timeMs);
    for (; at > 0 && times[at - 1]! > timeMs; at--) times[at] = times[at - 1]!;
    times[at] = timeMs;
  } else if (times[0]! > timeMs) addToPane(series, measure, Math.floor(timeMs / paneMs), 1, value);
  else {
    addToPane(series, measure, Math.floor(times[0]! / paneMs), 1, value);
    let at = 0;
    for (; at + 1 < EXACT_MAX && times[at + 1]! <= timeMs; at++) times[at] = times[at + 1]!;
    times[at] = timeMs;
  }
}

function insertValued(series: Series, paneMs: number, measure: Measure, timeMs: number, value: number): void {
  const { times, values } = series;
  let at = times.length;
  while (at > 0 && (times[at - 1]! > timeMs || (times[at - 1]! === timeMs && values[at - 1]! > value))) at--;
  if (times.length === EXACT_MAX) {
    if (at === 0) {
      addToPane(series, measure, Math.floor(timeMs / paneMs), 1, value);
      return;
    }
    addToPane(series, measure, Math.floor(times[0]! / paneMs), 1, values[0]!);
    at--;
    for (let i = 0; i < at; i++) {
      times[i] = times[i + 1]!;
      values[i] = values[i + 1]!;
    }
  } else {
    times.push(timeMs);
    values.push(value);
    for (let i = times.length - 1; i > at; i--) {
      times[i] = times[i - 1]!;
      values[i] = values[i - 1]!;
    }
  }
  times[at] = timeMs;
  values[at] = value;
}

function addToPane(series: Series, measure: Measure, pane: number, count: number, value: number): void {
  if (series.panes.length === 0) {
    series.panes = [pane];
    series.paneCounts = [count];
    if (measure !== "count") series.paneValues = [value];
    return;
  }
  const { panes, paneCounts, paneValues } = series;
  let at = panes.length;
  while (at > 0 && panes[at - 1]! > pane) at--;
  if (at > 0 && panes[at - 1] === pane) {
    paneCounts[at - 1]! += count;
    if (measure === "max") paneValues[at - 1] = Math.max(paneValues[at - 1]!, value);
    else if (measure === "sum") paneValues[at - 1]! += value;
    return;
  }
  panes.splice(at, 0, pane);
  paneCounts.splice(at, 0, count);
  if (measure !== "count") paneValues.splice(at, 0, value);
}
