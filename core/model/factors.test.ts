// Vectors of items learn who follows whom; a walk of two steps is a sum of products of cosines; the rankers take from the
// visitor's own clicks only what is there before the models have heard of them.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import type { Step } from "./step.ts";
import { createCandidateList } from "./candidates.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createModels, type Models } from "./models.ts";

const START_MS = 1_700_000_000_000;

function models(): Models {
  return createModels(modelConfig({}), learningConfig({ share: 0 }));
}

function visit(into: Models, personKey: string, itemIds: readonly string[], atMs = START_MS): void {
  itemIds.forEach((itemId, i) => {
    const step: Step = { personKey, itemId, eventType: "click", weight: 1, timeMs: atMs + i, sampled: false, history: [] };
    into.learn(step);
  });
}

const listOf = (of: Models, name: string): Map<string, number> => {
  const { slots, scores, length } = of.lists[of.models.findIndex((model) => model.name === name)]!;
  return new Map(Array.from({ length }, (_, i) => [of.items.idAt(slots[i]!), scores[i]!]));
};

test("factors: the product is high for what follows, and low for what follows others", () => {
  const rng = rngFrom(5);
  const learnt = models();
  // Two themes of ten items; visitors stay within theirs.
  for (let p = 0; p < 400; p++) {
    const theme = rng.between(0, 1);
    visit(learnt, `a:${p}`, Array.from({ length: 4 }, () => `t${theme}-${rng.between(0, 9)}`), START_MS + p * 1000);
  }
  visit(learnt, "a:me", ["t1-3"], START_MS + 1_000_000);
  learnt.list({ personKey: "a:me", history: [] }, START_MS + 1_000_001);
  learnt.factors.meet(learnt.situation);
  const affinities = (theme: number): number[] =>
    Array.from({ length: 10 }, (_, i) => learnt.factors.affinity(learnt.items.slotOf(`t${theme}-${i}`))).filter((_, i) => theme === 0 || i !== 3);
  ok(Math.min(...affinities(1)) > Math.max(...affinities(0)), `${affinities(1)} ${affinities(0)}`);
  ok([...affinities(0), ...affinities(1)].every((affinity) => Math.abs(affinity) < 20));
  // Whoever is unknown, or whose item is, has no affinity.
  learnt.list({ personKey: "a:nobody", history: [] }, START_MS + 1_000_002);
  learnt.factors.meet(learnt.situation);
  equal(learnt.factors.affinity(learnt.items.slotOf("t1-1")), 0);
});

test("walk: what goes with what goes with the newest items", () => {
  const learnt = models();
  // c and a never meet; both meet b.
  visit(learnt, "a:1", ["a", "b"]);
  visit(learnt, "a:2", ["b", "c"]);
  visit(learnt, "a:3", ["x", "y"]);
  learnt.list({ personKey: "a:new", history: [], trail: ["a"] }, START_MS + 10);
  const list = listOf(learnt, "walk");
  deepEqual([...list.keys()].sort(), ["a", "c"]);
  const half = 1 / Math.sqrt(2); // cos(a, b) = cos(b, c) = 1 / √(1 · 2).
  ok(Math.abs(list.get("c")! - half * half) < 1e-6, `${list.get("c")}`);
  equal(listOf(learnt, "cosine").has("c"), false);
});

test("an item's own ways back count beside its place", () => {
  const learnt = models();
  for (let p = 0; p < 30; p++) visit(learnt, `a:${p}`, p % 2 === 0 ? ["a", "b", "a"] : ["a", "b", "c"], START_MS + p * 100);
  const repeats = learnt.models.find((model) => model.name === "repeats") as unknown as { pull(slot: number): number };
  const pull = (itemId: string): number => repeats.pull(learnt.items.slotOf(itemId));
  // 15 ways back over 30 + 30 + 15 sessions' items, with a start of 1 in 10.
  const usual = (15 + 1) / (75 + 10);
  ok(Math.abs(pull("a") - (15 / usual + 10) / (30 + 10)) < 1e-6);
  ok(Math.abs(pull("b") - 10 / 40) < 1e-6);
  equal(repeats.pull(99_999), 1);
});

test("of the session's items the rankers say the same, whether or not the models have heard of the session", () => {
  const teach = (): Models => {
    const off = { enabled: false };
    const taught = createModels(modelConfig({ knn: off, factors: off }), learningConfig({ share: 1 }));
    const click = { eventType: "click", weight: 1, sampled: true, history: [] };
    for (let p = 0; p < 60; p++) {
      const session = ["a", "b", p % 3 === 0 ? "a" : "c"];
      session.forEach((itemId, i) => taught.learn({ ...click, personKey: `a:${p}`, itemId, timeMs: START_MS + p * 100 + i }));
    }
    for (const id of ["x", "y"]) taught.put({ item_id: id, categories: [], tags: [] }, START_MS);
    return taught;
  };
  const chances = (of: Models): number[] => {
    of.list({ personKey: "a:me", history: [], trail: ["y", "x"] }, START_MS + 10_000);
    const ranked = createCandidateList(500);
    of.rank(ranked);
    return ["x", "y"].map((itemId) => ranked.scores[ranked.slots.indexOf(of.items.slotOf(itemId))]!);
  };
  const live = teach();
  visit(live, "a:me", ["x", "y"], START_MS + 9_000);
  const before = chances(teach());
  chances(live).forEach((chance, i) => ok(Math.abs(chance - before[i]!) < 0.002, `${chance} ${before[i]}`));
});
