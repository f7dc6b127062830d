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

/** The latest distinct values by hash, in order of arrival. */
export interface Distinct {
  readonly hi: number[];
  readonly lo: number[];
  readonly lastMs: number[];
}

export interface FeatureState {
  /** Totals of a feature without a window. */
  count: number;
  sum: number;
  max: number;
  lastMs: number;
  last: number | string | undefined;
  readonly series: Series | null;
  readonly distinct: Distinct | null;
  readonly decayed: DecayedSum | null;
}

export function emptyFeature(plan: FeaturePlan): FeatureState {
  const windowed =
    plan.windowMs !== null && plan.kind !== "distinct" && plan.kind !== "last" && plan.kind !== "decayed";
  return {
    count: 0,
    sum: 0,
    max: -Infinity,
    lastMs: -1,
    last: undefined,
    series: windowed ? emptySeries() : null,
    distinct: plan.kind === "distinct" ? { hi: [], lo: [], lastMs: [] } : null,
    decayed: plan.kind === "decayed" ? emptyDecayedSum() : null,
  };
}

/** How a feature's windowed series adds values up. */
export function measureOf(plan: FeaturePlan): Measure {
  return plan.kind === "max" || plan.kind === "count" ? plan.kind : "sum";
}

/** Half-life of a decayed feature; one without it decays over its window, or a day. */
export function halfLifeOf(plan: FeaturePlan): number {
  return plan.halfLifeMs ?? plan.windowMs ?? 86_400_000;
}

/** Counts `event`, whose type the feature reads. An event without the value that the feature is `of` changes nothing. */
export function foldFeature(state: FeatureState, plan: FeaturePlan, event: LoggedEvent): void {
  if (plan.where !== null && !plan.where(event)) return;
  const read = plan.read === null ? defaultRead(plan, event) : plan.read(event);
  if (read === undefined || (typeof read === "number" && read - read !== 0)) return; // Nothing to read, or not finite.
  const timeMs = event.timestamp;
  if (plan.kind === "distinct") addDistinct(state.distinct!, typeof read === "string" ? read : `#${read}`, timeMs);
  else if (plan.kind === "last") setLast(state, read, timeMs);
  else if (plan.kind === "count") addNumber(state, plan, timeMs, 1);
  else if (typeof read === "number") addNumber(state, plan, timeMs, read);
}

/** Makes `into` what it would be had it seen the events of `from` too. */
export function mergeFeature(into: FeatureState, from: FeatureState, plan: FeaturePlan): void {
  into.count += from.count;
  into.sum += from.sum;
  into.max = Math.max(into.max, from.max);
  if (from.last !== undefined) setLast(into, from.last, from.lastMs);
  if (into.series !== null && from.series !== null)
    mergeSeries(into.series, from.series, plan.windowMs!, measureOf(plan));
  if (into.decayed !== null && from.decayed !== null) mergeDecayed(into.decayed, from.decayed);
  if (into.distinct === null || from.distinct === null) return;
  const { hi, lo, lastMs } = from.distinct;
  for (let i = 0; i < hi.length; i++) putDistinct(into.distinct, hi[i]!, lo[i]!, lastMs[i]!);
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
  if (state.decayed !== null) addDecayed(state.decayed, halfLifeOf(plan), timeMs, value);
  else if (state.series !== null) addToSeries(state.series, plan.windowMs!, measureOf(plan), timeMs, value);
  else {
    state.count++;
    state.sum += value;
    state.max = Math.max(state.max, value);
  }
}

// The latest wins; of the same millisecond the larger, so that order does not matter.
function setLast(state: FeatureState, read: number | string, timeMs: number): void {
  const value = typeof read === "string" ? read.slice(0, LAST_LENGTH_MAX) : read;
  if (timeMs < state.lastMs) return;
  if (timeMs === state.lastMs && state.last !== undefined && !larger(value, state.last)) return;
  state.lastMs = timeMs;
  state.last = value;
}

// Strings are larger than numbers.
function larger(a: number | string, b: number | string): boolean {
  if (typeof a === typeof b) return a > b;
  return typeof a === "string";
}

const hash = { hi: 0, lo: 0 };

function addDistinct(distinct: Distinct, value: string, timeMs: number): void {
  hash64Into(hash, value);
  putDistinct(distinct, hash.hi, hash.lo, timeMs);
}

// Keeps the DISTINCT_MAX values whose last event is latest: a value once dropped only comes back by a later event, so
// what is kept is a function of the set of events.
function putDistinct(distinct: Distinct, hi: number, lo: number, timeMs: number): void {
  const { hi: his, lo: los, lastMs } = distinct;
  for (let i = los.length - 1; i >= 0; i--) {
    if (los[i] !== lo || his[i] !== hi) continue;
    if (timeMs > lastMs[i]!) lastMs[i] = timeMs;
    return;
  }
  if (los.length < DISTINCT_MAX) {
    his.push(hi);
    los.push(lo);
    lastMs.push(timeMs);
    return;
  }
  let oldest = 0;
  for (let i = 1; i < los.length; i++)
    if (earlier(distinct, i, lastMs[oldest]!, his[oldest]!, los[oldest]!)) oldest = i;
  if (!earlier(distinct, oldest, timeMs, hi, lo)) return;
  his[oldest] = hi;
  los[oldest] = lo;
  lastMs[oldest] = timeMs;
}

function earlier(distinct: Distinct, index: number, timeMs: number, hi: number, lo: number): boolean {
  const { hi: his, lo: los, lastMs } = distinct;
  if (lastMs[index] !== timeMs) return lastMs[index]! < timeMs;
  return his[index] !== hi ? his[index]! < hi : los[index]! < lo;
}
