// From a sample of profiles to the groups of one family: columns, points, groups under the numbers that they had, and what
// tells each from everybody. Pure and seeded; it belongs into a worker, because density is quadratic.
import { rngFrom } from "../math/rng.ts";
import { densityGroups } from "./dbscan.ts";
import { trainKMeans, type Centre } from "./kmeans.ts";
import { groupOf, squaredDistance, type Distinction, type LearnedColumn, type LearnedFamily, type LearnedGroup } from "./learned.ts";

export interface FamilySettings {
  readonly key: string;
  readonly method: "kmeans" | "dbscan";
  readonly groupsMax: number;
  readonly leastSize: number;
  readonly reach?: number | undefined;
}

export interface Sample {
  /** Columns by name; a row of `values` a person, NaN where he lacks the number. */
  readonly columns: readonly string[];
  readonly values: readonly Float64Array[];
}

export interface TrainingTime {
  readonly atMs: number;
  readonly seed: number;
}

/** More would only make the density's n² longer. */
export const SAMPLE_MAX: Readonly<Record<FamilySettings["method"], number>> = { kmeans: 5_000, dbscan: 1_500 };
const DISTINCTIONS_MAX = 4;
const DISTINCT_MIN = 0.3; // Standard deviations by which a group's mean must differ to be worth a word.
const NEIGHBOURS_MIN = 8;
const DIGITS = 6;
const LAST_DIGIT = 1e-6; // Of a number of DIGITS digits, as a share.

/** @param before - what was learnt last for the same definition. */
export function trainFamily(read: Sample, before: LearnedFamily | undefined, settings: FamilySettings, time: TrainingTime): LearnedFamily {
  const within = bounded(read, settings.leastSize);
  const columns = scaled(within);
  // Centres are means, and are sought far out first. Density passes over who stands alone, and would see a crowd at the bound.
  const sample = settings.method === "kmeans" ? within : read;
  const points = sample.values.map((row) => Float64Array.from(columns, ({ name, mean, scale }) => {
    const value = row[sample.columns.indexOf(name)]!;
    return value - value === 0 ? (value - mean) * scale : 0;
  }));
  // Where nobody differs from anybody, density would find one group of all.
  if (columns.length === 0) return { key: settings.key, trained_at: time.atMs, persons: points.length, columns, groups: [] };
  const kept = before?.key === settings.key ? moved(before, columns) : [];
  const groups = settings.method === "kmeans" ? byCentre(points, kept, settings, time.seed) : byDensity(points, kept, settings);
  const family: LearnedFamily = { key: settings.key, trained_at: time.atMs, persons: points.length, columns, groups };
  const members = new Map<number, Float64Array[]>();
  points.forEach((point, i) => {
    const number = groupOf(family, point);
    const own = members.get(number);
    if (own === undefined) members.set(number, [sample.values[i]!]);
    else own.push(sample.values[i]!);
  });
  return { ...family, groups: groups.map((group) => explained(group, members.get(group.number) ?? [], sample, columns)) };
}

/**
 * Features between the values that `least` persons reach: what fewer have makes no group, but one who says that he spent 1e308 would
 * stretch the column's deviation until everybody else looked the same. Interests are shares, bounded as they are.
 */
function bounded({ columns, values }: Sample, least: number): Sample {
  const bounds = columns.map((name, c): [low: number, high: number] => {
    if (name.startsWith("interest:")) return [-Infinity, Infinity];
    const known = Float64Array.from(values.map((row) => row[c]!).filter((value) => value - value === 0)).sort();
    return known.length < 2 * least ? [-Infinity, Infinity] : [known[least - 1]!, known[known.length - least]!];
  });
  const within = (value: number, c: number): number => Math.min(bounds[c]![1], Math.max(bounds[c]![0], value));
  return { columns, values: values.map((row) => row.map(within)) };
}

/** Mean and 1 / standard deviation of each column; a number that is the same for all tells nothing and is left out. */
function scaled({ columns, values }: Sample): LearnedColumn[] {
  return columns.flatMap((name, c): LearnedColumn[] => {
    const known = values.map((row) => row[c]!).filter((value) => value - value === 0);
    if (known.length < 2) return [];
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const variance = known.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / known.length;
    // Interests are shares of one whole: left on their own scale, so that a rare one does not shout.
    const scale = name.startsWith("interest:") ? 2 : 1 / Math.sqrt(variance);
    return variance > 1e-9 ? [{ name, mean: rounded(mean), scale: rounded(scale) }] : [];
  });
}

interface Kept {
  readonly number: number;
  readonly size: number;
  /** Mean of the group's points, on the new columns' scale. */
  readonly centre: Float64Array;
}

/** The groups of before where the new columns have them. */
function moved(before: LearnedFamily, columns: readonly LearnedColumn[]): Kept[] {
  return before.groups.map(({ number, size, points }) => ({
    number,
    size,
    centre: Float64Array.from(columns, ({ name, mean, scale }) => {
      const at = before.columns.findIndex((column) => column.name === name);
      if (at < 0) return 0;
      const old = before.columns[at]!;
      const value = points.reduce((sum, point) => sum + point[at]!, 0) / points.length / old.scale + old.mean;
      return (value - mean) * scale;
    }),
  }));
}

