// Online k-means (MacQueen 1967; bounded rates as in Sculley, "Web-scale k-means clustering", WWW 2010): each point moves its
// nearest centre by 1 / (points of the centre so far), at least RATE_MIN, so that centres follow visitors who change.
// A training goes on from the centres of the one before; the first, and what is left of `groupsMax`, begins with k-means++
// (Arthur, Vassilvitskii 2007). Groups that are too small, or that say the same, are given up.
import type { Rng } from "../math/rng.ts";
import { squaredDistance } from "./learned.ts";

export interface Centre {
  readonly point: Float64Array;
  /** Points that it stands for so far. */
  weight: number;
}

export interface KMeansOptions {
  readonly groupsMax: number;
  /** Points that a group must have. */
  readonly leastSize: number;
  readonly rng: Rng;
}

const PASSES = 8;
const RATE_MIN = 0.002;
const CARRIED = 0.5; // Of the weight with which a centre comes from the training before.

/** Centres with their points' number as weight, at most `groupsMax`; none where there are too few points. */
export function trainKMeans(points: readonly Float64Array[], before: readonly Centre[], options: KMeansOptions): Centre[] {
  const { groupsMax, leastSize, rng } = options;
  if (points.length < 2 * leastSize) return [];
  let centres = seedCentres(points, before, groupsMax, rng);
  const order = rng.shuffle(points.map((_, i) => i));
  for (let pass = 0; pass < PASSES; pass++) {
    for (const i of order) {
      const centre = centres[nearest(centres, points[i]!)]!;
      centre.weight++;
      const rate = Math.max(RATE_MIN, 1 / centre.weight);
      for (let d = 0; d < centre.point.length; d++) centre.point[d] = centre.point[d]! + (points[i]![d]! - centre.point[d]!) * rate;
    }
  }
  settle(points, centres);
  centres = withoutSmall(points, centres, leastSize);
  centres = withoutSmall(points, withoutAlike(points, centres), leastSize);
  return centres.length < 2 ? [] : centres;
}

function seedCentres(points: readonly Float64Array[], before: readonly Centre[], groupsMax: number, rng: Rng): Centre[] {
  const centres: Centre[] = before
    .slice(0, groupsMax)
    .map(({ point, weight }) => ({ point: Float64Array.from(point), weight: weight * CARRIED }));
  const distances = points.map((point) => (centres.length === 0 ? 1 : squaredDistance(point, centres[nearest(centres, point)]!.point)));
  while (centres.length < groupsMax) {
    const sum = distances.reduce((all, distance) => all + distance, 0);
    if (!(sum > 0)) break;
    let left = (rng.between(0, 999_999) / 1_000_000) * sum;
    let at = 0;
    while (at < points.length - 1 && (left -= distances[at]!) > 0) at++;
    const point = Float64Array.from(points[at]!);
    centres.push({ point, weight: 0 });
    for (let i = 0; i < points.length; i++) distances[i] = centres.length === 1 ? squaredDistance(points[i]!, point) : Math.min(distances[i]!, squaredDistance(points[i]!, point));
  }
  return centres;
}

function nearest(centres: readonly { readonly point: ArrayLike<number> }[], point: ArrayLike<number>): number {
  let best = 0;
  let least = Infinity;
  for (let c = 0; c < centres.length; c++) {
    const distance = squaredDistance(centres[c]!.point, point);
    if (distance >= least) continue;
    least = distance;
    best = c;
  }
  return best;
}

/** One step of Lloyd's: the mean of each centre's points, and their number. */
function settle(points: readonly Float64Array[], centres: readonly Centre[]): void {
  const sums = centres.map(({ point }) => new Float64Array(point.length));
  const counts = centres.map(() => 0);
  for (const point of points) {
    const c = nearest(centres, point);
    counts[c] = counts[c]! + 1;
    for (let d = 0; d < point.length; d++) sums[c]![d] = sums[c]![d]! + point[d]!;
  }
  centres.forEach((centre, c) => {
    centre.weight = counts[c]!;
    if (counts[c]! > 0) for (let d = 0; d < centre.point.length; d++) centre.point[d] = sums[c]![d]! / counts[c]!;
  });
}

/** The smallest goes, and its points to their next centre, until none is too small. */
function withoutSmall(points: readonly Float64Array[], centres: Centre[], leastSize: number): Centre[] {
  let left = centres;
  while (left.length > 0) {
    const smallest = left.reduce((least, centre) => (centre.weight < least.weight ? centre : least));
    if (smallest.weight >= leastSize) return left;
    left = left.filter((centre) => centre !== smallest);
    if (left.length > 0) settle(points, left);
  }
  return left;
}

/** The two nearest become one for as long as the others are told apart better by it (simplified silhouette). */
function withoutAlike(points: readonly Float64Array[], centres: Centre[]): Centre[] {
  let best = centres;
  let bestScore = silhouette(points, centres);
  let left = centres;
  while (left.length > 2) {
    left = merged(points, left);
    const score = silhouette(points, left);
    // More groups must earn their keep: as good with fewer is better.
    if (score < bestScore) continue;
    best = left;
    bestScore = score;
  }
  return best;
}

function merged(points: readonly Float64Array[], centres: readonly Centre[]): Centre[] {
  let [a, b] = [0, 1];
  let least = Infinity;
  for (let i = 0; i < centres.length; i++) {
    for (let j = i + 1; j < centres.length; j++) {
      const distance = squaredDistance(centres[i]!.point, centres[j]!.point);
      if (distance >= least) continue;
      least = distance;
      [a, b] = [i, j];
    }
  }
  const gone = centres[a]!.weight >= centres[b]!.weight ? b : a;
  const left = centres.filter((_, c) => c !== gone).map((centre) => ({ ...centre, point: Float64Array.from(centre.point) }));
  settle(points, left);
  return left;
}

/** Mean over the points of (b − a) / max(a, b): a to the own centre, b to the next one. 0–1. */
export function silhouette(points: readonly Float64Array[], centres: readonly Centre[]): number {
  if (centres.length < 2) return 0;
  let sum = 0;
  for (const point of points) {
    let a = Infinity;
    let b = Infinity;
    for (const centre of centres) {
      const distance = squaredDistance(centre.point, point);
      if (distance < a) [a, b] = [distance, a];
      else if (distance < b) b = distance;
    }
    const [own, next] = [Math.sqrt(a), Math.sqrt(b)];
    if (next > 0) sum += (next - own) / next;
  }
  return sum / points.length;
}
