// The guards against abuse, against naive recounts of raw steps: nobody learns from a list what fewer than k did, no
// source holds more than its share, and fakes do not own the lists of real visitors.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { simulateShop, DEFENCES, type Attack } from "../../bench/abuse.ts";
import type { Step } from "./step.ts";
import type { RankQuery } from "../rank/query.ts";
import { createRecommender } from "../rank/recommender.ts";
import { hash64 } from "../math/hash.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels } from "./models.ts";
import { createSketches } from "./sketches.ts";

const K = 3;
const DAY_MS = 86_400_000;
const MODELS = { crowd: { min_persons: K }, item_ttl: "300d" };
const START_MS = 1_700_000_000_000;
const stepOf = (personKey: string, itemId: string, timeMs: number, more: Partial<Step> = {}): Step => ({
  personKey, itemId, eventType: "click", weight: 1, timeMs, sampled: false, history: [], ...more,
});
const askerOf = (trail: readonly string[], nowMs: number): RankQuery => ({
  personKey: "a:stranger", nowMs, limit: 50, history: [], interests: [], trail, country: "DE", device: "mobile",
});

test("a sketch never says more persons than there were, and forgets those of long ago", () => {
  forEachSeed(20, (rng) => {
    const sketches = createSketches("test", DAY_MS);
    const persons = rng.between(0, 40);
    const hashes = Array.from({ length: persons }, (_, i) => hash64(`p${i}`, rng.between(0, 1_000_000)));
    for (const hash of hashes) for (let i = rng.between(1, 3); i > 0; i--) sketches.add(5, hash, hash, START_MS);
    equal(sketches.holds(5, persons + 1, START_MS), false);
    equal(sketches.holds(5, Math.min(24, Math.floor(persons / 2)), START_MS), true);
    equal(sketches.holds(5, 1, START_MS + 2 * DAY_MS), false);
  });
  const oneSender = createSketches("test", DAY_MS);
  for (let i = 0; i < 40; i++) oneSender.add(1, hash64(`p${i}`), hash64("sender"), START_MS);
  equal(oneSender.holds(1, 2, START_MS), false);
});

test("no list shows a stranger an item, or two items together, that fewer than k persons looked at", () => {
  forEachSeed(8, (rng) => {
    const steps = stepStream(rng, { steps: 500, persons: 30, items: 60, groupSize: 6, stepMs: 20_000 });
    const recommender = createRecommender({ models: MODELS, learning: { share: 1 } });
    const persons = new Map<string, Set<string>>();
    const note = (key: string, person: string): void => void persons.set(key, (persons.get(key) ?? new Set<string>()).add(person));
    const trails = new Map<string, string[]>();
    for (const step of steps) {
      recommender.learn(step);
      const trail = trails.get(step.personKey) ?? [];
      note(step.itemId, step.personKey);
      for (const from of trail) note([from, step.itemId].sort().join(" "), step.personKey);
      trails.set(step.personKey, [step.itemId, ...trail]);
    }
    const nowMs = steps.at(-1)!.timeMs;
    const enough = (key: string): boolean => (persons.get(key)?.size ?? 0) >= K;
    let listed = 0;
    let hidden = 0;
    for (const from of persons.keys()) {
      if (from.includes(" ")) continue;
      if (!enough(from)) hidden++;
      const query = askerOf([from], nowMs);
      for (const { itemId } of recommender.recommend(query).items) {
        ok(itemId === from || enough(itemId), `${itemId} in a list`);
        listed++;
      }
      for (const [m, list] of recommender.modelLists(query).entries()) {
        const name = recommender.modelNames[m]!;
        if (!["rules", "next", "recent", "cosine", "knn", "factors"].includes(name)) continue;
        for (const itemId of list) ok(itemId === from || enough([from, itemId].sort().join(" ")), `${name}: ${from} → ${itemId}`);
      }
      for (const { itemId } of recommender.similar(from, { limit: 50, nowMs }).items) ok(enough(itemId), `${itemId} similar`);
    }
    for (const { itemId } of recommender.trending({ limit: 50, nowMs }).items) ok(enough(itemId), `${itemId} trends`);
    ok(listed > 0 && hidden > 0, "the stream has both");
  });
});

