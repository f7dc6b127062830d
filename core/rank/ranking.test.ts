// What a visitor is shown: full lists, nothing that is excluded, reasons that are true, and quick answers to feedback.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import type { RankQuery } from "./query.ts";
import { createRecommender, type MeasuredRecommender } from "./recommender.ts";

const STREAM = { steps: 3_000, persons: 60, items: 60, groupSize: 6 };
const steps = stepStream(rngFrom(7), STREAM);
const nowMs = steps.at(-1)!.timeMs + 1_000;
const category = (i: number): string => `c${Math.floor(i / 6)}`;

function shop(more?: { catalogueOnly: boolean }): MeasuredRecommender {
  const recommender = createRecommender({ learning: { share: 1 }, models: { catalogue_only: more?.catalogueOnly ?? false } });
  // Items 50–59 are known from events alone; the catalogue is older than what counts as new.
  for (let i = 0; i < 50; i++) {
    recommender.putItem({ item_id: `i${i}`, title: `Thing ${i}`, categories: [category(i)], tags: [], price: i }, nowMs - 10 * 86_400_000);
  }
  for (const step of steps) recommender.learn(step);
  return recommender;
}

const base = shop();
const ask = (more: Partial<RankQuery> = {}): RankQuery => ({ personKey: "a:nobody", nowMs, limit: 20, history: [], interests: [], ...more });
const ids = (recommender: MeasuredRecommender, query: RankQuery): string[] => recommender.recommend(query).items.map((item) => item.itemId);

test("a new visitor gets a full list, by context where one is known, by interests where he has some", () => {
  equal(base.recommend(ask()).strategy, "popular");
  equal(base.recommend(ask()).items.length, 20);
  equal(base.recommend(ask({ country: "DE" })).strategy, "context");
  const interested = base.recommend(ask({ interests: [["c3", 1]] }));
  equal(interested.strategy, "interests");
  equal(interested.items.length, 20);
  equal(createRecommender().recommend(ask()).strategy, "empty");
});

test("a catalogue without any event still gives a full list", () => {
  const recommender = createRecommender();
  for (let i = 0; i < 30; i++) recommender.putItem({ item_id: `n${i}`, categories: [], tags: [] }, nowMs);
  equal(new Set(ids(recommender, ask())).size, 20);
  equal(recommender.recommend(ask()).strategy, "newest");
});

test("what fills a list is called newest while it is, by its day of publication or by when it was listed", () => {
  const recommender = createRecommender();
  const day = 86_400_000;
  const plain = { categories: [], tags: [] };
  recommender.putItem({ ...plain, item_id: "listed long ago" }, nowMs - 31 * day);
  recommender.putItem({ ...plain, item_id: "listed lately" }, nowMs - 29 * day);
  recommender.putItem({ ...plain, item_id: "an old book", published_at: nowMs - 400 * day }, nowMs);
  recommender.putItem({ ...plain, item_id: "a new book", published_at: nowMs - day }, nowMs);
  const list = recommender.recommend(ask({ explain: true }));
  deepEqual(list.items.map(({ itemId, reasons }) => [itemId, reasons![0]!.source]), [
    ["a new book", "newest"], ["an old book", "other"], ["listed lately", "newest"], ["listed long ago", "other"],
  ]);
});

test("what the visitor turned away from comes after all that nobody has opened yet, and is not tried on him as new", () => {
  const recommender = createRecommender();
  for (let i = 0; i < 12; i++) recommender.putItem({ item_id: `n${i}`, categories: [`c${i}`], tags: [] }, nowMs);
  const step = { eventType: "click", weight: 1, sampled: false, history: [], timeMs: nowMs };
  for (const itemId of ["n3", "n4"]) for (const personKey of ["a:1", "a:2"]) recommender.learn({ ...step, personKey, itemId });
  const before = ids(recommender, ask());
  deepEqual(before.slice(0, 2), ["n3", "n4"]);
  const waved = before.filter((_, i) => i === 0 || i === 2);
  const history = waved.map((item_id) => ({ item_id, event_type: "dismiss", timestamp: nowMs }));
  const after = ids(recommender, ask({ history }));
  deepEqual(after.slice(-2).sort(), [...waved].sort());
  deepEqual([...after].sort(), [...before].sort(), "the list stays full");
  const scores = recommender.recommend(ask({ history })).items.map(({ score }) => score);
  deepEqual(scores, scores.toSorted((a, b) => b - a), "scores say the same order");
  for (let i = 0; i < 40; i++) {
    const list = recommender.recommend(ask({ history, limit: 8, personKey: `a:${i}`, nowMs: nowMs + i * 60_000, explain: true })).items;
    ok(list.every(({ itemId }) => !waved.includes(itemId)), JSON.stringify(list));
  }
});

