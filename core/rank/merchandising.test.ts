// What merchandising does to a list: pins stand where they are put, caps hold, what tired goes, what is new rises, and
// whoever asks why an item is missing is told the truth.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Item } from "../item/item.ts";
import { rngFrom } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import type { RankQuery, Verdict } from "./query.ts";
import { createRecommender, type Recommender } from "./recommender.ts";

const DAY = 86_400_000;
const steps = stepStream(rngFrom(3), { steps: 3_000, persons: 60, items: 60, groupSize: 6 });
const nowMs = steps.at(-1)!.timeMs + 1_000;
const categoryOf = (i: number): string => `c${Math.floor(i / 6)}`;
const itemOf = (i: number): Item => ({
  item_id: `i${i}`, categories: [categoryOf(i)], tags: i % 2 === 0 ? ["even"] : [], price: i,
  attributes: { brand: `b${i % 4}` }, published_at: nowMs - i * DAY,
});

function shop(): Recommender {
  const recommender = createRecommender({ learning: { share: 1 } });
  for (let i = 0; i < 60; i++) recommender.putItem(itemOf(i), nowMs - 10 * DAY);
  for (const step of steps) recommender.learn(step);
  return recommender;
}

const base = shop();
const ask = (more: Partial<RankQuery> = {}): RankQuery => ({
  personKey: steps.at(-1)!.personKey, nowMs, limit: 12, history: [], interests: [], ...more,
});
const ids = (query: RankQuery): string[] => base.recommend(query).items.map(({ itemId }) => itemId);
const numberOf = (itemId: string): number => Number(itemId.slice(1));
const plain = ids(ask());
const last = (): string => [...Array(60).keys()].map((i) => `i${i}`).find((id) => !plain.includes(id))!;
const verdict = (query: RankQuery, itemId: string): Verdict => base.inspect(query, [itemId]).asked[0]!.verdict;

test("a pinned item stands at its position once, and the others keep their order", () => {
  const item = last();
  const pinned = ids(ask({ pins: [{ at: 3, itemId: item }] }));
  equal(pinned[2], item);
  deepEqual(pinned.filter((id) => id !== item), plain.slice(0, 11));
  const moved = ids(ask({ pins: [{ at: 1, itemId: plain[5]! }] }));
  deepEqual(moved, [plain[5], ...plain.filter((id) => id !== plain[5])]);
});

test("a pin by condition takes the best item for which it holds; one that finds none gives its place up", () => {
  const isRare = ({ price }: Item): boolean => price === 59;
  equal(ids(ask({ pins: [{ at: 2, when: isRare }] }))[1], "i59");
  const evens = ids(ask({ pins: [{ at: 1, when: ({ tags }) => tags.includes("even") }, { at: 2, when: ({ tags }) => tags.includes("even") }] }));
  const best = plain.filter((id) => numberOf(id) % 2 === 0);
  deepEqual(evens.slice(0, 2), best.slice(0, 2));
  deepEqual(ids(ask({ pins: [{ at: 1, when: () => false }, { at: 2, itemId: "nobody" }, { at: 50, itemId: "i3" }] })), plain);
});

test("a pin by condition leaves the item that another pin names to that pin", () => {
  const isEven = ({ tags }: Item): boolean => tags.includes("even");
  const [best, next] = plain.filter((id) => numberOf(id) % 2 === 0) as [string, string];
  deepEqual(ids(ask({ pins: [{ at: 1, when: isEven }, { at: 4, itemId: best }] })).filter((_, i) => i === 0 || i === 3), [next, best]);
  equal(ids(ask({ pins: [{ at: 1, when: isEven }, { at: 50, itemId: best }] }))[0], best, "a pin beyond the list keeps nothing");
});

test("filters and exclusions hold for pins; being shown too often does not", () => {
  const item = last();
  const pins = [{ at: 1, itemId: item }];
  ok(!ids(ask({ pins, filter: ({ item_id }) => item_id !== item })).includes(item));
  ok(!ids(ask({ pins, exclude: new Set([item]) })).includes(item));
  equal(ids(ask({ pins, tired: { items: new Set([item]), by: 0 } }))[0], item);
});

