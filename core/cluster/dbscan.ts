// DBSCAN (Ester, Kriegel, Sander, Xu, KDD 1996) over a bounded sample: groups of whatever shape that are dense, and no group
// for whoever stands alone. A group is kept as a few of its points, far from each other.
import { squaredDistance } from "./learned.ts";

export interface DensityOptions {
  /** Distance within which points are neighbours; undefined: where most points have `neighboursMin` of them. */
  readonly reach?: number | undefined;
  /** Neighbours, itself counted, that make a point the core of a group. */
  readonly neighboursMin: number;
  readonly leastSize: number;
  readonly groupsMax: number;
}

export interface DenseGroup {
  readonly points: readonly Float64Array[];
  /** Places of its members. */
  readonly members: readonly number[];
}

/** Points that stand for one group at most. */
const POINTS_MAX = 16;
const NONE = -1;
const UNSEEN = -2;

/** The largest groups first; equal ones by their first point. O(n²). */
export function densityGroups(points: readonly Float64Array[], options: DensityOptions): DenseGroup[] {
  const { neighboursMin, leastSize, groupsMax } = options;
  const labels = dbscan(points, options.reach ?? usualReach(points, neighboursMin), neighboursMin);
  const members = new Map<number, number[]>();
  labels.forEach((label, i) => {
    if (label === NONE) return;
    const own = members.get(label);
    if (own === undefined) members.set(label, [i]);
    else own.push(i);
  });
  return [...members.values()]
    .filter(({ length }) => length >= leastSize)
    .sort((a, b) => b.length - a.length || a[0]! - b[0]!)
    .slice(0, groupsMax)
    .map((own) => ({ points: represented(points, own), members: own }));
}

/** Number of each point's group from 0, or -1 for noise. */
export function dbscan(points: readonly Float64Array[], reach: number, neighboursMin: number): Int32Array {
  const labels = new Int32Array(points.length).fill(UNSEEN);
  const limit = reach * reach;
  const around = (i: number): number[] => {
    const found: number[] = [];
    for (let j = 0; j < points.length; j++) if (squaredDistance(points[i]!, points[j]!) <= limit) found.push(j);
    return found;
  };
  let groups = 0;
  for (let i = 0; i < points.length; i++) {
    if (labels[i] !== UNSEEN) continue;
    const near = around(i);
    if (near.length < neighboursMin) {
      labels[i] = NONE;
      continue;
    }
    const group = groups++;
    labels[i] = group;
    const open = near;
    for (let at = 0; at < open.length; at++) {
      const j = open[at]!;
      if (labels[j] === NONE) labels[j] = group; // At the border: of the group, but it does not grow from here.
      if (labels[j] !== UNSEEN) continue;
      labels[j] = group;
      const next = around(j);
      if (next.length >= neighboursMin) for (const k of next) if (labels[k]! < 0) open.push(k);
    }
  }
  return labels;
}

/** Nine in ten points have their neighbours within it. */
function usualReach(points: readonly Float64Array[], neighboursMin: number): number {
  const farthest = points.map((point) => {
    const distances = Float64Array.from(points, (other) => squaredDistance(point, other)).sort();
    return Math.sqrt(distances[Math.min(neighboursMin, points.length) - 1]!);
  });
  return farthest.sort((a, b) => a - b)[Math.floor(0.9 * (points.length - 1))] ?? 0;
}

/** Points far from each other (Gonzalez 1985), beginning with the first member. */
function represented(points: readonly Float64Array[], members: readonly number[]): Float64Array[] {
  const chosen = [points[members[0]!]!];
  const distances = members.map((i) => squaredDistance(points[i]!, chosen[0]!));
  while (chosen.length < POINTS_MAX) {
    let far = 0;
    for (let m = 1; m < members.length; m++) if (distances[m]! > distances[far]!) far = m;
    if (distances[far] === 0) break;
    const point = points[members[far]!]!;
    chosen.push(point);
    for (let m = 0; m < members.length; m++) distances[m] = Math.min(distances[m]!, squaredDistance(points[members[m]!]!, point));
  }
  return chosen;
}
