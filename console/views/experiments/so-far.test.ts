import assert from "node:assert/strict";
import { test } from "node:test";
import type { Experiment } from "../../api/types.ts";
import { leaderOf } from "./so-far.ts";

type Interval = readonly [low: number, lift: number, high: number];

function experiment(lifts: Readonly<Record<string, Interval | null>>, better = "higher", stopped: readonly string[] = []): Experiment {
  const variants = Object.entries(lifts).map(([name, lift]) => ({
    name,
    lift: lift?.[1] ?? null,
    interval: lift === null ? null : { low: lift[0], high: lift[2] },
    stopped: stopped.includes(name) ? {} : null,
  }));
  return { primary: "bought", metrics: [{ name: "bought", better }], variants } as unknown as Experiment;
}

function said(of: Experiment): string {
  const leader = leaderOf(of);
  return leader === undefined ? "too early" : `${leader.variant.name} ${leader.verdict ?? "undecided"}`;
}

test("one that is surely better leads one that may be better still; otherwise the best of those that go on", () => {
  assert.equal(said(experiment({ as_is: null, a: null })), "too early");
  assert.equal(said(experiment({ as_is: null, a: [-0.1, 0.2, 0.5], b: [-0.2, 0.1, 0.4] })), "a undecided");
  assert.equal(said(experiment({ as_is: null, a: [-0.1, 0.2, 0.5], b: [0.05, 0.1, 0.2] })), "b good");
  assert.equal(said(experiment({ as_is: null, a: [-0.3, -0.2, -0.1], b: [-0.2, -0.1, -0.05] })), "b bad");
  assert.equal(said(experiment({ as_is: null, a: [-0.3, -0.2, -0.1] }, "lower")), "a good");
  assert.equal(said(experiment({ as_is: null, a: [0.1, 0.2, 0.3], b: [-0.2, 0, 0.2] }, "higher", ["a"])), "b undecided");
});
