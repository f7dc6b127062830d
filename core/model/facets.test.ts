// Cold start: whoever is new gets what people like him open, where, when and in whatever language he comes.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import type { RankQuery } from "../rank/query.ts";
import { createRecommender, type Recommender } from "../rank/recommender.ts";
import { facetsOf } from "./facets.ts";

const NOON_MS = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;
const ask = (facets: readonly string[], more: Partial<RankQuery> = {}): RankQuery => ({
  personKey: "a:new", nowMs: NOON_MS, limit: 10, history: [], interests: [], facets, ...more,
});

test("facets: language, and the attributes that make crowds", () => {
  deepEqual(facetsOf({ context: { locale: "nb-NO" } }), ["language:nb"]);
  deepEqual(facetsOf({}), []);
  const attributes = { age_group: "25-34", gender: "f", language: "DE", plan: 3, country: "NO" };
  deepEqual(facetsOf({ attributes, context: { locale: "en" } }), ["language:de", "age_group:25-34", "gender:f"]);
  deepEqual(facetsOf({ attributes, demographics: ["plan", "country", "nothing"] }), ["language:de", "plan:3"]);
  deepEqual(facetsOf({ attributes: { age_group: "x".repeat(65), gender: ["a"], language: "1" } }), []);
});

/** Two crowds of 200 people each, of whom each opens items of its own kind. */
function twoCrowds(): Recommender {
  const recommender = createRecommender({ learning: { share: 1 } });
  for (let i = 0; i < 40; i++) recommender.putItem({ item_id: `i${i}`, categories: [], tags: [] }, NOON_MS - 9 * 86_400_000);
  const rng = rngFrom(5);
  for (let person = 0; person < 400; person++) {
    const isYoung = person % 2 === 0;
    for (let k = 0; k < 5; k++) {
      recommender.learn({
        personKey: `a:${person}`, itemId: `i${(isYoung ? 0 : 20) + rng.between(0, 19)}`, eventType: "view", weight: 1,
        timeMs: NOON_MS - HOUR + person * 1_000 + k, sampled: true, history: [],
        facets: [`age_group:${isYoung ? "18-24" : "65+"}`, "language:nb"],
      });
    }
  }
  return recommender;
}

test("a new visitor gets his age group's favourites, and the list says so", () => {
  const recommender = twoCrowds();
  for (const [group, from] of [["18-24", 0], ["65+", 20]] as const) {
    const list = recommender.recommend(ask([`age_group:${group}`], { explain: true }));
    equal(list.strategy, "demographics");
    const own = list.items.filter(({ itemId }) => Number(itemId.slice(1)) >= from && Number(itemId.slice(1)) < from + 20);
    ok(own.length >= 8, list.items.map(({ itemId }) => itemId).join(" "));
    ok(list.items.every(({ reasons }) => reasons!.every(({ source, crowds }) => source !== "context" || crowds![0] === `age_group:${group}`)));
  }
  equal(recommender.recommend(ask(["language:nb"])).strategy, "context");
  equal(recommender.recommend(ask(["age_group:40-50"])).strategy, "popular");
});

test("once something is known of his taste, crowds of this kind are silent", () => {
  const recommender = twoCrowds();
  const history = [{ item_id: "i25", event_type: "view", timestamp: NOON_MS - 1 }];
  equal(recommender.recommend(ask(["age_group:18-24"], { history })).strategy, "history");
  deepEqual(recommender.recommend(ask(["age_group:18-24"], { history })), recommender.recommend(ask([], { history })));
});