test("caps hold for every list, pins and exploration among them, and lists stay full while there is room", () => {
  forEachSeed(40, (rng) => {
    const max = rng.between(1, 4);
    const by = ["category", "categories", "tags", "attributes.brand"][rng.between(0, 3)]!;
    const pins = rng.between(0, 1) === 0 ? [] : [{ at: 2, itemId: `i${rng.between(0, 59)}` }];
    const query = ask({
      personKey: `a:${rng.between(0, 99)}`, limit: rng.between(1, 20), caps: [{ by, max }], pins, diversity: rng.between(0, 3) / 4,
    });
    const list = ids(query);
    const counts = new Map<string, number>();
    for (const id of list) {
      const item = itemOf(numberOf(id));
      const values = by === "tags" ? item.tags : by.startsWith("attributes") ? [item.attributes!["brand"] as string] : item.categories;
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const [value, count] of counts) ok(count <= max, `${count} of ${value}, at most ${max}`);
    const room = by === "tags" ? 30 + max : (by === "attributes.brand" ? 4 : 10) * max;
    equal(list.length, Math.min(query.limit, room), JSON.stringify(query.caps));
    equal(new Set(list).size, list.length);
  });
});

test("a new item to try stands in the second half of a list, however short that is", () => {
  const tried = shop();
  tried.putItem({ item_id: "new", categories: ["c0"], tags: [] }, nowMs);
  for (const limit of [5, 6, 9, 12]) {
    const places = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const list = tried.recommend(ask({ personKey: `a:${i}`, limit })).items.map(({ itemId }) => itemId);
      equal(list.length, limit);
      if (list.includes("new")) places.add(list.indexOf("new"));
    }
    const least = limit - Math.min(5, limit >> 1);
    deepEqual([...places].sort((a, b) => a - b), Array.from({ length: limit - least }, (_, i) => least + i), `of ${limit}`);
  }
});

test("what is shown too often leaves, or falls by a factor", () => {
  const tired = new Set(plain.slice(0, 3));
  const left = ids(ask({ tired: { items: tired, by: 0 } }));
  ok(left.every((id) => !tired.has(id)));
  equal(left.length, 12);
  const before = base.inspect(ask(), []).accounts;
  const after = base.inspect(ask({ tired: { items: tired, by: 0.5 } }), [...tired]).asked;
  for (const { account } of after) {
    const { score } = before.find(({ itemId }) => itemId === account.itemId)!;
    equal(account.score, score! * 0.5);
    deepEqual(account.factors, [{ kind: "frequency", by: 0.5 }]);
  }
});

test("freshness halves its share of a score with each half-life of the item's age", () => {
  const query = ask({ freshness: { weight: 0.6, halfLifeMs: 10 * DAY } });
  for (const { itemId, modelScore, score, factors } of base.inspect(query, []).accounts) {
    if (modelScore === undefined || score === undefined) continue;
    const by = 1 - 0.6 * (1 - 0.5 ** (numberOf(itemId) / 10));
    ok(Math.abs(factors[0]!.by - by) < 1e-12 && Math.abs(score - modelScore * by) < 1e-12, `${itemId} ${factors[0]!.by} ${by}`);
  }
  const ages = ids(ask({ freshness: { weight: 1, halfLifeMs: 3_600_000 } })).map(numberOf);
  deepEqual(ages.slice(0, 3), [...ages.slice(0, 3)].sort((a, b) => a - b));
});

test("whoever has seen everything gets it again, but never what he bought", () => {
  const history = [...Array(60).keys()].map((i) => ({ item_id: `i${i}`, event_type: i < 5 ? "purchase" : "view", timestamp: nowMs - 1 }));
  const list = base.recommend(ask({ history, excludeKinds: ["seen", "purchased"], limit: 60 }));
  equal(list.strategy, "seen_again");
  deepEqual(list.items.map(({ itemId }) => numberOf(itemId)).filter((i) => i < 5), []);
  ok(list.items.length > 20);
  equal(base.recommend(ask({ history, excludeKinds: ["seen"], filter: () => false })).strategy, "empty");
});

test("purchases before their time do not count, remembered ones beyond the history do", () => {
  const [old, late, gone] = plain as [string, string, string];
  const history = [
    { item_id: late, event_type: "purchase", timestamp: nowMs - DAY },
    { item_id: old, event_type: "purchase", timestamp: nowMs - 40 * DAY },
  ];
  const list = ids(ask({ history, excludeKinds: ["purchased"], purchasesFromMs: nowMs - 30 * DAY, bought: new Set([gone]) }));
  deepEqual([old, late, gone].map((id) => list.includes(id)), [true, false, false]);
});

