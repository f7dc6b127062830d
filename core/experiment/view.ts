// What an experiment has shown, in the public form of `GET /v1/experiments/{name}`.
import { formatTimestamp } from "../event/time.ts";
import type { CompiledExperiment } from "../program/compiled.ts";
import { betInterval, type Interval, meanInterval } from "../stats/confidence.ts";
import { adjustmentOf, estimateOf } from "../stats/moments.ts";
import { exp2 } from "../math/exp2.ts";
import { LN2 } from "../stats/gamma.ts";
import { type OffPolicyView, offPolicyView } from "../stats/off-policy-view.ts";
import { offPolicyAnswer } from "../stats/off-policy.ts";
import { ALPHA, alphaOf, compare, UNTOLD_LIFT, USERS_MIN } from "./compare.ts";
import { isRate } from "./metrics.ts";
import { sumsOfAlways } from "./off-policy-sums.ts";
import type { Run } from "./run.ts";

export interface IntervalView {
  low: number;
  high: number;
}

export interface MetricResult {
  /**
   * Mean over the persons who saw the variant, and its interval; of what is no rate, null while persons are few or all
   * alike, or few of them bring all of it: that nobody has paid much yet does not say that nobody ever will.
   */
  mean: number;
  interval: IntervalView | null;
  total: number;
  /**
   * Share by which the mean is above control's, adjusted for what was known before; null for control and while unknown.
   */
  lift: number | null;
  lift_interval: IntervalView | null;
  difference: number | null;
  difference_interval: IntervalView | null;
  /** Share of the variance that what was known before explains. */
  explained: number;
}

export interface VariantView {
  name: string;
  control: boolean;
  share: number;
  assigned: number;
  users: number;
  exposures: number;
  /** Persons with the first rate among the metrics; null where there is none. */
  conversions: number | null;
  /** Of the primary metric. */
  lift: number | null;
  interval: IntervalView | null;
  /** The interval is null where control's mean was too near 0 for a lift. */
  stopped: { at: string; metric: string; interval: IntervalView | null } | null;
  metrics: Record<string, MetricResult>;
  /** What the primary metric would be if everybody saw this variant. */
  off_policy: OffPolicyView;
}

export interface ExperimentView {
  name: string;
  run: string;
  started_at: string;
  updated_at: string;
  primary: string;
  control: string;
  window_s: number;
  covariate: string;
  holdout: boolean;
  interleave: string | null;
  /** All intervals of the primary metric hold at every moment with this probability. */
  confidence: number;
  users: number;
  sample_ratio: { ok: boolean; p_value: number };
  /** Persons who turned out to be one, with two variants: they count for the one that was seen first. */
  mixed: number;
  /** How often it was seen by somebody new whose address had brought more than its share of the persons. */
  left_out: number;
  guards: { metric: string; worse_by: number }[];
  metrics: { name: string; kind: string; better: string }[];
  variants: VariantView[];
  interleaving: { wins: Record<string, number>; ties: number; share: number | null; interval: IntervalView } | null;
  /** The primary metric over time. */
  history: { at: string; users: number[]; means: number[]; lows: (number | null)[]; highs: (number | null)[] }[];
}

/**
 * Persons who would bring as much if each brought the same (Kish), before a mean that is no rate has an interval. Of purchases
 * the large ones come late, and before them a mean is low and seems sure: intervals of what one in twenty spends (heavy tail)
 * missed the truth in 16 of 100 runs, looked at every 25 persons from 30 on; with 10 in 8, with 20 in 5 (simulated).
 */
const BRINGERS_MIN = 20;

/** Below it the shares of people are surely not the promised ones, and no other number can be trusted. */
const MISMATCH_P = 0.001;

