// The laws that every model must pass, one suite for all: same calls, same lists; bounded; nothing of an item that left;
// a snapshot taken in slices while learning goes on, restored and brought up to date, is the uninterrupted run.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Rng } from "../math/rng.ts";
import type { Step } from "./step.ts";
import type { RankQuery } from "../rank/query.ts";
import { createRecommender, type MeasuredRecommender } from "../rank/recommender.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import { LIST_MAX } from "./config.ts";

const LEARNING = { share: 1 };
const MODELS = { popularity: { half_life: "10m" }, rules: { half_life: "1h" }, knn: { half_life: "2h" }, item_ttl: "2h" };
const MODEL_NAMES = createRecommender().modelNames;

/** The same with everything on that guards against abuse. */
const GUARDED = { ...MODELS, crowd: { min_persons: 3, max_share: 0.2, young: "10m", young_weight: 0.5 } };

type Call = (recommender: MeasuredRecommender) => void;

/** Steps with catalogue changes, deletions, links and dislikes between them. */
function callsOf(rng: Rng, steps: readonly Step[]): Call[] {
  return steps.flatMap((step, i): Call[] => {
    const calls: Call[] = [(r) => r.learn(step)];
    const lot = rng.between(0, 99);
    const itemId = `i${rng.between(0, 80)}`;
    const categories = [`c${rng.between(0, 5)}`];
    if (lot < 10) calls.push((r) => r.putItem({ item_id: itemId, title: `Title of ${itemId}`, categories, tags: [] }, step.timeMs));
    else if (lot < 13) calls.push((r) => r.deleteItem(itemId));
    else if (lot < 18) calls.push((r) => r.learn({ ...step, itemId, eventType: "dismiss", weight: -2 }));
    else if (lot < 20) calls.push((r) => r.relink(step.personKey, `u:u${i % 7}`));
    return calls;
  });
}

function queryOf(step: Step, more: Partial<RankQuery> = {}): RankQuery {
  const interests = [["c1", 0.6], ["c2", 0.4]] as const;
  const { personKey, sessionId, timeMs, history, country, device } = step;
  return { personKey, sessionId, nowMs: timeMs + 1000, limit: 20, history, interests, country, device, ...more };
}

/** What each model and the blend answer to the last steps' visitors. */
function answers(recommender: MeasuredRecommender, steps: readonly Step[]): unknown[] {
  return steps.slice(-40).map((step) => {
    const query = queryOf(step);
    const list = recommender.recommend(query);
    return { list, models: recommender.modelLists(query) };
  });
}

const SMALL = { steps: 600, persons: 25, items: 60, groupSize: 6, stepMs: 20_000 };

for (const [model, name] of MODEL_NAMES.entries()) {
  test(`${name}: the same calls give the same list, bounded, without doubles`, () => {
    forEachSeed(3, (rng) => {
      const steps = stepStream(rng, SMALL);
      const calls = callsOf(rng, steps);
      const [a, b] = [1, 2].map(() => {
        const recommender = createRecommender({ models: MODELS, learning: LEARNING });
        for (const call of calls) call(recommender);
        return answers(recommender, steps) as { models: string[][] }[];
      });
      deepEqual(a!.map(({ models }) => models[model]), b!.map(({ models }) => models[model]));
      for (const { models } of a!) {
        ok(models[model]!.length <= LIST_MAX);
        equal(new Set(models[model]).size, models[model]!.length);
      }
    });
  });

  test(`${name}: an item that left is in no list, and its slot's next item inherits nothing`, () => {
    forEachSeed(3, (rng) => {
      const steps = stepStream(rng, SMALL);
      const recommender = createRecommender({ models: MODELS, learning: LEARNING });
      for (const step of steps) recommender.learn(step);
      const before = recommender.itemCount;
      for (let i = 0; i < 10; i++) recommender.deleteItem(`i${i}`);
      ok(recommender.itemCount < before);
      // New items take the free slots; nobody has seen them together with anything.
      for (let i = 0; i < 10; i++) recommender.putItem({ item_id: `new${i}`, categories: ["none"], tags: [] }, steps.at(-1)!.timeMs);
      for (const step of steps.slice(-40)) {
        const query = queryOf(step);
        recommender.recommend(query);
        const list = recommender.modelLists(query)[model]!;
        ok(!list.some((id) => id.startsWith("new") || /^i[0-9]$/.test(id)), list.join(" "));
      }
    });
  });
}

