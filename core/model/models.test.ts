// Every counting model against a naive recount of the raw steps, on streams too small for any bound to bite.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import { rngFrom } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import { learningConfig, modelConfig } from "./config.ts";
import { createDecayClock } from "./decay-clock.ts";
import { createModels, type Models } from "./models.ts";
import { createPopularity } from "./popularity.ts";
import { createSampler } from "./sampler.ts";
import { createSituation } from "./situation.ts";
import { type Step, stepOf } from "./step.ts";

const HALF_LIFE_MS = 3_600_000;
const CONFIG = modelConfig({ popularity: { half_life: "1h" }, rules: { half_life: "1h" }, cosine: { half_life: "1h" }, knn: { half_life: "1h" }, item_ttl: "300d" });
const STREAM = { steps: 300, persons: 8, items: 12, groupSize: 4, stepMs: 30_000 };
/** Decay is read from a table of 4,096 steps, rows are 32-bit floats. */
const TOLERANCE = 1e-3;

interface NaiveSession {
  /** Distinct items, newest first. */
  trail: string[];
  visits: Map<string, number>;
  lastMs: number;
}

/** Calls `reveal` with the trail before each step; returns the sessions that are open at the end. */
function walk(steps: readonly Step[], reveal: (step: Step, session: NaiveSession, decay: number) => void): Map<string, NaiveSession> {
  const open = new Map<string, NaiveSession>();
  const endMs = steps.at(-1)!.timeMs;
  for (const step of steps) {
    let session = open.get(step.personKey);
    if (session === undefined || step.timeMs - session.lastMs > SESSION_GAP_MS) {
      session = { trail: [], visits: new Map(), lastMs: step.timeMs };
      open.set(step.personKey, session);
    }
    reveal(step, session, 2 ** ((step.timeMs - endMs) / HALF_LIFE_MS));
    session.trail = [step.itemId, ...session.trail.filter((id) => id !== step.itemId)];
    session.visits.set(step.itemId, (session.visits.get(step.itemId) ?? 0) + 1);
    session.lastMs = step.timeMs;
  }
  return open;
}

function learnt(steps: readonly Step[]): Models {
  const models = createModels(CONFIG, learningConfig({ share: 1 }));
  for (const step of steps) models.learn(step);
  return models;
}

/** Scores relative to the best: models keep them on scales of their own. */
function listed(models: Models, name: string): Map<string, number> {
  const { slots, scores, length } = models.lists[models.models.findIndex((model) => model.name === name)]!;
  return new Map(Array.from({ length }, (_, i) => [models.items.idAt(slots[i]!), scores[i]! / scores[0]!]));
}

function assertClose(actual: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): void {
  const best = Math.max(...expected.values());
  deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [id, score] of expected) ok(Math.abs(actual.get(id)! - score / best) < TOLERANCE, `${id}: ${actual.get(id)} ≠ ${score / best}`);
}

const add = (sums: Map<string, number>, key: string, by: number): void => void sums.set(key, (sums.get(key) ?? 0) + by);
const clicksOnly = (steps: Step[]): Step[] => steps.map((step) => ({ ...step, eventType: "click", sampled: false }));

