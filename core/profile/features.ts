// The features that a program defines, one state each. All kinds share one shape: the fold stays monomorphic, and bytes
// that carry only what is set cost nothing for the rest.
import { addDecayed, emptyDecayedSum, mergeDecayed, type DecayedSum } from "../math/decay.ts";
import { hash64Into } from "../math/hash.ts";
import type { LoggedEvent } from "../event/event.ts";
import type { FeaturePlan } from "./plan.ts";
import { addToSeries, emptySeries, mergeSeries, type Measure, type Series } from "./series.ts";

/** Distinct values kept, the latest ones; `distinct` says at most this. */
export const DISTINCT_MAX = 128;
/** UTF-16 units of a string that `last` keeps. */
const LAST_LENGTH_MAX = 256;

/** The latest distinct values by hash, in order of arrival: for each its upper and lower 32 bits and its latest event time. */
export type Distinct = number[];
export const DISTINCT_NUMBERS = 3;

/** Over all time, of a feature without a window. */
export interface Totals {
  count: number;
  sum: number;
  max: number;
}

export interface LastValue {
  readonly value: number | string;
  readonly timeMs: number;
}

/** One of these, by the feature's kind; each null until there is something in it. */
export interface FeatureState {
  totals: Totals | null;
  last: LastValue | null;
  series: Series | null;
  distinct: Distinct | null;
  decayed: DecayedSum | null;
}

/** Stands for every feature that has counted nothing yet, as most of most persons: to be replaced, not written to. */
export const NO_FEATURE: Readonly<FeatureState> = Object.freeze(emptyFeature());

export function emptyFeature(): FeatureState {
  return { totals: null, last: null, series: null, distinct: null, decayed: null };
}

/** How a feature's windowed series adds values up. */
export function measureOf(plan: FeaturePlan): Measure {
  return plan.kind === "max" || plan.kind === "count" ? plan.kind : "sum";
}

/** Half-life of a decayed feature; one without it decays over its window, or a day. */
export function halfLifeOf(plan: FeaturePlan): number {
  return plan.halfLifeMs ?? plan.windowMs ?? 86_400_000;
}

/** Counts `event`, whose type the feature `index` reads. An event without the value that it is `of` changes nothing. */
export function foldFeature(features: Readonly<FeatureState>[], index: number, plan: FeaturePlan, event: LoggedEvent): void {
  if (plan.where !== null && !plan.where(event)) return;
  const read = plan.read === null ? defaultRead(plan, event) : plan.read(event);
  if (read === undefined || (typeof read === "number" && read - read !== 0)) return; // Nothing to read, or not finite.
  const { kind } = plan;
  const timeMs = event.timestamp;
  if (kind === "distinct") addDistinct(featureToChange(features, index), typeof read === "string" ? read : `#${read}`, timeMs);
  else if (kind === "last") setLast(featureToChange(features, index), read, timeMs);
  else if (kind === "count") addNumber(featureToChange(features, index), plan, timeMs, 1);
  else if (typeof read === "number") addNumber(featureToChange(features, index), plan, timeMs, read);
}

/** The feature, to be written to. */
export function featureToChange(features: Readonly<FeatureState>[], index: number): FeatureState {
  return features[index] === NO_FEATURE ? (features[index] = emptyFeature()) : features[index]!;
}

/** Makes `into` what it would be had it seen the events of `from` too. */
export function mergeFeature(into: FeatureState, from: Readonly<FeatureState>, plan: FeaturePlan): void {
  if (from.totals !== null) {
    const { count, sum, max } = from.totals;
    addTotals(into, count, sum, max);
  }
  if (from.last !== null) setLast(into, from.last.value, from.last.timeMs);
  if (from.series !== null) mergeSeries((into.series ??= emptySeries()), from.series, plan.windowMs!, measureOf(plan));
  if (from.decayed !== null) mergeDecayed((into.decayed ??= emptyDecayedSum()), from.decayed);
  if (from.distinct === null) return;
  for (let at = 0; at < from.distinct.length; at += DISTINCT_NUMBERS) {
    putDistinct(into, from.distinct[at]!, from.distinct[at + 1]!, from.distinct[at + 2]!);
  }
}

function defaultRead(plan: FeaturePlan, event: LoggedEvent): number | string | undefined {
  switch (plan.kind) {
    case "count":
    case "decayed":
      return 1;
    case "distinct":
    case "last":
      return event.item_id;
    default:
      return event.value;
  }
}

function addNumber(state: FeatureState, plan: FeaturePlan, timeMs: number, value: number): void {
  if (plan.kind === "decayed") addDecayed((state.decayed ??= emptyDecayedSum()), halfLifeOf(plan), timeMs, value);
  else if (plan.windowMs === null) addTotals(state, 1, value, value);
  else addToSeries((state.series ??= emptySeries()), plan.windowMs, measureOf(plan), timeMs, value);
}

function addTotals(state: FeatureState, count: number, sum: number, max: number): void {
  const totals = (state.totals ??= { count: 0, sum: 0, max: -Infinity });
  totals.count += count;
  totals.sum += sum;
  totals.max = Math.max(totals.max, max);
}

// The latest wins; of the same millisecond the larger, so that order does not matter.
function setLast(state: FeatureState, read: number | string, timeMs: number): void {
  const value = typeof read === "string" ? read.slice(0, LAST_LENGTH_MAX) : read;
  const { last } = state;
  if (last !== null && (timeMs < last.timeMs || (timeMs === last.timeMs && !larger(value, last.value)))) return;
  state.last = { value, timeMs };
}

// Strings are larger than numbers.
function larger(a: number | string, b: number | string): boolean {
  if (typeof a === typeof b) return a > b;
  return typeof a === "string";
}

const hash = { hi: 0, lo: 0 };

function addDistinct(state: FeatureState, value: string, timeMs: number): void {
  hash64Into(hash, value);
  putDistinct(state, hash.hi, hash.lo, timeMs);
}

// Keeps the DISTINCT_MAX values whose last event is latest: a value once dropped only comes back by a later event, so
// what is kept is a function of the set of events.
function putDistinct(state: FeatureState, hi: number, lo: number, timeMs: number): void {
  if (state.distinct === null) {
    state.distinct = [hi, lo, timeMs];
    return;
  }
  const { distinct } = state;
  for (let at = distinct.length - DISTINCT_NUMBERS; at >= 0; at -= DISTINCT_NUMBERS) {
    if (distinct[at + 1] !== lo || distinct[at] !== hi) continue;
    if (timeMs > distinct[at + 2]!) distinct[at + 2] = timeMs;
    return;
  }
  if (distinct.length < DISTINCT_MAX * DISTINCT_NUMBERS) {
    distinct.push(hi, lo, timeMs);
    return;
  }
  let oldest = 0;
  for (let at = DISTINCT_NUMBERS; at < distinct.length; at += DISTINCT_NUMBERS) {
    if (earlier(distinct, at, distinct[oldest]!, distinct[oldest + 1]!, distinct[oldest + 2]!)) oldest = at;
  }
  if (!earlier(distinct, oldest, hi, lo, timeMs)) return;
  distinct[oldest] = hi;
  distinct[oldest + 1] = lo;
  distinct[oldest + 2] = timeMs;
}

function earlier(distinct: Distinct, at: number, hi: number, lo: number, timeMs: number): boolean {
  if (distinct[at + 2] !== timeMs) return distinct[at + 2]! < timeMs;
  return distinct[at] !== hi ? distinct[at]! < hi : distinct[at + 1]! < lo;
}
