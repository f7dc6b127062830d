// Intervals that hold at every moment at once: who looks after each observation, and stops when he likes what he sees,
// is still wrong at most as often as `alpha` says.
import { ln, logBeta } from "./gamma.ts";

export interface Interval {
  low: number;
  high: number;
}

/** A mean as its sums say it. */
export interface Estimate {
  mean: number;
  /** Of the mean itself: variance over count. */
  variance: number;
  count: number;
}

/** Observations at which the interval is tightest; at 300 it is a seventh wider, at 100,000 too (computed). */
const TIGHTEST_AT = 2_000;

/**
 * How many standard errors an asymptotic confidence sequence reaches to either side after `count` observations
 * (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and asymptotic confidence
 * sequences", Ann. Stat. 2024, eq. 2: Robbins' normal mixture). A fixed-sample interval would be 1.96 for alpha 0.05;
 * this is 3 to 4.
 */
export function anytimeErrors(count: number, alpha: number): number {
  if (count <= 0) return Infinity;
  const spent = -2 * ln(alpha);
  const rho2 = (spent + ln(spent) + 1) / TIGHTEST_AT;
  const grown = count * rho2 + 1;
  return Math.sqrt(((2 * grown) / (count * rho2)) * ln(Math.sqrt(grown) / alpha));
}

/** A mean's interval, valid at any time. */
export function meanInterval({ mean, variance, count }: Estimate, alpha: number): Interval {
  const half = anytimeErrors(count, alpha) * Math.sqrt(variance);
  return { low: mean - half, high: mean + half };
}

/** The interval of a − b for independent samples, valid at any time. */
export function differenceInterval(a: Estimate, b: Estimate, alpha: number): Interval {
  const half = anytimeErrors(a.count + b.count, alpha) * Math.sqrt(a.variance + b.variance);
  return { low: a.mean - b.mean - half, high: a.mean - b.mean + half };
}

/** The interval of a − factor · b for independent samples, valid at any time: `liftInterval` where b may also be near 0. */
export function contrastInterval(a: Estimate, b: Estimate, factor: number, alpha: number): Interval {
  return differenceInterval(a, { ...b, mean: factor * b.mean, variance: factor * factor * b.variance }, alpha);
}

/**
 * The interval of a / b − 1 for independent samples with b > 0, valid at any time: all ratios that the means do not
 * refute (Fieller 1954). Undefined while b cannot be told from 0.
 */
export function liftInterval(a: Estimate, b: Estimate, alpha: number): Interval | undefined {
  const errors = anytimeErrors(a.count + b.count, alpha);
  const reach = errors * errors;
  const square = b.mean * b.mean - reach * b.variance;
  if (!(square > 0) || b.mean <= 0) return undefined;
  const middle = a.mean * b.mean;
  const rest = a.mean * a.mean - reach * a.variance;
  const root = Math.sqrt(Math.max(0, middle * middle - square * rest));
  return { low: (middle - root) / square - 1, high: (middle + root) / square - 1 };
}

const BISECTIONS = 48;

/**
 * The interval of a probability after `hits` of `count`, exact at every moment: the values at which a gambler who bets
 * against them by Krichevsky and Trofimov's mixture has not multiplied his stake by 1/alpha (Robbins 1970; as a betting
 * interval: Waudby-Smith and Ramdas, JRSS B 2024).
 */
export function betInterval(hits: number, count: number, alpha: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const misses = count - hits;
  const won = logBeta(0.5 + hits, 0.5 + misses) - logBeta(0.5, 0.5);
  const limit = -ln(alpha);
  const refuted = (p: number): boolean =>
    won - (hits > 0 ? hits * ln(p) : 0) - (misses > 0 ? misses * ln(1 - p) : 0) > limit;
  const edge = (from: number, to: number): number => {
    // `from` is not refuted, `to` may be.
    let [kept, out] = [from, to];
    for (let i = 0; i < BISECTIONS; i++) {
      const middle = (kept + out) / 2;
      if (refuted(middle)) out = middle;
      else kept = middle;
    }
    return out;
  };
  const share = hits / count;
  return { low: hits === 0 ? 0 : edge(share, 0), high: misses === 0 ? 1 : edge(share, 1) };
}