function byCentre(points: readonly Float64Array[], kept: readonly Kept[], settings: FamilySettings, seed: number): LearnedGroup[] {
  const { groupsMax, leastSize } = settings;
  const before: Centre[] = kept.map(({ size, centre }) => ({ point: centre, weight: size }));
  const centres = trainKMeans(points, before, { groupsMax, leastSize, rng: rngFrom(seed) });
  const numbers = matched(centres.map(({ point }) => point), kept, groupsMax);
  return centres
    .map(({ point, weight }, c) => ({ number: numbers[c]!, points: [Array.from(point, rounded)], size: weight, distinctions: [] }))
    .sort((a, b) => a.number - b.number);
}

function byDensity(points: readonly Float64Array[], kept: readonly Kept[], settings: FamilySettings): LearnedGroup[] {
  const { reach, leastSize, groupsMax } = settings;
  const groups = densityGroups(points, { reach, leastSize, groupsMax, neighboursMin: NEIGHBOURS_MIN });
  const centres = groups.map(({ members }) => meanOf(members.map((i) => points[i]!)));
  const numbers = matched(centres, kept, groupsMax);
  return groups
    .map(({ points: own, members }, g) => {
      const all = members.map((i) => points[i]!);
      const stored = own.map((point) => Array.from(meanAround(point, all, leastSize), rounded));
      return { number: numbers[g]!, points: stored, radius: reachOf(stored, all), size: members.length, distinctions: [] };
    })
    .sort((a, b) => a.number - b.number);
}

/** Of the `count` members nearest to the point: by itself it is one person, and would outlive their erasure. */
function meanAround(point: Float64Array, members: readonly Float64Array[], count: number): Float64Array {
  const apart = new Map(members.map((member) => [member, squaredDistance(member, point)]));
  return meanOf([...members].sort((a, b) => apart.get(a)! - apart.get(b)!).slice(0, count));
}

/** A radius within which every member lies from one of the points as they are stored: rounded, they are not where they were. */
function reachOf(stored: readonly (readonly number[])[], members: readonly Float64Array[]): number {
  let farthest = 0;
  for (const member of members) farthest = Math.max(farthest, Math.min(...stored.map((point) => squaredDistance(member, point))));
  const radius = Math.sqrt(farthest);
  return rounded(radius + LAST_DIGIT * (1 + 10 * radius));
}

/**
 * The nearest pair of an old and a new group keeps the number, then the next, where they are nearer than old groups are to
 * each other. Who has no old one gets a number that nobody had, or else one that nobody has.
 */
function matched(centres: readonly ArrayLike<number>[], kept: readonly Kept[], groupsMax: number): number[] {
  const roomOf = kept.map(({ centre }, k) =>
    kept.reduce((least, other, o) => (o === k ? least : Math.min(least, squaredDistance(centre, other.centre))), Infinity),
  );
  const pairs = centres.flatMap((centre, g) => kept.map((old, k) => ({ g, k, distance: squaredDistance(centre, old.centre) })));
  pairs.sort((a, b) => a.distance - b.distance || a.g - b.g || a.k - b.k);
  const numbers = centres.map(() => 0);
  const taken = new Set<number>();
  for (const { g, k, distance } of pairs) {
    const { number } = kept[k]!;
    if (numbers[g] !== 0 || taken.has(number) || number > groupsMax || distance * 2 > roomOf[k]!) continue;
    numbers[g] = number;
    taken.add(number);
  }
  const free = Array.from({ length: groupsMax }, (_, i) => i + 1).filter((number) => !taken.has(number));
  const had = new Set(kept.map(({ number }) => number));
  free.sort((a, b) => Number(had.has(a)) - Number(had.has(b)) || a - b);
  return numbers.map((number) => (number === 0 ? free.shift()! : number));
}

function explained(group: LearnedGroup, members: readonly Float64Array[], sample: Sample, columns: readonly LearnedColumn[]): LearnedGroup {
  const found = columns.map((column): Distinction & { strength: number } => {
    const c = sample.columns.indexOf(column.name);
    const known = members.map((row) => row[c]!).filter((value) => value - value === 0);
    const mean = known.length === 0 ? column.mean : known.reduce((sum, value) => sum + value, 0) / known.length;
    return { column: column.name, mean: rounded(mean), of_all: column.mean, strength: Math.abs(mean - column.mean) / deviation(sample, c) };
  });
  const distinctions = found
    .filter(({ strength }) => strength >= DISTINCT_MIN)
    .sort((a, b) => b.strength - a.strength)
    .slice(0, DISTINCTIONS_MAX)
    .map(({ strength: _, ...distinction }) => distinction);
  return { ...group, size: members.length, distinctions };
}

function deviation({ values }: Sample, c: number): number {
  const known = values.map((row) => row[c]!).filter((value) => value - value === 0);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return Math.sqrt(known.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / known.length) || 1;
}

function meanOf(points: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(points[0]?.length ?? 0);
  for (const point of points) for (let d = 0; d < mean.length; d++) mean[d] = mean[d]! + point[d]! / points.length;
  return mean;
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** Whether persons would find themselves elsewhere: the share of the sample whose group is another than before. */
export function movedShare(sample: Sample, before: LearnedFamily, after: LearnedFamily): number {
  let changed = 0;
  for (const row of sample.values) if (numberIn(before, sample, row) !== numberIn(after, sample, row)) changed++;
  return sample.values.length === 0 ? 0 : changed / sample.values.length;
}

function numberIn(family: LearnedFamily, sample: Sample, row: Float64Array): number {
  const point = family.columns.map(({ name, mean, scale }) => {
    const value = row[sample.columns.indexOf(name)];
    return value === undefined || value - value !== 0 ? 0 : (value - mean) * scale;
  });
  return groupOf(family, point);
}