test("nothing that is excluded is shown", () => {
  const person = steps.at(-1)!;
  const history = [
    { item_id: "i1", event_type: "purchase", timestamp: nowMs },
    { item_id: "i2", event_type: "dismiss", timestamp: nowMs },
    { item_id: "i3", event_type: "view", timestamp: nowMs },
  ];
  const all = { limit: 100, history, personKey: person.personKey };
  const left = (more: Partial<RankQuery>): string[] => {
    const shown = new Set(ids(base, ask({ ...all, ...more })));
    return ["i1", "i2", "i3", "i4"].filter((id) => !shown.has(id));
  };
  deepEqual(left({}), []);
  deepEqual(left({ excludeKinds: ["purchased"] }), ["i1"]);
  deepEqual(left({ excludeKinds: ["dismissed"] }), ["i2"]);
  ok(["i1", "i2", "i3"].every((id) => left({ excludeKinds: ["seen"] }).includes(id)));
  deepEqual(left({ exclude: new Set(["i4"]) }), ["i4"]);
  deepEqual(left({ pageItemId: "i3" }), ["i3"]);
  ok(!ids(base, ask({ ...all, excludeKinds: ["session"] })).includes(person.itemId));
  const cheap = ids(base, ask({ limit: 100, filter: (item) => (item.price ?? Infinity) < 10 }));
  equal(cheap.length, 10);
  const unavailable = shop();
  unavailable.putItem({ item_id: "i5", categories: [], tags: [], available: false }, nowMs);
  ok(!ids(unavailable, ask({ limit: 100 })).includes("i5"));
  const eventOnly = steps.find(({ itemId }) => Number(itemId.slice(1)) >= 50)!.itemId;
  ok(ids(base, ask({ limit: 100 })).includes(eventOnly));
  ok(!ids(shop({ catalogueOnly: true }), ask({ limit: 100 })).includes(eventOnly));
});

test("what was opened in the session stays out, waved away or long ago; a dismissal holds until the visitor says yes", () => {
  const recommender = shop();
  const personKey = "a:session";
  const did = (item_id: string, event_type: string, agoMs: number) => ({ item_id, event_type, timestamp: nowMs - agoMs });
  const opened = [...Array(30).keys()].map((i) => did(`i${i}`, "view", 1_000 + i));
  const history = [did("i7", "dismiss", 1), did("i8", "remove_from_cart", 2), did("i40", "dismiss", 3), ...opened, did("i45", "view", 90_000)];
  for (const { item_id, event_type, timestamp } of [...history].reverse()) {
    const weight = event_type === "view" ? 1 : -1;
    recommender.learn({ personKey, itemId: item_id, eventType: event_type, weight, timeMs: timestamp, sampled: false, history: [] });
  }
  const query = ask({ personKey, history, excludeKinds: ["session"], limit: 60, sessionFromMs: nowMs - 60_000, nowMs });
  const list = ids(recommender, query);
  deepEqual(opened.filter(({ item_id }) => list.includes(item_id)), []);
  ok(list.includes("i40"), "to wave away is not to open");
  deepEqual(recommender.inspect(query, ["i8", "i29"]).asked.map(({ verdict }) => verdict), [{ kind: "session" }, { kind: "session" }]);

  const shows = (...newestFirst: string[]): boolean => {
    const words = newestFirst.map((type, i) => did("i2", type, i));
    return ids(base, ask({ history: words, excludeKinds: ["dismissed"], limit: 60 })).includes("i2");
  };
  deepEqual(
    [shows("dislike", "like"), shows("like", "dislike"), shows("add_to_cart", "dismiss"), shows("click", "dismiss"), shows("dismiss", "like", "dislike")],
    [false, true, true, false, false],
  );
});

test("boosts move what they pick, diversity mixes categories", () => {
  const boosted = ids(base, ask({ boosts: [{ when: (item) => item.categories[0] === "c8", by: 1e6 }] }));
  ok(boosted.slice(0, 2).every((id) => category(Number(id.slice(1))) === "c8"), boosted.join(" "));
  const query = ask({ personKey: steps.at(-1)!.personKey, limit: 8 });
  const kinds = (list: string[]): number => new Set(list.map((id) => category(Number(id.slice(1))))).size;
  const plain = kinds(ids(base, query));
  const mixed = kinds(ids(base, { ...query, diversity: 1 }));
  ok(mixed > plain, `${mixed} > ${plain}`);
  deepEqual(ids(base, { ...query, diversity: 0 }), ids(base, query));
});

test("explain names the visitor's own items, and shares that do not exceed the whole", () => {
  for (const step of steps.slice(-50)) {
    const own = new Set(steps.filter(({ personKey }) => personKey === step.personKey).map(({ itemId }) => itemId));
    const list = base.recommend(ask({ personKey: step.personKey, history: step.history, explain: true }));
    for (const { reasons } of list.items) {
      ok(reasons!.length > 0);
      ok(reasons!.reduce((sum, reason) => sum + reason.weight, 0) <= 1 + 1e-9);
      for (const { because } of reasons!) for (const id of because) ok(own.has(id), `${id} is none of ${step.personKey}'s`);
    }
  }
});