test("popularity, rules and cosine equal a recount of the raw steps", () => {
  forEachSeed(20, (rng) => {
    const steps = clicksOnly(stepStream(rng, STREAM));
    const counts = new Map<string, number>();
    const rules = new Map<string, number>();
    const pairs = new Map<string, number>();
    const seen = new Map<string, number>();
    const open = walk(steps, ({ itemId }, { trail }, decay) => {
      add(counts, itemId, decay);
      trail.slice(0, 6).forEach((from, k) => from !== itemId && add(rules, `${from}>${itemId}`, decay / (k + 1)));
      if (trail.includes(itemId)) return;
      add(seen, itemId, decay);
      for (const other of trail.slice(0, 6)) {
        add(pairs, `${other}>${itemId}`, decay);
        add(pairs, `${itemId}>${other}`, decay);
      }
    });
    const models = learnt(steps);
    const last = steps.at(-1)!;
    models.list({ personKey: last.personKey, history: [] }, last.timeMs);
    const { trail } = open.get(last.personKey)!;
    assertClose(listed(models, "popularity"), counts);
    const ruleScores = new Map<string, number>();
    const cosineScores = new Map<string, number>();
    trail.slice(0, 3).forEach((from, k) => {
      for (const [pair, weight] of rules) if (pair.startsWith(`${from}>`)) add(ruleScores, pair.split(">")[1]!, weight * 0.5 ** k);
    });
    trail.slice(0, 5).forEach((from, k) => {
      for (const [pair, weight] of pairs) {
        const to = pair.split(">")[1]!;
        if (pair.startsWith(`${from}>`)) add(cosineScores, to, (weight / Math.sqrt(seen.get(from)! * seen.get(to)!)) * 0.6 ** k);
      }
    });
    if (ruleScores.size > 0) assertClose(listed(models, "rules"), ruleScores);
    if (cosineScores.size > 0) assertClose(listed(models, "cosine"), cosineScores);
  });
});

test("session kNN equals a scan of all sessions", () => {
  forEachSeed(20, (rng) => {
    const steps = clicksOnly(stepStream(rng, STREAM));
    const sessions = new Set<NaiveSession>();
    const open = walk(steps, (_step, session) => sessions.add(session));
    const models = learnt(steps);
    const last = steps.at(-1)!;
    models.list({ personKey: last.personKey, history: [] }, last.timeMs);
    const mine = open.get(last.personKey)!;
    const expected = new Map<string, number>();
    const posted = [...sessions].filter(({ trail }) => trail.length > 1);
    const holders = (id: string): number => posted.filter(({ trail }) => trail.includes(id)).length;
    for (const session of sessions) {
      if (session === mine || session.trail.length < 2) continue;
      const shared = mine.trail.slice(0, 10).filter((id) => session.trail.includes(id));
      if (shared.length === 0) continue;
      const worth = (id: string): number => Math.exp(-mine.trail.indexOf(id) / 4) / Math.log2(4 + holders(id));
      const overlap = shared.reduce((sum, id) => sum + worth(id), 0);
      const age = 2 ** ((session.lastMs - last.timeMs) / HALF_LIFE_MS);
      const similarity = overlap * age * (session.trail.includes(mine.trail[0]!) ? 1 : 0.5);
      const row = session.trail.toReversed(); // Oldest first.
      const matchAt = row.indexOf(shared[0]!);
      row.forEach((id, j) => {
        const near = Math.exp(-(j > matchAt ? j - matchAt - 1 : matchAt - j) / 4);
        add(expected, id, similarity * near * (j > matchAt ? 1 : 0.4));
      });
    }
    if (expected.size > 0) assertClose(listed(models, "knn"), expected);
  });
});

test("repeats count hits and trials by place, visits and length", () => {
  const models = createModels(CONFIG, learningConfig({ share: 0 }));
  const step = { personKey: "a:p", eventType: "click", weight: 1, sampled: false, history: [] };
  // a b, then back to a, fifty visitors: with two items known, the older one always comes next.
  for (let p = 0; p < 50; p++) {
    for (const [i, itemId] of ["a", "b", "a"].entries()) models.learn({ ...step, personKey: `a:${p}`, itemId, timeMs: 1_000_000 + p * 10 + i });
  }
  for (const itemId of ["a", "b"]) models.learn({ ...step, personKey: "a:new", itemId, timeMs: 1_001_000 });
  models.list({ personKey: "a:new", history: [] }, 1_001_000);
  const list = models.lists[models.models.findIndex((model) => model.name === "repeats")]!;
  equal(models.items.idAt(list.slots[0]!), "a");
  equal(list.scores[0], (50 + 0.05) / (50 + 5));
  equal(list.scores[1], 0.05 / (50 + 5));
});

