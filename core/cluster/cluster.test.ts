// Learned segments: groups that are there are found, numbers stay with them, and nobody is split for splitting's sake.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { kmeans } from "ml-kmeans";
import { rngFrom, type Rng } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { dbscan } from "./dbscan.ts";
import { silhouette, trainKMeans } from "./kmeans.ts";
import { groupOf, squaredDistance } from "./learned.ts";
import { trainFamily, type FamilySettings, type Sample } from "./train.ts";

const KMEANS: FamilySettings = { key: "k", method: "kmeans", groupsMax: 6, leastSize: 20 };
const DBSCAN: FamilySettings = { ...KMEANS, method: "dbscan" };
const AT = { atMs: 1_000, seed: 7 };
const NAMES = ["interest:audio", "interest:garden", "interest:books"];

/** About normal, by a sum of twelve. */
const noise = (rng: Rng): number => Array.from({ length: 12 }, () => rng.between(0, 1_000) / 1_000).reduce((a, b) => a + b, -6);

/** `size` persons around each centre; the truth is the place of the centre. */
function sampleOf(rng: Rng, centres: readonly (readonly number[])[], size: number, spread = 0.05): Sample & { truth: number[] } {
  const rows = centres.flatMap((centre, c) => Array.from({ length: size }, () => ({ c, row: Float64Array.from(centre, (x) => x + spread * noise(rng)) })));
  const shuffled = rng.shuffle(rows);
  return { columns: NAMES.slice(0, centres[0]!.length), values: shuffled.map(({ row }) => row), truth: shuffled.map(({ c }) => c) };
}

const CORNERS = [[0.9, 0.1, 0], [0, 0.9, 0.1], [0.1, 0, 0.9]];

function numbersOf(family: ReturnType<typeof trainFamily>, { columns, values }: Sample): number[] {
  return values.map((row) => groupOf(family, family.columns.map(({ name, mean, scale }) => (row[columns.indexOf(name)]! - mean) * scale)));
}

/** Share of persons that are where most of their group are. */
function purity(numbers: readonly number[], truth: readonly number[]): number {
  const counts = new Map<number, Map<number, number>>();
  numbers.forEach((number, i) => {
    const row = counts.get(number) ?? new Map<number, number>();
    counts.set(number, row.set(truth[i]!, (row.get(truth[i]!) ?? 0) + 1));
  });
  return [...counts.values()].reduce((sum, row) => sum + Math.max(...row.values()), 0) / truth.length;
}

test("dbscan: persons who are all alike are in their group, and are no group where nobody differs", () => {
  const rows = Array.from({ length: 500 }, (_, i) => Float64Array.of(i % 2, 1 - (i % 2), (i % 3) / 7));
  const family = trainFamily({ columns: NAMES, values: rows }, undefined, DBSCAN, AT);
  equal(family.groups.length, 6);
  deepEqual(family.groups.map(({ size }) => size).sort(), [83, 83, 83, 83, 84, 84]);
  ok(!numbersOf(family, { columns: NAMES, values: rows }).includes(0));
  for (const settings of [KMEANS, DBSCAN]) {
    for (const row of [[0.5, 0.5, 0], [NaN, NaN, NaN]]) {
      const same = Array.from({ length: 200 }, () => Float64Array.from(row));
      deepEqual(trainFamily({ columns: NAMES, values: same }, undefined, settings, AT).groups, []);
    }
  }
});

for (const settings of [KMEANS, DBSCAN]) {
  test(`${settings.method}: a few who claim to have spent 1e308 move nobody`, () => {
    forEachSeed(4, (rng) => {
      const columns = ["feature:spend", "feature:visits", "feature:scroll"];
      const rows = Array.from({ length: 600 }, (_, i) => [i % 2 === 0 ? 4 : 10, i % 2 === 0 ? 1 : 4, 0.5].map((x) => x + 0.2 * noise(rng)));
      const honest = { columns, values: rows.map((row) => Float64Array.from(row)) };
      const fakes = Array.from({ length: 10 }, (_, i) => Float64Array.of(1_000 - 90 * i, 900, -1_000 + 90 * i));
      const family = trainFamily({ columns, values: [...honest.values, ...fakes] }, undefined, settings, AT);
      const numbers = numbersOf(family, honest);
      ok(purity(numbers, numbers.map((_, i) => i % 2)) > 0.95, JSON.stringify(family.groups.map(({ size }) => size)));
      ok(numbers.filter((number) => number === 0).length < 60 && new Set(numbers).size >= 2, "and they are in groups");
    });
  });

  test(`${settings.method}: the groups that are there are found, no more, and explained`, () => {
    forEachSeed(6, (rng) => {
      const sample = sampleOf(rng, CORNERS, 150);
      const family = trainFamily(sample, undefined, settings, AT);
      equal(family.groups.length, 3);
      ok(purity(numbersOf(family, sample), sample.truth) > 0.98);
      for (const { distinctions, size } of family.groups) {
        ok(size > 120, `${size}`);
        const [strongest] = distinctions;
        ok(strongest!.mean > 0.8 && strongest!.of_all < 0.5, JSON.stringify(distinctions));
      }
      deepEqual(trainFamily(sample, undefined, settings, AT), family, "the same sample, the same groups");
    });
  });

  test(`${settings.method}: numbers stay with the groups while these move, come and go`, () => {
    forEachSeed(6, (rng) => {
      let centres = CORNERS.map((centre) => [...centre]);
      let before = trainFamily(sampleOf(rng, centres, 100), undefined, settings, AT);
      const numberAt = (family: typeof before, centre: readonly number[]): number =>
        groupOf(family, family.columns.map(({ name, mean, scale }) => (centre[NAMES.indexOf(name)]! - mean) * scale));
      const names = centres.map((centre) => numberAt(before, centre));
      for (let week = 0; week < 8; week++) {
        centres = centres.map((centre) => centre.map((x) => x + 0.02 * noise(rng)));
        before = trainFamily(sampleOf(rng, centres, 100), before, settings, AT);
        deepEqual(centres.map((centre) => numberAt(before, centre)), names, `week ${week}`);
      }
      // One group leaves, the others keep their numbers; another one comes and takes a free number.
      before = trainFamily(sampleOf(rng, centres.slice(1), 100), before, settings, AT);
      deepEqual(centres.slice(1).map((centre) => numberAt(before, centre)), names.slice(1));
      const joined = [...centres.slice(1), [0.4, 0.4, 2]];
      before = trainFamily(sampleOf(rng, joined, 100), before, settings, AT);
      deepEqual(centres.slice(1).map((centre) => numberAt(before, centre)), names.slice(1));
      ok(!names.slice(1).includes(numberAt(before, joined.at(-1)!)));
    });
  });
}

