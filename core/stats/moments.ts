// Sums of one variant's outcomes, and means that what was known before the exposure makes steadier (CUPED: Deng, Xu,
// Kohavi, Walker: "Improving the sensitivity of online controlled experiments", WSDM 2013).
import type { Estimate } from "./confidence.ts";

/** Of persons: outcome y, and x known before they were exposed. */
export interface Moments {
  count: number;
  x: number;
  xx: number;
  y: number;
  yy: number;
  xy: number;
}

export function emptyMoments(): Moments {
  return { count: 0, x: 0, xx: 0, y: 0, yy: 0, xy: 0 };
}

/** One more person. */
export function addPerson(moments: Moments, x: number, y: number): void {
  moments.count++;
  moments.x += x;
  moments.xx += x * x;
  moments.y += y;
  moments.yy += y * y;
  moments.xy += x * y;
}

/** The person whose outcome was `before` has `after` now. */
export function changeOutcome(moments: Moments, x: number, before: number, after: number): void {
  moments.y += after - before;
  moments.yy += after * after - before * before;
  moments.xy += x * (after - before);
}

/** Takes a person out again. */
export function dropPerson(moments: Moments, x: number, y: number): void {
  moments.count--;
  moments.x -= x;
  moments.xx -= x * x;
  moments.y -= y;
  moments.yy -= y * y;
  moments.xy -= x * y;
}

const varianceOf = (sum: number, squares: number, count: number): number =>
  count < 2 ? 0 : Math.max(0, (squares - (sum * sum) / count) / (count - 1));

/** The plain mean. */
export function estimateOf({ count, y, yy }: Moments): Estimate {
  if (count === 0) return { mean: 0, variance: 0, count: 0 };
  return { mean: y / count, variance: varianceOf(y, yy, count) / count, count };
}

export interface Adjustment {
  /** How much of x is taken off y. */
  slope: number;
  /** Mean of x over all. */
  centre: number;
  /** Share of the outcome's variance that x explains, 0–1. */
  explained: number;
}

/** One adjustment for all variants: the slope within them, so that no effect of a variant can hide in it. */
export function adjustmentOf(variants: readonly Moments[]): Adjustment {
  let [count, x, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (const moments of variants) {
    if (moments.count === 0) continue;
    count += moments.count;
    x += moments.x;
    xx += moments.xx - (moments.x * moments.x) / moments.count;
    xy += moments.xy - (moments.x * moments.y) / moments.count;
    yy += moments.yy - (moments.y * moments.y) / moments.count;
  }
  // What is left of a difference of sums that should be 0 is no spread.
  const isFlat = !(xx > 1e-9 * Math.max(1, (x * x) / count)) || !(yy > 0);
  if (isFlat) return { slope: 0, centre: 0, explained: 0 };
  return { slope: xy / xx, centre: x / count, explained: Math.min(1, (xy * xy) / (xx * yy)) };
}

/** Variance of one person's adjusted outcome around all persons' mean: what each variant's is where none differs. */
export function commonVariance(variants: readonly Moments[], { slope }: Adjustment): number {
  let [count, z, zz] = [0, 0, 0];
  for (const { count: own, x, xx, y, yy, xy } of variants) {
    count += own;
    z += y - slope * x;
    zz += yy - 2 * slope * xy + slope * slope * xx;
  }
  return varianceOf(z, zz, count);
}

/** The mean as if the variant's persons had been average before. */
export function adjustedEstimate(moments: Moments, { slope, centre }: Adjustment): Estimate {
  const { count, x, xx, y, yy, xy } = moments;
  if (slope === 0 || count === 0) return estimateOf(moments);
  const [z, zz] = [y - slope * x, yy - 2 * slope * xy + slope * slope * xx];
  return { mean: z / count + slope * centre, variance: varianceOf(z, zz, count) / count, count };
}
