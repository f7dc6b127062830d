// One variant against control in one metric: how much better or worse, with intervals that hold whenever one looks.
import type { CompiledExperiment, CompiledMetric } from "../program/compiled.ts";
import type { ExperimentStop } from "../record.ts";
import { contrastInterval, differenceInterval, type Estimate, type Interval, liftInterval } from "../stats/confidence.ts";
import { adjustedEstimate, adjustmentOf, commonVariance, type Adjustment } from "../stats/moments.ts";
import { isNeverNegative, isRate } from "./metrics.ts";
import { isStopped, type Run } from "./run.ts";

/** How often, over the whole life of an experiment, any of its intervals misses the truth. */
export const ALPHA = 0.05;
/**
 * Persons in either variant, and of a rate also hits and misses in both together, before there is an interval: it is
 * right for sums that are nearly normal, which fewer are not. Found on simulations of no difference
 * (docs/benchmarks.md).
 */
export const USERS_MIN = 30;
const EVENTS_MIN = 10;

export interface Comparison {
  readonly variant: Estimate;
  readonly control: Estimate;
  readonly adjustment: Adjustment;
  /** Undefined while too little is known. */
  readonly difference: Interval | undefined;
  /** Of the variant's mean over control's, minus 1; undefined also while control's mean cannot be told from 0. */
  readonly lift: Interval | undefined;
}

export interface ComparisonQuestion {
  readonly metric: number;
  readonly variant: number;
  readonly alpha: number;
}

export function compare(run: Run, experiment: CompiledExperiment, question: ComparisonQuestion): Comparison {
  const { metric, variant, alpha } = question;
  const all = run.variants.map(({ moments }) => moments[metric]!);
  const adjustment = adjustmentOf(all);
  const [own, control] = [all[variant]!, all[experiment.control]!];
  const common = commonVariance(all, adjustment);
  const [a, b] = [own, control].map((moments): Estimate => {
    const estimate = adjustedEstimate(moments, adjustment);
    // Few persons of whom none has bought yet show no spread at all; what all variants show together is then nearer.
    return { ...estimate, variance: Math.max(estimate.variance, common / Math.max(1, moments.count)) };
  }) as [Estimate, Estimate];
  const hits = own.y + control.y;
  const misses = own.count + control.count - hits;
  const isEarly =
    Math.min(own.count, control.count) < USERS_MIN ||
    (isRate(experiment.metrics[metric]!) && Math.min(hits, misses) < EVENTS_MIN) ||
    !(a.variance + b.variance > 0);
  if (isEarly) return { variant: a, control: b, adjustment, difference: undefined, lift: undefined };
  return {
    variant: a,
    control: b,
    adjustment,
    difference: differenceInterval(a, b, alpha),
    lift: liftOf(experiment.metrics[metric]!, liftInterval(a, b, alpha)),
  };
}

/** Nothing falls by more than all of it, whatever a normal law leaves open. */
function liftOf(metric: CompiledMetric, lift: Interval | undefined): Interval | undefined {
  return lift !== undefined && isNeverNegative(metric) ? { low: Math.max(-1, lift.low), high: Math.max(-1, lift.high) } : lift;
}

/** The share of ALPHA for one of the comparisons with control. */
export function alphaOf({ variants }: CompiledExperiment, metrics = 1): number {
  return ALPHA / Math.max(1, variants.length - 1) / metrics;
}

/** In the log of a stop, where control's mean is so near 0 that harm is no share of it. */
export const UNTOLD_LIFT: Interval = { low: -Number.MAX_VALUE, high: Number.MAX_VALUE };

/**
 * Where there is a lift, the same as its interval beyond `worseBy`. A guard must also see harm that control hardly has
 * (complaints, errors): then the allowed share is taken of control's mean on whichever side of 0 it may be.
 */
function isSurelyWorse(
  { variant, control }: Comparison,
  better: "higher" | "lower",
  worseBy: number,
  alpha: number,
): boolean {
  return [1 - worseBy, 1 + worseBy].every((factor) => {
    const { low, high } = contrastInterval(variant, control, factor, alpha);
    return better === "higher" ? high < 0 : low > 0;
  });
}

/** Variants that are surely worse than a guard allows and have not been stopped yet. */
export function harmfulVariants(run: Run, experiment: CompiledExperiment): ExperimentStop[] {
  const stops: ExperimentStop[] = [];
  const alpha = alphaOf(experiment, experiment.guards.length);
  experiment.variants.forEach(({ name }, variant) => {
    if (variant === experiment.control || isStopped(run, variant)) return;
    for (const { metric, worseBy } of experiment.guards) {
      const compared = compare(run, experiment, { metric, variant, alpha });
      const { better, name: metricName } = experiment.metrics[metric]!;
      if (compared.difference === undefined || !isSurelyWorse(compared, better, worseBy, alpha)) continue;
      const { low, high } = compared.lift ?? UNTOLD_LIFT;
      stops.push({ experiment: experiment.name, run: run.id, variant: name, metric: metricName, low, high });
      return;
    }
  });
  return stops;
}