test("one visit told by several event types is one step; the same type again is a repeat", () => {
  const models = createModels(CONFIG, learningConfig({ share: 0 }));
  const at = (itemId: string, eventType: string, timeMs: number): void =>
    models.learn({ personKey: "a:p", itemId, eventType, weight: 1, timeMs, sampled: false, history: [] });
  at("a", "click", 1_000);
  at("a", "view", 1_100);
  models.list({ personKey: "a:p", history: [] }, 1_200);
  equal(models.situation.visits[0], 1);
  at("a", "click", 2_000);
  models.list({ personKey: "a:p", history: [] }, 2_100);
  equal(models.situation.visits[0], 2);
  equal(models.situation.trailLength, 1);
});

test("a session ends after 30 minutes, or with another session id, and goes on under a linked key", () => {
  const models = createModels(CONFIG, learningConfig({ share: 0 }));
  const length = (personKey: string, sessionId: string | undefined, nowMs: number): number => {
    models.list({ personKey, sessionId, history: [] }, nowMs);
    return models.situation.trailLength;
  };
  models.learn({ personKey: "a:p", itemId: "a", eventType: "click", weight: 1, timeMs: 1_000, sampled: false, history: [] });
  equal(length("a:p", undefined, 1_000 + SESSION_GAP_MS), 1);
  equal(length("a:p", undefined, 1_001 + SESSION_GAP_MS), 0);
  models.learn({ personKey: "a:q", sessionId: "s1", itemId: "a", eventType: "click", weight: 1, timeMs: 2_000, sampled: false, history: [] });
  equal(length("a:q", "s1", 3_000), 1);
  equal(length("a:q", "s2", 3_000), 0);
  models.sessions.relink("a:q", "u:q");
  equal(length("u:q", "s1", 3_000), 1);
  equal(length("a:q", "s1", 3_000), 0);
});

test("popularity after a silence, however long, is what has not faded", () => {
  for (const halfLives of [1, 255, 256, 257, 511, 512, 513, 700, 1_500, 1e4, 1e9]) {
    const popularity = createPopularity(createDecayClock(60_000), { name: "popularity" });
    const learn = (slot: number, timeMs: number): void =>
      popularity.learn({ slot, ref: slot, timeMs, weight: 1, isRepeat: false, sessionNumber: 1 }, createSituation());
    for (let slot = 0; slot < 20; slot++) learn(slot, 0);
    const laterMs = halfLives * 60_000;
    learn(3, laterMs);
    equal(popularity.countAt(3, laterMs), 1 + 2 ** -halfLives);
    equal(popularity.countAt(4, laterMs), halfLives > 900 ? 0 : 2 ** -halfLives, `${halfLives}`);
    equal(popularity.popularCount, halfLives > 900 ? 1 : 20);
    equal(popularity.popular()[0], 3);
  }
});

test("the sampler keeps its share, its bound per second, and thins out", () => {
  const sampler = createSampler({ share: 0.25, maxPerSecond: 10 });
  const picked = (samples: number): number => {
    let count = 0;
    for (let i = 0; i < 10_000; i++) if (sampler.picks(`e${i}`, i, samples)) count++;
    return count;
  };
  ok(Math.abs(picked(0) - 2_500) < 150, `${picked(0)}`);
  ok(Math.abs(picked(10_000) - 625) < 90, `${picked(10_000)}`);
  for (let i = 0; i < 10; i++) sampler.count(5_000 + i);
  const inSecond = Array.from({ length: 100 }, (_, i) => sampler.picks(`x${i}`, 5_500, 0));
  ok(!inSecond.includes(true));
});