test("items without an event for the time that the program sets leave, catalogue items stay", () => {
  const recommender = createRecommender({ models: MODELS, learning: LEARNING });
  const step = { eventType: "click", weight: 1, sampled: false, history: [] };
  recommender.putItem({ item_id: "kept", categories: [], tags: [] }, 1_000);
  for (let i = 0; i < 50; i++) recommender.learn({ ...step, personKey: `a:${i}`, itemId: `old${i}`, timeMs: 1_000 + i });
  for (let i = 0; i < 200; i++) recommender.learn({ ...step, personKey: "a:x", itemId: `i${i % 3}`, timeMs: 10_000_000 + i * 1000 });
  equal(recommender.itemCount, 4);
  ok(recommender.item("kept") !== undefined);
});

for (const [name, models] of [["", MODELS], [", guarded", GUARDED]] as const) {
  test(`a snapshot in slices during learning, restored, with the tail replayed, is the uninterrupted run${name}`, () => {
    forEachSeed(6, (rng) => {
      const steps = stepStream(rng, { ...SMALL, steps: 900 });
      const calls = callsOf(rng, steps);
      const at = rng.between(100, 600);
      const straight = createRecommender({ models, learning: LEARNING });
      const stored = new Map<string, Map<string | number, Uint8Array>>();
      const takeSlice = (max: number): boolean => {
        let isDone = true;
        for (const { table, take } of straight.tables) {
          const rows = stored.get(table) ?? new Map<string | number, Uint8Array>();
          stored.set(table, rows);
          const write = (key: string | number, bytes: Uint8Array | null): void => {
            if (bytes === null) rows.delete(key);
            else rows.set(key, bytes.slice());
          };
          isDone = take(max, write) && isDone;
        }
        return isDone;
      };
      // A first checkpoint taken whole, so that the second one holds changes only.
      for (const call of calls.slice(0, at >> 1)) call(straight);
      for (const table of straight.tables) table.begin();
      ok(takeSlice(Infinity));
      for (const call of calls.slice(at >> 1, at)) call(straight);
      for (const table of straight.tables) table.begin();
      let isDone = false;
      for (const call of calls.slice(at)) {
        if (!isDone) isDone = takeSlice(rng.between(1, 9));
        call(straight);
      }
      while (!isDone) isDone = takeSlice(50);

      const restored = createRecommender({ models, learning: LEARNING });
      for (const table of restored.tables.toReversed()) {
        for (const [key, bytes] of rng.shuffle([...(stored.get(table.table) ?? [])])) table.load(key, bytes);
      }
      for (const call of calls.slice(at)) call(restored);
      equal(restored.itemCount, straight.itemCount);
      deepEqual(answers(restored, steps), answers(straight, steps));
      deepEqual(restored.trending({ limit: 20, nowMs: steps.at(-1)!.timeMs }), straight.trending({ limit: 20, nowMs: steps.at(-1)!.timeMs }));
      for (const step of steps) {
        equal(restored.learningSample(step.itemId, step.timeMs), straight.learningSample(step.itemId, step.timeMs));
      }
    });
  });
}

/** The rows of a checkpoint of `from`, put into another. */
function handOver(from: MeasuredRecommender, to: MeasuredRecommender): void {
  const targets = new Map(to.tables.map((table) => [table.table, table]));
  for (const { table, begin, take } of from.tables) {
    begin();
    ok(take(Infinity, (key, bytes) => bytes !== null && targets.get(table)!.load(key, bytes.slice())));
  }
}

test("one that was restored and went on can write all of it anew, rows that nothing has changed included", () => {
  forEachSeed(3, (rng) => {
    const steps = stepStream(rng, { ...SMALL, steps: 900 });
    const calls = callsOf(rng, steps);
    const fresh = () => createRecommender({ models: GUARDED, learning: LEARNING });
    const [first, second, third] = [fresh(), fresh(), fresh()];
    for (const call of calls.slice(0, 600)) call(first);
    handOver(first, second);
    for (const call of calls.slice(600, 620)) call(second);
    for (const table of second.tables) table.touchAll();
    handOver(second, third);
    for (const call of calls.slice(620)) [second, third].forEach(call);
    deepEqual(answers(third, steps), answers(second, steps));
  });
});