test("rules order what no model proposes too: a shop without events, and what fills a short list", () => {
  const young = createRecommender();
  for (let i = 0; i < 60; i++) young.putItem(itemOf(i), nowMs - i);
  const boosts = [{ when: ({ price }: Item) => price === 20, by: 10 }, { when: ({ price }: Item) => price! < 30, by: 0 }];
  const list = (more: Partial<RankQuery>): number[] => young.recommend(ask({ limit: 60, ...more })).items.map(({ itemId }) => numberOf(itemId));
  deepEqual(list({ boosts: [{ when: ({ price }) => price === 20, by: 10 }] }).slice(0, 2), [20, 59]);
  deepEqual(list({ boosts }).slice(0, 30).filter((i) => i < 30), []);
  deepEqual([...list({ boosts })].sort((a, b) => a - b), [...Array(60).keys()], "lists stay full");
  deepEqual(list({ freshness: { weight: 1, halfLifeMs: DAY } }).slice(0, 12), [...Array(12).keys()]);
  deepEqual(list({ tired: { items: new Set(["i59"]), by: 0.5 } }).at(-1), 59);
  const even = ({ tags }: Item): boolean => tags.includes("even");
  equal(list({ boosts: [{ when: ({ price }) => price === 20, by: 10 }], pins: [{ at: 4, when: even }] })[3], 20, "the best for which it holds");
  deepEqual(young.inspect(ask({ boosts }), ["i20", "i40"]).asked.map(({ account }) => account.factors), [
    [{ kind: "boost", rule: 0, by: 10 }, { kind: "boost", rule: 1, by: 0 }], [],
  ]);

  // One item is proposed, and a rule puts it last: behind all that fill the list, but in it.
  young.learn({ personKey: "a:1", itemId: "i7", eventType: "click", weight: 1, timeMs: nowMs, sampled: false, history: [] });
  equal(list({})[0], 7);
  equal(list({ boosts: [{ when: ({ price }) => price === 7, by: 0 }] }).at(-1), 7);
});

test("the factor 0 puts last, however many candidates there are and however mixed the list is", () => {
  const isLow = ({ price }: Item): boolean => price! < 50;
  const boosts = [{ when: isLow, by: 0 }];
  forEachSeed(30, (rng) => {
    const query = ask({ personKey: `a:${rng.between(0, 80)}`, boosts, limit: rng.between(1, 60), diversity: rng.between(0, 2) / 2 });
    const { list, asked } = base.inspect(query, plain.filter((id) => numberOf(id) < 50));
    const places = list.items.map(({ itemId }) => numberOf(itemId) < 50);
    deepEqual(places, [...places].sort((a, b) => Number(a) - Number(b)));
    equal(places.length, query.limit);
    equal(places.filter((isLast) => !isLast).length, Math.min(query.limit, 10));
    for (const { verdict: { kind, ...more } } of asked) {
      ok(kind === "listed" || kind === "put_last", kind);
      if (kind === "put_last") deepEqual(more, { ...more, factor: { kind: "boost", rule: 0, by: 0 } });
    }
  });
});

test("the factor 0 puts last beyond the fillers whose order rules set", () => {
  const large = createRecommender();
  for (let i = 0; i < 300; i++) large.putItem({ item_id: `i${i}`, categories: [`c${i % 100}`], tags: [], price: i % 100 }, nowMs - i);
  const boosts = [{ when: ({ price }: Item) => price! < 90 && price! % 2 === 0, by: 0 }];
  const list = large.recommend(ask({ limit: 80, boosts, caps: [{ by: "category", max: 1 }] })).items;
  const places = list.map(({ itemId }) => numberOf(itemId) % 100).map((price) => price < 90 && price % 2 === 0);
  deepEqual(places, [...places].sort((a, b) => Number(a) - Number(b)));
  deepEqual([places.length, places.filter((isLast) => isLast).length], [80, 25]);
});

test("inspecting gives the list that is served, and a true account of every item", () => {
  const boosts = [{ when: ({ tags }: Item) => tags.includes("even"), by: 2 }, { when: ({ price }: Item) => price! > 30, by: 0.5 }];
  forEachSeed(20, (rng) => {
    const query = ask({ personKey: `a:${rng.between(0, 80)}`, boosts, diversity: 0.2, caps: [{ by: "category", max: 3 }], explain: true });
    const { list, accounts } = base.inspect(query, []);
    deepEqual(list, base.recommend(query));
    for (const [at, account] of accounts.entries()) {
      equal(account.itemId, list.items[at]!.itemId);
      if (account.score === undefined) continue;
      const product = account.factors.reduce((score, { by }) => score * by, account.modelScore!);
      ok(Math.abs(product - account.score) <= 1e-12 * product, `${product} ${account.score}`);
      equal(account.score, list.items[at]!.score);
      ok(account.sources.length > 0);
    }
  });
});