test("a visitor is shown what he alone did; others are from the k-th person on", () => {
  const recommender = createRecommender({ models: MODELS });
  const visit = (person: string, at: number): void => {
    recommender.learn(stepOf(person, "a", at));
    recommender.learn(stepOf(person, "b", at + 1_000));
  };
  const ids = (query: RankQuery): string[] => recommender.recommend(query).items.map(({ itemId }) => itemId);
  visit("a:1", START_MS);
  const own = { ...askerOf([], START_MS + 5_000), personKey: "a:1" };
  const { trail: _, ...ofHimself } = own;
  equal(ids(ofHimself).includes("b"), true);
  equal(ids(askerOf(["a"], START_MS + 5_000)).includes("b"), false);
  for (let p = 2; p <= 12; p++) visit(`a:${p}`, START_MS + p * 10_000);
  equal(ids(askerOf(["a"], START_MS + 200_000)).includes("b"), true);
});

test("what one alone did in his country, weather, part of the day or age group changes nothing for a stranger of the same", () => {
  const alike: Pick<Step, "country" | "device" | "weather" | "timezone" | "facets">[] = [
    { country: "IS" }, { device: "tv" }, { weather: "storm" }, { timezone: "+12:00" }, { facets: ["age_group:90"] }, { facets: ["language:is"] },
  ];
  const crowd = { country: "NO", device: "mobile" };
  for (const his of alike) {
    const listFor = (persons: number, of: Partial<Step>): unknown => {
      const recommender = createRecommender({ models: MODELS });
      for (let i = 0; i < 300; i++) recommender.learn(stepOf(`a:${i % 40}`, `i${(i + Math.floor(i / 40)) % 20}`, START_MS + i, crowd));
      for (let i = 0; i < 60 * persons; i++) {
        const step = stepOf(`a:alone${i % persons}`, `i${13 + (i % 3)}`, START_MS + 1_000 + i, { ...crowd, ...of, sessionId: `s${i}` });
        recommender.learn(step);
      }
      const asker = { ...askerOf([], START_MS + 60_000), ...crowd, ...his, explain: true };
      return recommender.recommend(asker).items;
    };
    deepEqual(listFor(1, his), listFor(1, {}), `${JSON.stringify(his)}: one`);
    notDeepEqual(listFor(12, his), listFor(12, {}), `${JSON.stringify(his)}: enough`);
  }
});

test("where one alone went on to from an item changes nothing for a stranger who asks after that item", () => {
  const listFor = (persons: number, isOneVisit: boolean): unknown => {
    const recommender = createRecommender({ models: MODELS });
    for (let i = 0; i < 300; i++) recommender.learn(stepOf(`a:${i % 40}`, `i${(i + Math.floor(i / 40)) % 20}`, START_MS + i));
    for (let i = 0; i < 60 * persons; i++) {
      const alone = `a:alone${i % persons}`;
      recommender.learn(stepOf(alone, "only", START_MS + 1_000 + 2 * i, { sessionId: `s${i}` }));
      recommender.learn(stepOf(alone, "i13", START_MS + 1_001 + 2 * i, { sessionId: isOneVisit ? `s${i}` : `t${i}` }));
    }
    const { items } = recommender.recommend({ ...askerOf(["only"], START_MS + 60_000), explain: true });
    return items.filter(({ itemId }) => itemId !== "only");
  };
  deepEqual(listFor(1, true), listFor(1, false), "one");
  notDeepEqual(listFor(12, true), listFor(12, false), "enough");
});

test("a person counts with two events of an item at most, an address with its share", () => {
  const config = modelConfig({ popularity: { half_life: "300d" }, crowd: { max_share: 0.1 } });
  const models = createModels(config, learningConfig({ share: 0 }));
  const countOf = (itemId: string): number => models.popularity.countAt(models.items.slotOf(itemId), START_MS);
  let at = 0;
  const learn = (person: string, itemId: string, source?: string): void =>
    models.learn(stepOf(person, itemId, START_MS + at++ * 1_000, { source, sessionId: `s${at}` }));
  for (let p = 0; p < 400; p++) learn(`a:${p}`, "liked");
  const honest = countOf("liked");
  ok(honest > 399, `${honest}`);
  for (let i = 0; i < 100; i++) learn("a:fan", "liked");
  ok(countOf("liked") - honest < 2.01, `${countOf("liked") - honest}`);
  for (let p = 0; p < 500; p++) learn(`a:farm${p}`, "liked", "farm");
  const share = 1 - (honest + 2) / countOf("liked");
  ok(share > 0.09 && share < 0.101, `${share}`);
  // An item that nobody else looks at: one event of the address, whoever it says it is.
  for (let p = 0; p < 500; p++) learn(`a:farm${p}`, "pushed", "farm");
  ok(countOf("pushed") < 1.2, `${countOf("pushed")}`);
  for (let p = 0; p < 50; p++) learn(`a:unmarked${p}`, "alone");
  ok(countOf("alone") > 49);
});