test("times that stand still, or run ahead of all that follow, leave the ranker its samples", () => {
  const taken = (timeOf: (i: number) => number): number => {
    const sampler = createSampler({ share: 1, maxPerSecond: 100 });
    let count = 0;
    for (let i = 0; i < 5_000; i++) {
      const isPicked = sampler.picks(`e${i}`, timeOf(i), 0);
      sampler.pass(timeOf(i));
      if (!isPicked) continue;
      sampler.count(timeOf(i));
      count++;
    }
    return count;
  };
  const DAY_MS = 86_400_000;
  equal(taken((i) => i * 1_000), 5_000);
  ok(taken(() => 20 * DAY_MS) > 3_900, "all alike");
  ok(taken((i) => (20 + Math.floor(i / 2_500)) * DAY_MS) > 2_900, "whole days");
  ok(taken((i) => (i === 50 ? 1_000 * DAY_MS : i * 1_000)) > 3_900, "one that is years ahead");
  const shuffled = rngFrom(7).shuffle(Array.from({ length: 5_000 }, (_, i) => i * 1_000));
  ok(taken((i) => shuffled[i]!) > 2_500, "in no order");
  // A queue that is sent every ten seconds: what waited counts as of now, and is bounded as ever.
  const late = taken((i) => Math.floor(i / 1_000) * 10_000 + (i % 1_000));
  ok(late > 240 && late < 520, `${late}`);
  ok(taken((i) => i / 50) < 60, "a busy moment");
});

test("for models nothing is later than when it was received", () => {
  const context = { personKey: "u:a", weight: 1, sampled: false, history: [], firstMs: -1 };
  const event: LoggedEvent = { event_id: "e", user_id: "a", event_type: "view", item_id: "x", timestamp: 400_000, received_at: 100_000 };
  const ahead = stepOf(event, context)!;
  deepEqual([ahead.timeMs, ahead.knownSinceMs], [100_000, 100_000]);
  equal(stepOf({ ...event, received_at: 900_000 }, context)!.timeMs, 400_000);
});

test("what comes now is bounded by when it comes, whatever time it says; history by its own", () => {
  const context = { personKey: "u:a", weight: 1, sampled: false, history: [], firstMs: -1 };
  const event: LoggedEvent = { event_id: "e", user_id: "a", event_type: "view", item_id: "x", timestamp: 10_000_000, received_at: 0 };
  const paceAt = (received_at: number): number => stepOf({ ...event, received_at }, context)!.paceMs!;
  deepEqual([9_900_000, 10_000_000, 13_600_000, 13_600_001].map(paceAt), [9_900_000, 10_000_000, 13_600_000, 10_000_000]);

  // A sender that says the same time again and again, 5,000 times a second.
  const models = createModels(CONFIG, learningConfig({ share: 1, max_per_second: 50 }));
  let samples = 0;
  for (let i = 0; i < 10_000; i++) {
    const paceMs = 10_000_000 + i / 5;
    const sampled = models.sampler.picks(`e${i}`, paceMs, 0);
    if (sampled) samples++;
    models.learn({ personKey: `a:${i % 7}`, itemId: `i${i % 11}`, eventType: "view", weight: 1, timeMs: 10_000_000, paceMs, sampled, history: [] });
  }
  ok(samples > 50 && samples <= 101, `${samples} in two seconds`);
});

test("a checkpoint holds the samples' clock of the moment when it began", () => {
  const config = learningConfig({ share: 1, max_per_second: 50 });
  const [models, restored] = [createModels(CONFIG, config), createModels(CONFIG, config)];
  const step = (timeMs: number, weight: number): Step => ({
    personKey: "a:1", itemId: "i1", eventType: weight > 0 ? "view" : "dismiss", weight, timeMs, sampled: true, history: [],
  });
  for (const timeMs of [1_000, 5_000, 5_000]) models.learn(step(timeMs, 1));
  const expected = { ...models.sampler.state };
  equal(expected.clockMs, 5_000);
  equal(expected.stillSteps, 1);
  for (const { begin } of models.tables) begin();
  models.learn(step(9_000, -1));
  models.learn(step(9_000, 1));
  const targets = new Map(restored.tables.map((table) => [table.table, table]));
  for (const { table, take } of models.tables) ok(take(Infinity, (key, bytes) => bytes !== null && targets.get(table)!.load(key, bytes.slice())));
  deepEqual(restored.sampler.state, expected);
});