test("a dismissed item and its like fall at once, for that visitor alone; a click lifts the like", () => {
  const step = steps.at(-1)!;
  const query = ask({ personKey: step.personKey, limit: 30 });
  const before = ids(base, query);
  const victim = before.find((id) => Number(id.slice(1)) < 50 && id !== step.itemId)!;
  const like = before.filter((id) => id !== victim && category(Number(id.slice(1))) === category(Number(victim.slice(1))));
  const history = [{ item_id: victim, event_type: "dismiss", timestamp: nowMs }];
  const after = base.recommend({ ...query, history }).items;
  const scoreOf = (items: typeof after, id: string): number => items.find((item) => item.itemId === id)?.score ?? 0;
  const plain = base.recommend(query).items;
  ok(scoreOf(after, victim) < scoreOf(plain, victim) / 2);
  for (const id of like) ok(scoreOf(after, id) < scoreOf(plain, id), `${id} must fall`);
  deepEqual(ids(base, query), before);

  const fresh = shop();
  const share = (list: string[], of: string): number => list.filter((id) => category(Number(id.slice(1))) === of).length;
  const visitor = ask({ personKey: "a:fresh", limit: 10 });
  const atFirst = share(ids(fresh, visitor), "c6");
  fresh.learn({ personKey: "a:fresh", itemId: "i38", eventType: "click", weight: 1, timeMs: nowMs, sampled: false, history: [] });
  ok(share(ids(fresh, { ...visitor, nowMs: nowMs + 1 }), "c6") > atFirst);
});

test("a new item appears within seconds to those whom it suits, and the choice repeats", () => {
  const recommender = shop();
  recommender.putItem({ item_id: "brand-new", title: "Brand new", categories: ["c2"], tags: [] }, nowMs);
  const query = ask({ interests: [["c2", 1]], nowMs: nowMs + 2_000 });
  ok(ids(recommender, query).includes("brand-new"));
  deepEqual(ids(recommender, query), ids(recommender, query));
});

test("similar items share sessions or content; trending looks at velocity, not volume", () => {
  const similar = base.similar("i12", { limit: 5, nowMs, explain: true });
  equal(similar.strategy, "similar");
  ok(similar.items.every((item) => item.itemId !== "i12"));
  ok(similar.items.filter((item) => category(Number(item.itemId.slice(1))) === "c2").length >= 4, JSON.stringify(similar.items));
  deepEqual(similar.items[0]!.reasons![0]!.because, ["i12"]);

  const recommender = createRecommender({ models: { popularity: { half_life: "1h" } } });
  const step = { eventType: "click", weight: 1, sampled: false, history: [] };
  for (let i = 0; i < 2_000; i++) recommender.learn({ ...step, personKey: `a:${i}`, itemId: "steady", timeMs: i * 5_000 });
  for (let i = 0; i < 40; i++) recommender.learn({ ...step, personKey: `b:${i}`, itemId: "rising", timeMs: 10_000_000 + i * 1_000 });
  equal(recommender.trending({ limit: 2, nowMs: 10_040_000 }).items[0]!.itemId, "rising");
  equal(recommender.recommend(ask({ nowMs: 10_040_000, limit: 2 })).items[0]!.itemId, "steady");
});

test("what fills a list of nobody's is called what it is: popular, newest or other", () => {
  const recommender = createRecommender();
  const day = 86_400_000;
  const plain = { categories: [], tags: [] };
  recommender.putItem({ ...plain, item_id: "old" }, nowMs - 40 * day);
  recommender.putItem({ ...plain, item_id: "new" }, nowMs - day);
  const sourcesOf = () => {
    const { strategy, items } = recommender.similar("none", { limit: 5, nowMs, explain: true });
    return [strategy, ...items.map(({ itemId, reasons }) => `${itemId}: ${reasons![0]!.source}`)];
  };
  deepEqual(sourcesOf(), ["newest", "new: newest", "old: other"]);
  equal(recommender.trending({ limit: 5, nowMs }).strategy, "newest");
  const step = { personKey: "a:x", eventType: "click", weight: 1, sampled: false, history: [] };
  recommender.learn({ ...step, itemId: "old", timeMs: nowMs - 30 * day });
  deepEqual(sourcesOf(), ["popular", "old: popular", "new: newest"]);
});

test("the blend beats every single model on a stream with structure", () => {
  forEachSeed(2, (rng) => {
    const stream = stepStream(rng, { steps: 9_000, persons: 300, items: 600, groupSize: 12 });
    const recommender = createRecommender({ learning: { share: 0.5 } });
    const hits = new Map<string, number>();
    for (const [i, step] of stream.entries()) {
      if (i > 5_000 && step.history.length > 0 && i % 3 === 0) {
        const query = ask({ personKey: step.personKey, history: step.history, nowMs: step.timeMs, limit: 20 });
        const served = ids(recommender, query);
        const lists = [["blend", served] as const, ...recommender.modelLists(query).map((list, m) => [recommender.modelNames[m]!, list] as const)];
        for (const [name, list] of lists) hits.set(name, (hits.get(name) ?? 0) + (list.includes(step.itemId) ? 1 : 0));
      }
      recommender.learn({ ...step, sampled: recommender.learningSample(`e${i}`, step.timeMs) });
    }
    for (const name of recommender.modelNames) ok(hits.get("blend")! > hits.get(name)!, JSON.stringify([...hits]));
  });
});
