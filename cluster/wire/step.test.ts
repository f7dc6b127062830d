// What a step tells of the history teaches the same as all of it.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../core/testing/seeds.ts";
import type { RecentItem, Step } from "../../core/model/step.ts";
import { createRecommender, type Recommender } from "../../core/rank/recommender.ts";
import { decodeStep, encodeStep, historyOf, pastOf } from "./step.ts";

function rowsOf({ tables }: Recommender): Record<string, string> {
  const rows: Record<string, string> = {};
  for (const table of tables) {
    table.begin();
    while (!table.take(1_000, (key, bytes) => (rows[`${table.table}:${key}`] = bytes === null ? "" : Buffer.from(bytes).toString("base64"))));
  }
  return rows;
}

const TYPES = ["view", "click", "dislike", "dismiss", "add_to_cart", "remove_from_cart"];

test("the past is the way there and back, without what he turned away from", () => {
  const said = (item_id: string, event_type: string): RecentItem => ({ item_id, event_type, timestamp: 1 });
  const history = [said("a", "view"), said("b", "dislike"), said("c", "click"), said("a", "dismiss"), said("b", "view"), said("c", "view")];
  deepEqual(pastOf(history), ["a", "c"]);
  deepEqual(pastOf([said("a", "view"), said("c", "view"), said("a", "click"), said("a", "view")]), ["a", "c", "a"]);
});

test("rankers learn the same from the past as from the whole history", () => {
  forEachSeed(10, (rng) => {
    const [whole, short] = [createRecommender({ learning: { share: 1 } }), createRecommender({ learning: { share: 1 } })];
    for (let i = 0; i < 300; i++) {
      const history = Array.from({ length: rng.between(0, 12) }, () => ({
        ...{ item_id: `i${rng.between(1, 6)}`, event_type: TYPES[rng.between(0, TYPES.length - 1)]!, timestamp: 1_000 + i },
      }));
      const step = {
        personKey: `u:${rng.between(1, 20)}`, itemId: `i${rng.between(1, 15)}`, eventType: "view", weight: 1, timeMs: 2_000 + i,
      };
      const learn = (into: typeof whole, given: Step["history"]): void => into.learn({ ...step, sampled: true, history: given });
      learn(whole, history);
      const sent = decodeStep(encodeStep({ kind: "step", eventId: `e${i}`, at: 1, past: pastOf(history), step }));
      learn(short, sent.kind === "step" ? historyOf(sent)! : []);
    }
    const listsOf = (of: typeof whole) =>
      Array.from({ length: 20 }, (_, p) => of.recommend({ personKey: `u:${p}`, nowMs: 5_000, limit: 10, history: [], interests: [] }));
    deepEqual(listsOf(short), listsOf(whole));
    // All that was learnt, the ranker's weights included: they see the way that the visitor took, there and back.
    deepEqual(rowsOf(short), rowsOf(whole));
  });
});

test("a step of an earlier release has the history itself, one outside the share has none", () => {
  const step = { personKey: "u:1", itemId: "i", eventType: "view", weight: 1, timeMs: 5 };
  const history = [{ item_id: "j", event_type: "view", timestamp: 4 }];
  deepEqual(historyOf({ kind: "step", eventId: "e", step: { ...step, history } }), history);
  equal(historyOf({ kind: "step", eventId: "e", step }), undefined);
});
