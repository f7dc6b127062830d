// A dismissal is worth less than nothing, in every model: it takes back what a step to the item would have taught.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels, type Models } from "./models.ts";
import { type Step, stepOf } from "./step.ts";
import { createTrails } from "./trails.ts";

const START_MS = 1_700_000_000_000;
const CLICK = { eventType: "click", weight: 1, sampled: false, history: [], country: "NO", device: "mobile" };
const END_MS = START_MS + 100_000;

/** Twenty visitors go from a to b, as many from a to c; one more has just seen a. */
function taught(): Models {
  const models = createModels(modelConfig({}), learningConfig({ share: 0 }));
  for (let p = 0; p < 40; p++) {
    const visitor = { ...CLICK, personKey: `u:${p}` };
    models.learn({ ...visitor, itemId: "a", timeMs: START_MS + 100 * p });
    models.learn({ ...visitor, itemId: p % 2 === 0 ? "b" : "c", timeMs: START_MS + 100 * p + 1 });
  }
  for (const itemId of ["b", "a"]) models.learn({ ...CLICK, personKey: "u:me", itemId, timeMs: END_MS });
  return models;
}

const DISMISSED: Step = { ...CLICK, personKey: "u:me", itemId: "b", eventType: "dismiss", weight: -2, timeMs: END_MS };

function scores(models: Models, name: string, itemId: string): number {
  const { slots, scores, length } = models.lists[models.models.findIndex((model) => model.name === name)]!;
  const at = slots.subarray(0, length).indexOf(models.items.slotOf(itemId));
  return at < 0 ? 0 : scores[at]!;
}

test("what a dismissal says reaches all models that others taught", () => {
  const [before, after] = [taught(), taught()];
  after.learn(DISMISSED);
  // Somebody else asks.
  for (const models of [before, after]) {
    models.list({ personKey: "u:other", history: [], trail: ["a"], country: "NO", device: "mobile" }, END_MS);
  }
  for (const name of ["popularity", "context", "rules", "cosine", "trend", "steady", "next", "recent", "daypart"]) {
    const [was, is] = [scores(before, name, "b"), scores(after, name, "b")];
    ok(is < was && is > 0, `${name}: ${was} ${is}`);
    const other = scores(after, name, "c") / scores(before, name, "c");
    ok(other >= 1 - 1e-9, `${name}: c ${other}`);
  }
  for (const models of [before, after]) models.factors.meet(models.situation);
  const affinity = (models: Models): number => models.factors.affinity(models.items.slotOf("b"));
  ok(affinity(after) < affinity(before));
});

test("the item leaves the session, and speaks neither for the visitor nor for his neighbours", () => {
  const models = taught();
  models.learn(DISMISSED);
  models.list({ personKey: "u:me", history: [] }, END_MS + 1);
  deepEqual([...models.situation.trail.subarray(0, models.situation.trailLength)], [models.items.slotOf("a")]);
  const word = (item_id: string, event_type: string) => ({ item_id, event_type, timestamp: END_MS });
  const history = [word("b", "dismiss"), word("c", "click"), word("b", "click")];
  models.list({ personKey: "u:later", history }, END_MS + 1);
  deepEqual([...models.situation.past.subarray(0, models.situation.pastLength)], [models.items.slotOf("c")]);
  // A change of mind: the newest word counts.
  models.list({ personKey: "u:later", history: [word("b", "click"), ...history] }, END_MS + 1);
  equal(models.situation.pastLength, 2);
  const trails = createTrails();
  for (const itemId of ["a", "b", "c"]) trails.add("u:me", itemId);
  trails.drop("u:me", "b");
  trails.drop("u:nobody", "b");
  deepEqual(trails.corpus().itemIds, ["a", "c"]);
});

test("only a person's first word against an item counts, and nothing falls below nothing", () => {
  const models = taught();
  const count = (itemId: string): number => models.popularity.countAt(models.items.slotOf(itemId), END_MS);
  const start = count("b");
  models.learn(DISMISSED);
  ok(Math.abs(start - count("b") - 2) < 1e-6);
  models.learn({ ...DISMISSED, history: [{ item_id: "b", event_type: "dismiss", timestamp: END_MS }] });
  ok(Math.abs(start - count("b") - 2) < 1e-6);
  for (let p = 0; p < 40; p++) models.learn({ ...DISMISSED, personKey: `u:${p}` });
  equal(count("b"), 0);
  models.list({ personKey: "u:other", history: [] }, END_MS);
  equal(scores(models, "popularity", "b"), 0);
  equal(models.items.slotOf("never seen"), -1);
  models.learn({ ...DISMISSED, itemId: "never seen" });
  equal(models.items.slotOf("never seen"), -1);
});

test("a step weighs what the program says; a type that turns away never counts for the item", () => {
  const event = { event_id: "e", event_type: "dismiss", item_id: "b", timestamp: END_MS, received_at: END_MS };
  const weightOf = (type: string, weight: number): number | undefined =>
    stepOf({ ...event, event_type: type } as LoggedEvent, { personKey: "u:me", weight, sampled: false, history: [] })?.weight;
  deepEqual([weightOf("dismiss", -2), weightOf("dismiss", 0), weightOf("dismiss", 1)], [-2, undefined, undefined]);
  deepEqual([weightOf("purchase", 10), weightOf("returned", -3), weightOf("scroll", -1)], [10, -3, undefined]);
});

test("whoever takes an item up and turns it away again and again is one neighbour session, and pushes no other out", () => {
  const models = taught();
  const asked = (): number[] => {
    models.list({ personKey: "u:other", history: [], trail: ["a"] }, END_MS + 1000);
    return ["b", "c"].map((itemId) => scores(models, "knn", itemId));
  };
  models.learn(DISMISSED);
  const before = asked();
  ok(before.every((score) => score > 0));
  for (let i = 0; i < 300; i++) {
    models.learn({ ...CLICK, personKey: "u:me", itemId: "b", timeMs: END_MS });
    models.learn(DISMISSED);
  }
  deepEqual(asked(), before);
});