test("newcomers count less, and what trends counts them less again", () => {
  const config = modelConfig({ crowd: { young: "1h", young_weight: 0.1 } });
  const models = createModels(config, learningConfig({ share: 0 }));
  for (let p = 0; p < 100; p++) {
    models.learn(stepOf(`a:${p}`, "new", START_MS, { knownSinceMs: START_MS - 1_000 }));
    models.learn(stepOf(`a:${p}`, "old", START_MS, { knownSinceMs: START_MS - 3_600_000 }));
  }
  const slots = ["new", "old"].map((id) => models.items.slotOf(id));
  const ratio = (model: typeof models.popularity): number => model.countAt(slots[0]!, START_MS) / model.countAt(slots[1]!, START_MS);
  ok(Math.abs(ratio(models.popularity) - 0.1) < 1e-6, `${ratio(models.popularity)}`);
  ok(Math.abs(ratio(models.trend) - 0.01) < 1e-6, `${ratio(models.trend)}`);
});

test("what a public address says that it bought moves as much as a look, what a secret key vouches for as much as it weighs", () => {
  const firstOf = (source: string | undefined): string => {
    const recommender = createRecommender({ models: { crowd: { max_share: 0.03 }, item_ttl: "300d" } });
    const learn = (personKey: string, itemId: string, weight: number): void => {
      recommender.learn(stepOf(personKey, itemId, START_MS, { weight, ...(source !== undefined && { source: `${source}${personKey}` }) }));
    };
    for (let p = 0; p < 4; p++) learn(`a:looks${p}`, "looked-at", 1);
    for (let p = 0; p < 3; p++) learn(`a:buys${p}`, "bought", 10);
    return recommender.trending({ limit: 1, nowMs: START_MS }).items[0]!.itemId;
  };
  equal(firstOf("address"), "looked-at");
  equal(firstOf(undefined), "bought");
});

test("a share does not keep rankers from learning that visitors go back", () => {
  const backFirst = (crowd: typeof DEFENCES): number => {
    const recommender = createRecommender({ models: { crowd, item_ttl: "300d" }, learning: { share: 1 } });
    let found = 0;
    forEachSeed(1, (rng) => {
      for (let p = 0; p < 400; p++) {
        const [first, second] = [`i${rng.between(0, 39)}`, `i${rng.between(40, 79)}`];
        const atMs = START_MS + p * 60_000;
        const visit = (itemId: string, i: number): void => recommender.learn(stepOf(`a:p${p}`, itemId, atMs + i * 10_000, { sampled: true }));
        visit(first, 0);
        visit(second, 1);
        const list = recommender.recommend({ personKey: `a:p${p}`, nowMs: atMs + 20_000, limit: 1, history: [], interests: [] });
        if (p >= 200 && list.items[0]?.itemId === first) found++;
        visit(first, 2);
      }
    });
    return found;
  };
  equal(backFirst({ max_share: 0.03 }), backFirst({}));
});

test("one profile in a hundred pushes an item: twice the exposure at most, and many times without the guards", () => {
  const shop = { persons: 500, items: 120, target: 45, seed: 3 };
  const share = (attack: Attack, defences: typeof DEFENCES, buys = false): number => {
    const { exposed, lists } = simulateShop({ ...shop, attack, defences, buys });
    return exposed / lists;
  };
  for (const buys of [false, true]) {
    const guarded = share("none", DEFENCES, buys);
    ok(guarded > 0);
    for (const attack of ["one_address", "burst", "sleepers"] as const) {
      const times = share(attack, DEFENCES, buys) / guarded;
      ok(times <= 2, `${attack}, ${buys ? "purchases" : "looks"}: ${times}`);
    }
  }
  ok(share("sleepers", {}) / share("none", {}) > 4);
  equal(simulateShop({ ...shop, attack: "burst", defences: DEFENCES }).trendingRank > 10, true);
  equal(simulateShop({ ...shop, attack: "burst", defences: {} }).trendingRank <= 3, true);
});
