// Two stages: the candidates with the best chances are ranked by the softmax, all others stand behind them by their chance.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { stepStream } from "../testing/streams.ts";
import { createCandidateList } from "./candidates.ts";
import { learningConfig, LIST_MAX, modelConfig } from "./config.ts";
import { MIX } from "./judge.ts";
import { createModels } from "./models.ts";
import { DESCRIBED_MAX } from "./union.ts";

const STREAM = { steps: 6_000, persons: 60, items: 500, groupSize: 20, stepMs: 20_000 };

test("what has no features stands behind what has, by its chance; no candidate is lost", () => {
  let ranked = 0;
  forEachSeed(2, (rng) => {
    const models = createModels(modelConfig(undefined), learningConfig({ share: 1 }));
    const steps = stepStream(rng, STREAM);
    for (const step of steps) models.learn(step);
    const into = createCandidateList(models.models.length * LIST_MAX);
    for (const step of steps.slice(-60)) {
      models.list({ personKey: step.personKey, history: step.history }, step.timeMs + 1_000);
      models.rank(into);
      const { union, judge, situation } = models;
      equal(into.length, union.count);
      deepEqual([...into.slots.subarray(0, into.length)], [...union.slots.subarray(0, union.count)]);
      if (union.count <= DESCRIBED_MAX || judge.chosen(situation.lengthBucket) !== MIX) continue;
      ranked++;
      const candidates = Array.from({ length: union.count }, (_, i) => i);
      const described = candidates.filter((i) => union.isDescribed[i] === 1);
      const rest = candidates.filter((i) => union.isDescribed[i] === 0);
      equal(described.length, DESCRIBED_MAX);
      ok(Math.min(...described.map((i) => union.cal[i]!)) >= Math.max(...rest.map((i) => union.cal[i]!)));
      ok(Math.min(...described.map((i) => into.scores[i]!)) >= Math.max(...rest.map((i) => into.scores[i]!)));
      rest.sort((a, b) => union.cal[b]! - union.cal[a]!);
      for (let i = 1; i < rest.length; i++) ok(into.scores[rest[i]!]! <= into.scores[rest[i - 1]!]!);
    }
  });
  ok(ranked > 20, `${ranked} lists had a rest`);
});
