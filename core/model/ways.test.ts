// The path that the models see, and the ways it holds: a session's, a given trail's and a page's.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import type { RecentItem } from "./step.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels, type Asker, type Models } from "./models.ts";
import { GENERAL_NAMES, PER_MODEL } from "./union.ts";

const START_MS = Date.UTC(2026, 0, 1);
const PATH = ["a", "b", "a", "c", "a", "b", "a"];

const recent = (item_id: string, k: number): RecentItem => ({ item_id, event_type: "click", timestamp: START_MS + k * 1000 });

/** Everyone goes this way, the visitor last. */
function walked(): { models: Models; history: RecentItem[] } {
  const models = createModels(modelConfig(undefined), learningConfig({ share: 1 }));
  const history: RecentItem[] = [];
  for (const personKey of ["u:1", "u:2", "u:me"]) {
    history.length = 0;
    for (const [k, itemId] of PATH.entries()) {
      const timeMs = START_MS + k * 1000;
      models.learn({ personKey, itemId, eventType: "click", weight: 1, timeMs, sampled: true, history: history.slice() });
      history.unshift(recent(itemId, k));
    }
  }
  return { models, history };
}

function pathOf({ items, situation }: Models): string[] {
  return [...situation.path.subarray(0, situation.pathLength)].map((slot) => items.idAt(slot)!);
}

function ask(models: Models, asker: Omit<Asker, "personKey">): string[] {
  models.list({ personKey: "u:me", ...asker }, START_MS + 20_000);
  return pathOf(models);
}

type Feature = (typeof GENERAL_NAMES)[number];

function featureOf({ union, lists, situation, items, models }: Models, name: Feature, itemId: string): number {
  union.gather(lists, situation);
  union.describe(lists, situation);
  const weights = new Float64Array(models.length * PER_MODEL + GENERAL_NAMES.length);
  weights[models.length * PER_MODEL + GENERAL_NAMES.indexOf(name)] = 1;
  return union.weigh(union.find(items.slotOf(itemId)), weights);
}

test("the path is the history's, or the given trail's, behind the page that is looked at", () => {
  const { models, history } = walked();
  const back = [...PATH].reverse();
  deepEqual(ask(models, { history }), back);
  const twice = history.flatMap((one) => [one, { ...one, event_type: "view" }]);
  deepEqual(ask(models, { history: twice }), back, "a click and a view are one step");
  deepEqual(ask(models, { history: [], trail: back }), back);
  deepEqual(ask(models, { history, trail: ["a", "b", "c"] }), back, "the history is that of the trail and knows more");
  deepEqual(ask(models, { history, trail: ["b", "a"] }), ["b", "a"], "a what-if has a path of its own");
  deepEqual(ask(models, { history, pageItemId: "c" }), ["c", ...back]);
  deepEqual(ask(models, { history: [] }), ["a"], "the newest item of the session");
  const long = Array.from({ length: 200 }, (_, k) => (k % 2 === 0 ? "a" : "b"));
  deepEqual(ask(models, { history: [], trail: long }).length, 51);
});

test("ways that were taken more often count more, and neighbours speak of the session's items apart", () => {
  const { models, history } = walked();
  ask(models, { history });
  const onTo = ["b", "c"].map((item) => featureOf(models, "went_there_from_here", item));
  const from = ["b", "c"].map((item) => featureOf(models, "came_here_from_there", item));
  ok(onTo[0]! > onTo[1]! && onTo[1]! > 0.4, `${onTo}`); // Twice and once.
  ok(from[0]! > from[1]! && from[1]! > 0.4, `${from}`);
  ok(featureOf(models, "neighbours_of_own", "b") > 0 && featureOf(models, "neighbours", "b") === 0);
  ask(models, { history: [], trail: ["a"] });
  ok(featureOf(models, "neighbours", "b") > 0 && featureOf(models, "neighbours_of_own", "b") === 0);
  ok(featureOf(models, "went_there_from_here", "b") < 0.01, "nobody went anywhere yet");
});