test("why not: each reason that keeps an item out is told", () => {
  const [first, second] = plain as [string, string];
  const bought = [{ item_id: first, event_type: "purchase", timestamp: nowMs }];
  deepEqual(verdict(ask(), first), { kind: "listed", rank: 1 });
  deepEqual(verdict(ask(), "nobody"), { kind: "unknown" });
  deepEqual(verdict(ask({ history: bought, excludeKinds: ["purchased", "seen"] }), first), { kind: "purchased" });
  deepEqual(verdict(ask({ history: bought, excludeKinds: ["seen"] }), first), { kind: "seen" });
  deepEqual(verdict(ask({ excludeKinds: ["session"] }), steps.at(-1)!.itemId), { kind: "session" });
  deepEqual(verdict(ask({ pageItemId: first }), first), { kind: "page_item" });
  for (const kind of ["session", "seen"] as const) deepEqual(verdict(ask({ pageItemId: first, excludeKinds: [kind] }), first), { kind: "page_item" });
  deepEqual(verdict(ask({ exclude: new Set([first]) }), first), { kind: "excluded_by_request" });
  deepEqual(verdict(ask({ filter: ({ item_id }) => item_id !== first }), first), { kind: "filtered" });
  deepEqual(verdict(ask({ tired: { items: new Set([first]), by: 0 } }), first), { kind: "too_often_shown" });
  const byBrand = ask({ caps: [{ by: "attributes.brand", max: 1 }] });
  const capped = plain.find((id) => !ids(byBrand).includes(id))!;
  const brand = `b${numberOf(capped) % 4}`;
  deepEqual(verdict(byBrand, capped), { kind: "capped", by: "attributes.brand", value: brand, max: 1 });
  const four = ask({ limit: 4 });
  const fifth = base.inspect(four, ids(ask({ limit: 60 }))).asked.find(({ account }) => account.scoreRank === 5)!;
  deepEqual(fifth.verdict, { kind: "ranked", scoreRank: 5 });
  const pins = [1, 2, 3].map((at, i) => ({ at, itemId: [...Array(60).keys()].map((n) => `i${n}`).filter((id) => !plain.includes(id))[i]! }));
  equal(verdict(ask({ limit: 4, pins }), second).kind, "displaced");
  const mixed = ask({ limit: 8, diversity: 0.9 });
  const pushed = base.inspect(mixed, plain).asked.filter((one) => one.verdict.kind === "diversity");
  ok(pushed.length > 0 && pushed.every(({ account }) => account.scoreRank! <= 8));

  const young = createRecommender();
  for (let i = 0; i < 60; i++) young.putItem(itemOf(i), nowMs - i);
  const short = young.inspect(ask({ caps: [{ by: "category", max: 1 }] }), ["i1", "i58"]);
  equal(short.list.items.length, 10);
  const full = { kind: "capped", by: "category", max: 1 };
  deepEqual(short.asked.map((one) => one.verdict), [{ ...full, value: "c0" }, { ...full, value: "c9" }], "fillers are capped, too");

  const dismissed = [{ item_id: first, event_type: "dismiss", timestamp: nowMs }];
  const { verdict: turned } = base.inspect(ask({ history: dismissed, limit: 4 }), [first]).asked[0]!;
  deepEqual(turned.kind === "put_last" && turned.factor, { kind: "feedback", by: 0.02 });

  const broad = createRecommender();
  const click = { eventType: "click", weight: 1, sampled: false, history: [], timeMs: nowMs };
  for (let i = 0; i < 90; i++) {
    broad.putItem({ item_id: `b${i}`, categories: [i < 50 ? `k${i}` : "liked"], tags: [] }, nowMs - 9 * DAY);
    for (const personKey of ["a:1", "a:2"]) broad.learn({ ...click, personKey: `${personKey}-${i}`, itemId: `b${i}` });
  }
  const waved = ["b5"].map((item_id) => ({ item_id, event_type: "dismiss", timestamp: nowMs }));
  const [low] = broad.inspect(ask({ history: waved, interests: [["liked", 1]] }), ["b5"]).asked;
  ok(low!.account.modelRank! <= 60, "high enough but for the dismissal");
  deepEqual(low!.verdict, { kind: "ranked_too_low", modelRank: low!.account.modelRank, feedback: 0.02 });

  const other = shop();
  other.putItem({ ...itemOf(2), available: false }, nowMs);
  deepEqual(other.inspect(ask(), ["i2"]).asked[0]!.verdict, { kind: "unavailable" });
  other.putItem({ item_id: "nowhere", categories: ["none"], tags: [], published_at: 1 }, nowMs - 9 * DAY);
  deepEqual(other.inspect(ask(), ["nowhere"]).asked[0]!.verdict, { kind: "not_proposed" });
});
