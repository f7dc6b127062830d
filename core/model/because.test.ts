// What a model names as the cause of a candidate is one: with an item that says nothing in its place the candidate falls.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels, type Models } from "./models.ts";

const LEARNING = learningConfig({ share: 0 });
const NOBODY = { personKey: "a:nobody", history: [] };
const SILENT = "silent";

function scoresOf(models: Models, trail: readonly string[], nowMs: number): ReadonlyMap<number, number>[] {
  models.list({ ...NOBODY, trail }, nowMs);
  return models.lists.map(({ slots, scores, length }) => new Map(Array.from({ length }, (_, i) => [slots[i]!, scores[i]!])));
}

// Of knn the next test: which sessions are neighbours depends on all items together.
for (const name of ["rules", "cosine", "next", "recent", "walk", "content"]) {
  test(`${name}: without an item that is named as its cause a candidate falls`, () => {
    let named = 0;
    forEachSeed(3, (rng) => {
      const models = createModels(modelConfig(undefined), LEARNING);
      const model = models.models.findIndex((one) => one.name === name);
      const steps = stepStream(rng, { steps: 1_500, persons: 60, items: 120, groupSize: 6 });
      const nowMs = steps.at(-1)!.timeMs;
      models.put({ item_id: SILENT, categories: [], tags: [] }, 0);
      for (let i = 0; i < 120; i++) {
        const tags = Array.from({ length: 8 }, () => `t${rng.between(0, 12)}`);
        models.put({ item_id: `i${i}`, categories: [`c${i % 3}`], tags }, 0);
      }
      for (const step of steps) models.learn({ ...step, sampled: false });
      for (let i = 0; i < 20; i++) {
        const trail = [1, 2, 3, 4].map((k) => `i${(i * k + k) % 120}`);
        const all = scoresOf(models, trail, nowMs)[model]!;
        const claims = [...all.keys()].map((slot) => [slot, models.models[model]!.because(models.situation, slot)] as const);
        for (const itemId of trail) {
          const without = scoresOf(models, trail.map((id) => (id === itemId ? SILENT : id)), nowMs)[model]!;
          for (const [slot, because] of claims) {
            if (!because.includes(models.items.slotOf(itemId))) continue;
            named++;
            ok((without.get(slot) ?? 0) < all.get(slot)!, `${itemId} for ${models.items.idAt(slot)}`);
          }
        }
      }
    });
    ok(named > 100);
  });
}

test("knn names what it shares with the sessions that speak, not with those that are left aside or too old", () => {
  const models = createModels(modelConfig({ knn: { neighbours: 2, session_ttl: "10d" } }), LEARNING);
  const visit = (personKey: string, itemIds: readonly string[], fromMs: number): void => {
    itemIds.forEach((itemId, i) => {
      models.learn({ personKey, itemId, eventType: "click", weight: 1, timeMs: fromMs + i * 1000, sampled: false, history: [] });
    });
  };
  const day = 86_400_000;
  visit("a:old", ["old", "goal"], 0);
  visit("a:aside", ["aside", "goal"], 15 * day);
  visit("a:one", ["last", "goal"], 16 * day);
  visit("a:two", ["last", "before", "goal"], 16 * day);
  models.list({ ...NOBODY, trail: ["last", "before", "aside", "old"] }, 17 * day);
  const knn = models.models.find(({ name }) => name === "knn")!;
  const because = knn.because(models.situation, models.items.slotOf("goal"));
  deepEqual(because.map((slot) => models.items.idAt(slot)), ["last", "before"]);
});
