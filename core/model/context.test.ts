// What surrounds a visitor, and what he is interested in, reach the lists and the ranker.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { CONTEXTS_MAX } from "./facets.ts";
import { createModels, type Asker, type Models } from "./models.ts";
import { GENERAL_NAMES, PER_MODEL } from "./union.ts";

const MIDNIGHT_MS = 1_700_006_400_000; // 2023-11-15T00:00Z
const HOUR_MS = 3_600_000;
const CLICK = { eventType: "click", weight: 1, sampled: false, history: [] };

function first(of: Models, name: string, asker: Partial<Asker>, nowMs: number): string | undefined {
  of.list({ personKey: "a:new", history: [], ...asker }, nowMs);
  const { slots, length } = of.lists[of.models.findIndex((model) => model.name === name)]!;
  return length === 0 ? undefined : of.items.idAt(slots[0]!);
}

test("the part of the visitor's day and the weather have their own popular items", () => {
  const models = createModels(modelConfig({}), learningConfig({ share: 0 }));
  for (let day = 0; day < 6; day++) {
    for (let i = 0; i < 10; i++) {
      const at = (hour: number): number => MIDNIGHT_MS + (24 * day + hour) * HOUR_MS + i;
      models.learn({ ...CLICK, personKey: `a:${day}-${i}`, itemId: "coffee", timeMs: at(8), weather: "rain" });
      models.learn({ ...CLICK, personKey: `b:${day}-${i}`, itemId: "wine", timeMs: at(20), weather: "sun" });
    }
  }
  const now = MIDNIGHT_MS + 24 * 6 * HOUR_MS + 9 * HOUR_MS;
  deepEqual(first(models, "daypart", {}, now), "coffee");
  deepEqual(first(models, "daypart", { timezone: "+12:00" }, now), "wine");
  deepEqual(first(models, "daypart", {}, now - 6 * HOUR_MS), undefined, "nobody comes at night");
  deepEqual(first(models, "context", { weather: "sun" }, now), "wine");
  deepEqual(first(models, "context", { weather: "rain" }, now), "coffee");
  deepEqual(first(models, "context", { weather: "snow" }, now), undefined);
});

test("made-up weathers and languages give way to those that many bring", () => {
  const models = createModels(modelConfig({}), learningConfig({ share: 0 }));
  let now = MIDNIGHT_MS;
  const learn = (itemId: string, more: object): void =>
    models.learn({ ...CLICK, personKey: `a:${now}`, sessionId: `s${now}`, itemId, timeMs: (now += 1_000), ...more });
  const flood = (name: string): void => {
    for (let i = 0; i < 3 * CONTEXTS_MAX; i++) learn("junk", { weather: `${name}${i}`, facets: [`age_group:${name}${i}`] });
  };
  for (let i = 0; i < 4_000; i++) learn("wine", { weather: "sun", facets: ["age_group:30"] });
  flood("x");
  for (let i = 0; i < 200; i++) learn(i % 2 === 0 ? "umbrella" : "lego", i % 2 === 0 ? { weather: "rain" } : { facets: ["age_group:10"] });
  deepEqual(first(models, "context", { weather: "rain" }, now), "umbrella");
  deepEqual(first(models, "context", { facets: ["age_group:10"] }, now), "lego");
  flood("y");
  deepEqual(first(models, "context", { weather: "sun" }, now), "wine");
  deepEqual(first(models, "context", { facets: ["age_group:30"] }, now), "wine");
  deepEqual(first(models, "context", { weather: "x3" }, now), undefined);
});

test("the ranker learns that people choose what they are interested in", () => {
  const models = createModels(modelConfig({}), learningConfig({ share: 1 }));
  const rng = rngFrom(3);
  for (let i = 0; i < 40; i++) models.put({ item_id: `i${i}`, categories: [`c${i % 4}`], tags: [] }, MIDNIGHT_MS);
  for (let p = 0; p < 600; p++) {
    const category = rng.between(0, 3);
    const itemId = `i${4 * rng.between(0, 9) + category}`;
    const interests = [[`c${category}`, 1]] as const;
    models.learn({ ...CLICK, sampled: true, personKey: `a:${p}`, itemId, timeMs: MIDNIGHT_MS + p, interests });
  }
  const weight = models.mix.weights(models.union, 0)[models.models.length * PER_MODEL + GENERAL_NAMES.indexOf("profile_interest")]!;
  ok(weight > 0.3, `${weight}`);
});
