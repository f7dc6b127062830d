// The simulations behind docs/benchmarks.md, in small: the rates hold, and the curves lie as they are shown.
import { ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../core/math/rng.ts";
import { regretOf } from "./bandit.ts";
import { AA_SCENARIOS, simulate } from "./experiments.ts";

test("who looks after every observation and sees no difference is alarmed in 5 % of experiments at most", () => {
  const scenario = { ...AA_SCENARIOS[0]!, persons: 600 };
  const runs = Array.from({ length: 200 }, (_, i) => simulate(scenario, rngFrom(i)));
  // 5 % of 200 are 10; four standard deviations more would be 22.
  ok(runs.filter(({ alarmAt }) => alarmAt !== undefined).length <= 10);
  ok(runs.filter(({ mismatched }) => mismatched).length <= 10);
});

test("a difference is found", () => {
  const scenario = { ...AA_SCENARIOS[0]!, rate: 0.3, lift: 0.8, persons: 1_500 };
  const found = Array.from({ length: 10 }, (_, i) => simulate(scenario, rngFrom(i))).filter(({ alarmAt }) => alarmAt);
  ok(found.length >= 9);
});

test("the contextual policies lose less than epsilon-greedy, from the half on", () => {
  const options = { visitors: 12_000, worlds: 4, seed: 5 };
  const greedy = regretOf("epsilon_greedy", options);
  for (const policy of ["squarecb", "linucb"] as const) {
    const contextual = regretOf(policy, options);
    for (const at of [49, 74, 99]) ok(contextual.regret[at]! < greedy.regret[at]!, `${policy} ${at}`);
  }
});
