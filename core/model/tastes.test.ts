// How popular what a visitor looks at is: what the ranker sees of it, and that it learns to weigh features by it.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { newsProgram } from "../program/news.ts";
import type { RecentItem } from "./step.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels, type Asker, type Models } from "./models.ts";
import { GENERAL_NAMES, PER_MODEL } from "./union.ts";

const START_MS = Date.UTC(2026, 0, 1);
const CLICK = { eventType: "click", weight: 1, sampled: false, history: [] };

function tastesOf(models: Models, asker: Omit<Asker, "personKey">, nowMs: number): number[] {
  models.list({ personKey: "a:new", ...asker }, nowMs);
  models.union.gather(models.lists, models.situation);
  models.union.describe(models.lists, models.situation);
  return [...models.union.tastes].map((taste) => Math.round(100 * taste) / 100);
}

const recent = (item_id: string): RecentItem => ({ item_id, event_type: "click", timestamp: START_MS });

test("a taste is between -1, what nobody else looks at, and 1, what everybody does; the past counts, and nothing known is 0", () => {
  const models = createModels(modelConfig({}), learningConfig({ share: 0 }));
  deepEqual(tastesOf(models, { history: [] }, START_MS), [0, 0], "no item is known");
  for (let p = 0; p < 200; p++) models.learn({ ...CLICK, personKey: `a:${p}`, itemId: "hit", timeMs: START_MS + p });
  models.learn({ ...CLICK, personKey: "a:one", itemId: "rare", timeMs: START_MS + 300 });
  const now = START_MS + 1_000;
  deepEqual(tastesOf(models, { history: [] }, now), [0, 0]);
  deepEqual(tastesOf(models, { history: [], trail: ["hit"] }, now), [1, 1]);
  const [, niche] = tastesOf(models, { history: [], trail: ["rare"] }, now);
  ok(niche! < -0.7 && niche! >= -1, `${niche}`);
  const [both, newest] = tastesOf(models, { history: [recent("hit")], trail: ["rare"] }, now);
  equal(newest, niche);
  ok(Math.abs(both! - (1 + niche!) / 2) < 0.02, `${both}`);
  deepEqual(tastesOf(models, { history: [recent("hit")] }, now), [1, 1], "who comes back brings his past along");
});

test("the ranker learns that some go on to what is popular, and others do not", () => {
  forEachSeed(3, (rng) => {
    const models = createModels(modelConfig({}), learningConfig({ share: 1 }));
    let timeMs = START_MS;
    for (let p = 0; p < 1_500; p++) {
      // Who begins with a hit goes on to another, who begins with something rare to something rare.
      const pick = (): string => (p % 4 > 0 ? `hit${rng.between(0, 5)}` : `rare${rng.between(0, 39)}`);
      for (let k = 0; k < 2; k++) models.learn({ ...CLICK, sampled: true, personKey: `a:${p}`, itemId: pick(), timeMs: (timeMs += 100) });
    }
    const popularity = models.models.length * PER_MODEL + GENERAL_NAMES.indexOf("popularity");
    const weightAt = (taste: number): number => models.mix.weights({ tastes: Float64Array.of(taste, taste) }, 2)[popularity]!;
    ok(weightAt(1) > weightAt(-1) + 0.05, `${weightAt(1)} and ${weightAt(-1)}`);
  });
});

test("what others went on to lately is told of each candidate, but not of the visitor's own items", () => {
  const models = createModels(modelConfig(newsProgram.models), learningConfig({ share: 0 }));
  let timeMs = START_MS;
  for (let p = 0; p < 12; p++) {
    for (const itemId of ["a", p % 3 === 0 ? "c" : "b"]) models.learn({ ...CLICK, personKey: `a:${p}`, itemId, timeMs: (timeMs += 10) });
  }
  const toldOf = (asker: Omit<Asker, "personKey">, itemId: string): number => {
    tastesOf(models, asker, timeMs);
    const weights = new Float64Array(models.models.length * PER_MODEL + GENERAL_NAMES.length);
    weights[models.models.length * PER_MODEL + GENERAL_NAMES.indexOf("others_went_there_lately")] = 1;
    return models.union.weigh(models.union.find(models.items.slotOf(itemId)), weights);
  };
  const fromA = { history: [], trail: ["a"] };
  ok(toldOf(fromA, "b") > toldOf(fromA, "c") && toldOf(fromA, "c") > 0.2);
  equal(toldOf({ history: [], trail: ["a", "b"] }, "b"), 0);
  equal(toldOf({ history: [], trail: ["c"] }, "b"), 0, "nobody went there from here");
});
