// The models' health: hit rates as a recount has them, drift where visitors change, none where they do not, and a background model
// that does worse than the one before.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import { createRecommender } from "../rank/recommender.ts";
import { stepStream } from "../testing/streams.ts";
import { ALARMS_MAX, createHealth, HOURS_MAX, type JudgedStep } from "./health.ts";

const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000 - (1_700_000_000_000 % HOUR_MS);
const RANKERS = 3;
const BACKGROUND = 2;
const stepAt = (timeMs: number, more: Partial<JudgedStep> = {}): JudgedStep => ({
  timeMs, ahead: [0, 30, 5], served: 0, firstChance: 0.25, firstHit: false, isUnproposed: false, isNew: false, eventType: "click", ...more,
});

test("hours hold what was judged in them, the last three days alone", () => {
  const health = createHealth(RANKERS, BACKGROUND);
  for (let hour = 0; hour < HOURS_MAX + 10; hour++) {
    for (let i = 0; i < 4; i++) health.judged(stepAt(START_MS + hour * HOUR_MS + i, { ahead: [i < 3 ? 19 : 20, 20, 0], served: i % 2, firstHit: i === 0 }));
  }
  health.judged(stepAt(START_MS)); // Too late to count anywhere.
  const hours = health.hours();
  equal(hours.length, HOURS_MAX);
  equal(hours[0]!.fromMs, START_MS + 10 * HOUR_MS);
  deepEqual(hours.at(-1), { fromMs: START_MS + 81 * HOUR_MS, steps: 4, hits: [3, 0, 4, 2], firstChance: 1, firstHits: 1 });
});

test("after a pause the hours before it are no longer shown", () => {
  const health = createHealth(RANKERS, BACKGROUND);
  const hoursAt = (...hours: number[]): void => hours.forEach((hour) => health.judged(stepAt(START_MS + hour * HOUR_MS)));
  const shown = (): number[] => health.hours().map(({ fromMs }) => (fromMs - START_MS) / HOUR_MS);
  hoursAt(0, 1, 2);
  hoursAt(HOURS_MAX);
  deepEqual(shown(), [1, 2, HOURS_MAX]);
  // A year later, in rows of which none was held by the hours before.
  hoursAt(365 * 24 + 5, 365 * 24 + 30);
  deepEqual(shown(), [365 * 24 + 5, 365 * 24 + 30]);
});

test("a change of what is served, of what comes in, and of kinds of events is told; steady streams are not", () => {
  const rng = rngFrom(5);
  const run = (changes: boolean): ReturnType<typeof createHealth> => {
    const health = createHealth(RANKERS, BACKGROUND);
    for (let i = 0; i < 6_000; i++) {
      const late = changes && i >= 3_000;
      const is = (chance: number): boolean => rng.between(0, 999) < chance * 1_000;
      health.judged(stepAt(START_MS + i * 1_000, {
        ahead: [is(late ? 0.4 : 0.7) ? 0 : 100, 100, 100],
        isNew: is(late ? 0.3 : 0.05),
        eventType: is(late ? 0.5 : 0.1) ? "purchase" : "click",
      }));
    }
    return health;
  };
  deepEqual(run(false).alarms, []);
  const metrics = new Map(run(true).alarms.map((alarm) => [alarm.metric, alarm]));
  for (const metric of ["served", "new_items", "type:purchase", "type:click"]) ok(metrics.has(metric), metric);
  const { atMs, before, after } = metrics.get("served")!;
  ok(atMs > START_MS + 3_000_000 && atMs < START_MS + 3_600_000 && before > after);
  ok(run(true).alarms.length <= ALARMS_MAX);
});

test("what gets better is a change and no alarm", () => {
  const rng = rngFrom(8);
  const health = createHealth(RANKERS, BACKGROUND);
  for (let i = 0; i < 6_000; i++) {
    const is = (early: number, late: number): boolean => rng.between(0, 999) < (i < 3_000 ? early : late) * 1_000;
    health.judged(stepAt(START_MS + i * 1_000, { ahead: [is(0.3, 0.6) ? 0 : 100, 100, 100], isUnproposed: is(0.5, 0.2), isNew: is(0.4, 0.1) }));
  }
  deepEqual(health.alarms, []);
  ok(health.changedMs > START_MS + 3_000_000);
});

test("a background model is worse only where chance does not explain it", () => {
  const health = createHealth(RANKERS, BACKGROUND);
  let at = START_MS;
  const judge = (steps: number, hitsIn10: number): void => {
    for (let i = 0; i < steps; i++) health.judged(stepAt((at += 1_000), { ahead: [0, 0, i % 10 < hitsIn10 ? 0 : 100] }));
  };
  equal(health.verdict(), "unknown");
  judge(1_000, 0);
  health.backgroundCame(at);
  judge(1_000, 5);
  equal(health.verdict(), "unknown", "there is none before it");
  deepEqual(health.background.before, { sinceMs: 0, steps: 0, hits: 0 });
  health.backgroundCame(at);
  judge(200, 1);
  equal(health.verdict(), "unknown", "too few steps");
  judge(200, 1);
  equal(health.verdict(), "worse");
  health.backgroundCame(at);
  judge(1_000, 5);
  equal(health.verdict(), "good");
  health.backgroundCame(at);
  judge(400, 5);
  equal(health.verdict(), "good", "as good as before");
});

test("the recommender judges what it serves, and what is restored goes on as if it had not been", () => {
  const steps = stepStream(rngFrom(4), { steps: 3_000, persons: 40, items: 60, groupSize: 6, stepMs: 20_000 });
  const straight = createRecommender({ learning: { share: 1 } });
  const learn = (into: typeof straight, some: typeof steps): void => {
    for (const step of some) into.learn({ ...step, sampled: true });
  };
  learn(straight, steps.slice(0, 2_000));
  const restored = createRecommender({ learning: { share: 1 } });
  const targets = new Map(restored.tables.map((table) => [table.table, table]));
  for (const table of straight.tables) {
    table.begin();
    table.take(Infinity, (key, bytes) => bytes !== null && targets.get(table.table)!.load(key, bytes));
  }
  learn(straight, steps.slice(2_000));
  learn(restored, steps.slice(2_000));
  deepEqual(restored.health(), straight.health());
  deepEqual(restored.driftSigns(), straight.driftSigns());
  ok(straight.driftSigns().changedMs > 0);
  const { models, steps: judged, calibration } = straight.health();
  ok(judged.reduce((sum, count) => sum + count, 0) > 2_500);
  const rate = (name: string): number => models.find((model) => model.name === name)!.hit_rate!;
  ok(rate("served") > 0.5 && rate("served") >= rate("popularity"), `${rate("served")}`);
  // While the calibrated blend serves, chances of many models are put together as if they were independent: that
  // promises more than comes.
  const { promised, came } = calibration;
  ok(came! > 0.1 && came! < promised! && promised! < came! + 0.25, JSON.stringify({ promised, came }));
});