export function experimentView(experiment: CompiledExperiment, run: Run, leftOut = 0): ExperimentView {
  const { variants, control, metrics, primary } = experiment;
  const pValue = Math.min(1, exp2(-run.mismatch / LN2));
  return {
    name: experiment.name,
    run: run.id,
    started_at: formatTimestamp(run.startedMs),
    updated_at: formatTimestamp(run.changedMs),
    primary: metrics[primary]!.name,
    control: variants[control]!.name,
    window_s: experiment.windowMs / 1000,
    covariate: experiment.covariateName,
    holdout: experiment.isHoldout,
    interleave: experiment.interleave,
    confidence: 1 - ALPHA,
    users: run.variants.reduce((sum, { users }) => sum + users, 0),
    sample_ratio: { ok: pValue > MISMATCH_P, p_value: pValue },
    mixed: run.mixed,
    left_out: leftOut,
    guards: experiment.guards.map(({ metric, worseBy }) => ({ metric: metrics[metric]!.name, worse_by: worseBy })),
    metrics: metrics.map(({ name, kind, better }) => ({ name, kind, better })),
    variants: variants.map((_, variant) => variantView(experiment, run, variant)),
    interleaving: experiment.interleave === null ? null : interleavingView(experiment, run),
    history: run.history.map(({ atMs, users, means, lows, highs }) => ({
      at: formatTimestamp(atMs),
      users,
      means,
      lows: lows.map(known),
      highs: highs.map(known),
    })),
  };
}

function variantView(experiment: CompiledExperiment, run: Run, variant: number): VariantView {
  const { variants, control, metrics, primary } = experiment;
  const { assigned, users, exposures, moments } = run.variants[variant]!;
  const rate = isRate(metrics[primary]!) ? primary : metrics.findIndex(isRate);
  const results = metrics.map((_, metric) => metricResult(experiment, run, { metric, variant }));
  const stop = run.stops.find((one) => one.variant === variant);
  // Squares that add up to more than the square of the sum are those of values that cancel each other.
  const { y, yy } = moments[primary]!;
  const isSigned = yy > y * y;
  return {
    name: variants[variant]!.name,
    control: variant === control,
    share: variants[variant]!.share,
    assigned,
    users,
    exposures,
    conversions: rate < 0 ? null : moments[rate]!.y,
    lift: results[primary]!.lift,
    interval: results[primary]!.lift_interval,
    stopped:
      stop === undefined
        ? null
        : { at: formatTimestamp(stop.atMs), metric: stop.metric, interval: stop.high < UNTOLD_LIFT.high ? viewOf(stop) : null },
    metrics: Object.fromEntries(results.map((result, i) => [metrics[i]!.name, result])),
    off_policy: offPolicyView(offPolicyAnswer(sumsOfAlways(experiment, run, variant), { isSigned })),
  };
}

function metricResult(
  experiment: CompiledExperiment,
  run: Run,
  { metric, variant }: { metric: number; variant: number },
): MetricResult {
  const all = run.variants.map(({ moments }) => moments[metric]!);
  const own = all[variant]!;
  const estimate = estimateOf(own);
  const isOne = isRate(experiment.metrics[metric]!);
  // What cancels out does not say how many bring it.
  const areFew = own.yy <= own.y * own.y && own.y * own.y < BRINGERS_MIN * own.yy;
  const isKnown = own.count >= USERS_MIN && estimate.variance > 0 && !areFew;
  const interval = isOne ? betInterval(own.y, own.count, ALPHA) : isKnown ? meanInterval(estimate, ALPHA) : undefined;
  const shared = {
    mean: estimate.mean,
    interval: viewOf(interval),
    total: own.y,
    explained: adjustmentOf(all).explained,
  };
  if (variant === experiment.control) {
    return { ...shared, lift: null, lift_interval: null, difference: null, difference_interval: null };
  }
  const compared = compare(run, experiment, { metric, variant, alpha: alphaOf(experiment) });
  const { variant: a, control: b, difference, lift } = compared;
  return {
    ...shared,
    lift: b.mean > 0 ? a.mean / b.mean - 1 : null,
    lift_interval: viewOf(lift),
    difference: Math.min(a.count, b.count) === 0 ? null : a.mean - b.mean,
    difference_interval: viewOf(difference),
  };
}

/** Each list is won by either ranking with even chances where they are equally good; ties say nothing. */
function interleavingView({ variants }: CompiledExperiment, { wins }: Run): ExperimentView["interleaving"] {
  const [a, b, ties] = wins;
  return {
    wins: { [variants[0]!.name]: a, [variants[1]!.name]: b },
    ties,
    share: a + b === 0 ? null : b / (a + b),
    interval: viewOf(betInterval(b, a + b, ALPHA))!,
  };
}

function viewOf(interval: Interval | undefined): IntervalView | null {
  if (interval === undefined || !Number.isFinite(interval.low) || !Number.isFinite(interval.high)) return null;
  return { low: interval.low, high: interval.high };
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