test("one cloud is no family, and a handful is no group", () => {
  forEachSeed(6, (rng) => {
    const few = trainFamily(sampleOf(rng, CORNERS, 5), undefined, KMEANS, AT);
    deepEqual(few.groups, []);
    const lonely = sampleOf(rng, [[0.9, 0.1, 0], [0, 0.9, 0.1]], 150);
    const odd = sampleOf(rng, [[0, 0, 4]], 10);
    const sample = { columns: lonely.columns, values: [...lonely.values, ...odd.values] };
    for (const settings of [KMEANS, DBSCAN]) {
      const family = trainFamily(sample, undefined, settings, AT);
      // k-means puts everybody somewhere, so the odd ones may pull some of the others to their side.
      ok(family.groups.length === 2 || (settings === KMEANS && family.groups.length === 3), `${settings.method}: ${family.groups.length}`);
      ok(family.groups.every(({ size }) => size >= 20));
    }
    const noisy = trainFamily(sample, undefined, DBSCAN, AT);
    equal(numbersOf(noisy, odd).every((number) => number === 0), true, "who stands alone is in no group");
  });
});

test("dbscan: what is kept of a group is nobody's: no point of it is one person", () => {
  forEachSeed(6, (rng) => {
    const sample = sampleOf(rng, CORNERS, 100);
    const { columns, groups } = trainFamily(sample, undefined, DBSCAN, AT);
    equal(groups.length, 3);
    const persons = sample.values.map((row) => columns.map(({ name, mean, scale }) => (row[sample.columns.indexOf(name)]! - mean) * scale));
    const nearest = groups.flatMap(({ points }) => points.map((point) => Math.min(...persons.map((person) => squaredDistance(point, person)))));
    ok(Math.min(...nearest) > 1e-9, `${Math.min(...nearest)}`);
  });
});

test("k-means comes as near to its points as ml-kmeans does", () => {
  forEachSeed(6, (rng) => {
    const { values } = sampleOf(rng, [...CORNERS, [0.5, 0.5, 0.5]], 120, 0.1);
    const own = trainKMeans(values, [], { groupsMax: 4, leastSize: 10, rng: rngFrom(1) });
    const cost = (centres: readonly ArrayLike<number>[]): number =>
      values.reduce((sum, value) => sum + Math.min(...centres.map((centre) => squaredDistance(value, centre))), 0);
    const best = Math.min(...[1, 2, 3].map((seed) => cost(kmeans(values.map((value) => [...value]), own.length, { seed }).centroids)));
    ok(cost(own.map(({ point }) => point)) <= best * 1.05);
    ok(silhouette(values, own) > 0.5);
  });
});

test("dbscan equals a naive reading of its definition", () => {
  forEachSeed(10, (rng) => {
    const points = Array.from({ length: 80 }, () => Float64Array.from([rng.between(0, 100) / 10, rng.between(0, 100) / 10]));
    const [reach, least] = [1.1, 4];
    const labels = dbscan(points, reach, least);
    const near = points.map((a) => points.flatMap((b, j) => (squaredDistance(a, b) <= reach * reach ? [j] : [])));
    const isCore = near.map(({ length }) => length >= least);
    points.forEach((_, i) => {
      const cores = near[i]!.filter((j) => isCore[j]);
      equal(labels[i] === -1, cores.length === 0, "noise is what no core reaches");
      if (isCore[i]) for (const j of cores) equal(labels[i], labels[j], "cores in reach share a group");
      else if (cores.length > 0) ok(cores.some((j) => labels[j] === labels[i]), "a border point is of a core's group");
    });
  });
});