test("a busy site's samples are spread over the second", () => {
  const sampler = createSampler({ share: 1, maxPerSecond: 50 });
  const taken: number[] = [];
  for (let timeMs = 0; timeMs < 5_000; timeMs++) {
    if (!sampler.picks(`e${timeMs}`, timeMs, 0)) continue;
    sampler.count(timeMs);
    taken.push(timeMs);
  }
  for (let from = 0; from <= 4_000; from += 100) ok(taken.filter((timeMs) => timeMs >= from && timeMs < from + 1_000).length <= 50);
  const later = taken.filter((timeMs) => timeMs >= 1_000);
  ok(later.length >= 95, `${later.length}`);
  ok(later.every((timeMs, i) => i === 0 || timeMs - later[i - 1]! >= 40));
  const atLeastOne = createSampler({ share: 1, maxPerSecond: 1 });
  ok(atLeastOne.picks("e", 0, 0));
  ok(!createSampler({ share: 1, maxPerSecond: 0 }).picks("e", 0, 0));
});

test("history that is brought in teaches what belongs together, also behind a catalogue and behind live traffic", () => {
  const nowMs = 1_700_000_000_000;
  const DAY_MS = 86_400_000;
  const history = stepStream(rngFrom(11), { ...STREAM, steps: 400, items: 24, startMs: nowMs - 30 * DAY_MS });
  const learnedBehind = (before: (models: Models) => void) => {
    const models = createModels(CONFIG, learningConfig({ share: 1 }));
    before(models);
    for (const step of history) models.learn(step);
    models.list({ personKey: "a:asks", history: [], trail: ["i1", "i2"] }, history.at(-1)!.timeMs);
    return ["next", "rules", "cosine", "knn", "walk"].map((name) => [name, listed(models, name)]);
  };
  const alone = learnedBehind(() => {});
  for (const [name, list] of alone) ok((list as Map<string, number>).size > 1, `${String(name)} has something to say`);
  const live: Step = { personKey: "a:live", itemId: "live", eventType: "view", weight: 1, timeMs: nowMs, sampled: false, history: [] };
  deepEqual(learnedBehind((models) => models.learn(live)), alone);
  const listedNow = learnedBehind((models) => {
    for (let i = 0; i < 24; i++) models.put({ item_id: `i${i}`, categories: [], tags: [] }, nowMs);
  });
  // Slots are others, and with them the order of equal scores; the lists have room for all.
  deepEqual(listedNow.map(([, list]) => new Map([...(list as Map<string, number>)].sort())), alone.map(([, list]) => new Map([...(list as Map<string, number>)].sort())));
});

test("how long an item has been there, and when it was last looked at: a catalogue that is sent again says neither", () => {
  const models = learnt([]);
  const { items } = models;
  const put = (more: { published_at?: number }, atMs: number): void => models.put({ item_id: "a", categories: [], tags: [], ...more }, atMs);
  const look = (timeMs: number): void => models.learn({ personKey: "a:1", itemId: "a", eventType: "view", weight: 1, timeMs, sampled: false, history: [] });
  const times = (): number[] => [items.firstSeenAt(items.slotOf("a")), items.lastSeenAt(items.slotOf("a"))];
  put({}, 5_000);
  deepEqual(times(), [5_000, 5_000]);
  look(3_000);
  deepEqual(times(), [5_000, 3_000], "history");
  look(7_000);
  put({}, 9_000);
  deepEqual(times(), [5_000, 7_000]);
  put({ published_at: 1_000 }, 10_000);
  deepEqual(times(), [1_000, 7_000]);
  equal(items.clockMs, 7_000);
});
