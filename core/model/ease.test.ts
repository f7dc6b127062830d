// EASE against its definition: each item's weights are the ridge regression of its column on all others.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { EASE_DEFAULTS, trainEase, type EaseSettings } from "./ease.ts";
import { createTrails, TRAINED_ITEMS_MAX } from "./trails.ts";

const ITEMS = 12;
const ids = Array.from({ length: ITEMS }, (_, i) => `i${i}`);
const settings: EaseSettings = { ...EASE_DEFAULTS, ridge: 2, reach: 5, rowMax: ITEMS, neighbours: ITEMS };

test("exact weights solve the regression's normal equations, and a neighbourhood of all items gives the same", () => {
  forEachSeed(5, (rng) => {
    const sequences = Array.from({ length: 300 }, () => rng.shuffle([...ids.keys()]).slice(0, rng.between(2, 6)));
    const exact = trainEase(ids, sequences, settings);
    const gram = Array.from({ length: ITEMS }, (_, a) =>
      ids.map((_id, b) => {
        let sum = 0;
        for (const items of sequences) {
          const [at, other] = [items.indexOf(a), items.indexOf(b)];
          if (at >= 0 && other >= 0) sum += Math.exp(-Math.abs(at - other) / settings.reach);
        }
        return sum;
      }),
    );
    for (let to = 0; to < ITEMS; to++) {
      const others = [...ids.keys()].filter((i) => i !== to);
      const a = others.map((i) => others.map((j) => gram[i]![j]! + (i === j ? settings.ridge : 0)));
      const solution = solve(a, others.map((i) => gram[i]![to]!));
      others.forEach((from, k) => {
        const place = exact.to[from]!.indexOf(to);
        const weight = place < 0 ? 0 : exact.weights[from]![place]!;
        ok(Math.abs(weight - (solution[k]! > 1e-4 ? solution[k]! : 0)) < 1e-4, `${from} → ${to}: ${weight} ≠ ${solution[k]}`);
      });
    }
    const local = trainEase(ids, sequences, { ...settings, exactMax: 0 });
    for (let from = 0; from < ITEMS; from++) {
      deepEqual([...local.to[from]!].sort(), [...exact.to[from]!].sort());
      local.weights[from]!.forEach((weight, i) => {
        ok(Math.abs(weight - exact.weights[from]![exact.to[from]!.indexOf(local.to[from]![i]!)]!) < 1e-4);
      });
    }
  });
});

test("trails keep a person's distinct items, follow a link, and are bounded", () => {
  const trails = createTrails();
  for (const [person, item] of [["a:1", "x"], ["a:1", "y"], ["a:1", "x"], ["u:1", "z"], ["a:2", "q"]]) trails.add(person!, item!);
  trails.relink("a:1", "u:1");
  const { itemIds, sequences } = trails.corpus();
  deepEqual(sequences.map((places) => [...places].map((place) => itemIds[place])), [["z", "y", "x"]]);
  for (let i = 0; i < TRAINED_ITEMS_MAX + 5; i++) trails.add(`a:p${i >> 6}`, `i${i}`);
  ok(trails.corpus().itemIds.length <= TRAINED_ITEMS_MAX);
});

test("where a pair needs so many persons, all who send from one address count as one of them", () => {
  const trails = createTrails();
  const led = (): boolean => {
    const { itemIds, sequences } = trails.corpus({ onePerSender: true });
    const { to } = trainEase(itemIds, sequences, { ...EASE_DEFAULTS, ridge: 2, minPersons: 10 });
    const places = to[itemIds.indexOf("a")]!;
    return [...places].includes(itemIds.indexOf("b"));
  };
  const visit = (person: string, items: readonly string[], source?: string): void => {
    for (const itemId of items) trails.add(person, itemId, source);
  };
  for (let p = 0; p < 30; p++) {
    visit(`a:one${p}`, ["a", "c"], `one${p}`);
    visit(`a:two${p}`, ["d", "b"], `two${p}`);
    visit(`a:farm${p}`, ["a", "b"], "farm");
  }
  equal(led(), false);
  // Nobody goes round it by having been elsewhere before.
  visit("a:farm0", ["a"], "elsewhere");
  visit("a:farm0", ["b"], "farm");
  equal(led(), false);
  for (let p = 0; p < 12; p++) visit(`a:real${p}`, ["a", "b"], `home${p}`);
  equal(led(), true);
  for (let p = 0; p < 12; p++) visit(`a:real${p}`, ["a"], "farm");
  equal(led(), false);
  // Whom a site's own server speaks for has no address here.
  for (let p = 0; p < 12; p++) visit(`u:${p}`, ["a", "b"]);
  equal(led(), true);
});

/** Gauss with pivots: slow and plain. */
function solve(a: number[][], b: number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]!]);
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    const pivot = rows.slice(k).reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j] = rows[i]![j]! - factor * rows[k]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}
