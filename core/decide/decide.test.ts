// Slots that learn: what is chosen, with which probability, what is learnt of it, and that all of it can be done again.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { rngFrom } from "../math/rng.ts";
import type { CompiledProgram } from "../program/compiled.ts";
import type { ProgramDocument, SlotDocument } from "../program/program.ts";
import type { DecisionRecord } from "../record.ts";
import { uniform } from "../stats/sample.ts";
import { compiled, MONDAY_MS, visitor } from "../testing/programs.ts";
import { memoryRows } from "../testing/rows.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { ByteWriter } from "../wire/writer.ts";
import { contextFeatures, DIMENSIONS } from "./context-features.ts";
import { DecisionState } from "./decision-state.ts";
import { armOf, decodeLearner, emptyLearner, encodeLearner, rewardArm, showArm } from "./learner.ts";
import { OpenDecisions } from "./open-decisions.ts";
import { probabilitiesOf } from "./policies.ts";
import { earn, emptyRidge, expectedReward, observe, uncertainty } from "./ridge.ts";
import { decide, type SlotDecision } from "./slot.ts";
import { slotView } from "./view.ts";

const HALF_HOUR = 1_800_000;
const VARIANTS = ["a", "b", "c"];
const POLICIES = ["epsilon_greedy", "thompson", "squarecb", "linucb"] as const;

function programOf(slot: Partial<SlotDocument> = {}, more: Partial<ProgramDocument> = {}): CompiledProgram {
  return compiled({
    slots: {
      hero: {
        policy: "thompson",
        variants: { a: 1, b: 2, c: 3 },
        reward: { events: { click: 1, purchase: 5 }, max: 5, window: "10m" },
        ...slot,
      },
    },
    ...more,
  });
}

interface World {
  program: CompiledProgram;
  state: DecisionState;
}

function world(program = programOf()): World {
  const state = new DecisionState(memoryRows());
  state.configure(program, MONDAY_MS);
  return { program, state };
}

let serial = 0;

function ask(
  { program, state }: World,
  personKey: string,
  nowMs: number,
  id = `d${serial++}`,
): SlotDecision & { id: string } {
  const slot = program.slots.get("hero")!;
  const decided = decide({
    personKey,
    person: undefined,
    slot,
    context: undefined,
    nowMs,
    program,
    state,
  });
  return { ...decided, id };
}

function log({ state }: World, personKey: string, decided: SlotDecision & { id: string }, atMs: number): void {
  const { id, variant, propensity, reason, choice, experiments } = decided;
  const record: DecisionRecord = {
    decision_id: id,
    placement: "slot:hero",
    strategy: reason,
    items: variant === null ? [] : [variant],
    propensity,
    ...(choice === undefined ? {} : { choice }),
    ...(experiments === undefined ? {} : { experiments }),
  };
  // As the log gives it back.
  state.decided(JSON.parse(JSON.stringify(record)) as DecisionRecord, personKey, atMs);
}

function act(
  { state }: World,
  personKey: string,
  type: string,
  atMs: number,
  id: string,
  more: Partial<LoggedEvent> = {},
): void {
  const event: LoggedEvent = {
    event_id: `e${serial++}`,
    user_id: personKey.slice(2),
    event_type: type,
    timestamp: atMs,
    received_at: atMs,
    context: { decision_id: id },
    ...more,
  };
  state.acted(event, personKey, 1);
}

const armsOf = ({ state }: World) =>
  Object.fromEntries(
    [...state.slots.learnerOf("hero")!.arms].map(([name, arm]) => [name, [arm.shownTotal, arm.rewardTotal]]),
  );

test("a slot that has nothing to choose from decides nothing, whatever its policy", () => {
  for (const policy of POLICIES) {
    const { variant, propensity, reason } = ask(world(programOf({ policy, variants: {} })), "u:ann", MONDAY_MS);
    deepEqual([variant, propensity, reason], [null, 1, "default"], policy);
  }
});

test("the same question to the same state has the same answer; another person or visit draws anew", () => {
  for (const policy of POLICIES) {
    const w = world(programOf({ policy }));
    deepEqual(ask(w, "u:1", MONDAY_MS, "x"), ask(w, "u:1", MONDAY_MS, "x"));
    const picks = new Set(Array.from({ length: 200 }, (_, i) => ask(w, "u:1", MONDAY_MS + i * HALF_HOUR).variant));
    ok(picks.size >= (policy === "epsilon_greedy" ? 2 : 3), policy);
  }
});

test("the logged propensity is the frequency of the choice", () => {
  forEachSeed(3, (rng) => {
    for (const policy of POLICIES) {
      const w = world(programOf({ policy }));
      for (let i = 0; i < 200; i++) {
        const decided = ask(w, `u:${i}`, MONDAY_MS + i);
        log(w, `u:${i}`, decided, MONDAY_MS + i);
        act(w, `u:${i}`, "impression", MONDAY_MS + i, decided.id);
        if (rng.between(0, 9) < { a: 1, b: 3, c: 5 }[decided.variant as "a"])
          act(w, `u:${i}`, "click", MONDAY_MS + i, decided.id);
      }
      const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
      const promised: Record<string, number> = {};
      for (let i = 0; i < 4_000; i++) {
        const { variant, choice, propensity } = ask(w, `u:${i}`, MONDAY_MS, `f${i}`);
        counts[variant!]!++;
        VARIANTS.forEach((name, k) => (promised[name] = choice!.probabilities[k]!));
        equal(propensity, promised[variant!]);
      }
      equal(Math.abs(Object.values(promised).reduce((sum, p) => sum + p, 0) - 1) < 1e-12, true);
      for (const name of VARIANTS) {
        const error = 4.5 * Math.sqrt((promised[name]! * (1 - promised[name]!)) / 4_000);
        ok(Math.abs(counts[name]! / 4_000 - promised[name]!) <= error, `${policy} ${name}`);
      }
    }
  });
});

test("Thompson's probabilities are those of being the best, by brute force over a grid", () => {
  const { program } = world(programOf({ exploration: 0 }));
  const bandit = program.slots.get("hero")!.bandit!;
  const learner = emptyLearner("");
  const counts = { a: [3, 20], b: [8, 30], c: [1, 4] } as const;
  for (const [name, [hits, shown]] of Object.entries(counts))
    Object.assign(armOf(learner, name), { shown, rewards: hits });
  const steps = 2_000;
  const masses = Object.values(counts).map(([hits, shown]) => {
    const density = Array.from({ length: steps }, (_, i) => {
      const p = (i + 0.5) / steps;
      return p ** hits * (1 - p) ** (shown - hits);
    });
    const total = density.reduce((sum, d) => sum + d, 0);
    return density.map((d) => d / total);
  });
  const below = masses.map((mass) => {
    let sum = 0;
    return mass.map((m) => (sum += m) - m / 2);
  });
  const best = masses.map((mass, k) =>
    mass.reduce((sum, m, i) => sum + m * below.reduce((all, own, j) => (j === k ? all : all * own[i]!), 1), 0),
  );
  const mean = [0, 0, 0];
  for (let revision = 0; revision < 100; revision++) {
    learner.revision = revision;
    probabilitiesOf({ slot: "hero", variants: VARIANTS, features: [] }, learner, bandit).forEach(
      (p, k) => (mean[k]! += p / 100),
    );
  }
  mean.forEach((p, k) => ok(Math.abs(p - best[k]!) < 0.02, `${p} instead of ${best[k]}`));
});

test("only what was shown counts, only once, and only what came within the window", () => {
  const w = world();
  const decided = ask(w, "u:1", MONDAY_MS);
  log(w, "u:1", decided, MONDAY_MS);
  const own = () => armsOf(w)[decided.variant!];
  deepEqual(own(), [0, 0]);
  act(w, "u:2", "impression", MONDAY_MS + 1, decided.id);
  deepEqual(own(), [0, 0], "another person's event");
  act(w, "u:1", "impression", MONDAY_MS + 1_000, decided.id);
  act(w, "u:1", "impression", MONDAY_MS + 1_500, decided.id);
  deepEqual(own(), [1, 0]);
  act(w, "u:1", "view", MONDAY_MS + 2_000, decided.id);
  act(w, "u:1", "click", MONDAY_MS + 2_000, decided.id);
  deepEqual(own(), [1, 1]);
  act(w, "u:1", "purchase", MONDAY_MS + 3_000, decided.id);
  deepEqual(own(), [1, 5], "cut at max");
  act(w, "u:1", "purchase", MONDAY_MS + 3_000, decided.id);
  deepEqual(own(), [1, 5]);
  const late = ask(w, "u:3", MONDAY_MS);
  log(w, "u:3", late, MONDAY_MS);
  act(w, "u:3", "impression", MONDAY_MS, late.id);
  const before = armsOf(w);
  act(w, "u:3", "click", MONDAY_MS + 600_001, late.id);
  deepEqual(armsOf(w), before);
  const unseen = ask(w, "u:4", MONDAY_MS);
  log(w, "u:4", unseen, MONDAY_MS);
  act(w, "u:4", "click", MONDAY_MS + 1, unseen.id);
  equal(armsOf(w)[unseen.variant!]![0]! - before[unseen.variant!]![0]!, 1, "who clicks has seen it");
});

test("the window begins when the choice is seen, also long after it was made", () => {
  const w = world(programOf({ reward: { events: { click: 1 }, window: "1h" } }));
  const decided = ask(w, "u:1", MONDAY_MS);
  log(w, "u:1", decided, MONDAY_MS);
  const seenMs = MONDAY_MS + 50 * 60_000;
  act(w, "u:1", "impression", seenMs, decided.id);
  // Another decision closes what is over.
  log(w, "u:2", ask(w, "u:2", seenMs + 3_000_000), seenMs + 3_000_000);
  act(w, "u:1", "click", seenMs + 3_600_000, decided.id);
  deepEqual(armsOf(w)[decided.variant!], [1, 1]);
  const tooLate = ask(w, "u:3", MONDAY_MS);
  log(w, "u:3", tooLate, MONDAY_MS);
  act(w, "u:3", "impression", MONDAY_MS + 66 * 60_000, tooLate.id);
  equal(Object.values(armsOf(w)).reduce((sum, [shown]) => sum + shown!, 0), 1, "nobody sees an answer so late");
});

test("what a variant brings after it has left the program does not speak for it when it comes back", () => {
  const w = world();
  const decided = ask(w, "u:1", MONDAY_MS);
  log(w, "u:1", decided, MONDAY_MS);
  act(w, "u:1", "impression", MONDAY_MS + 1_000, decided.id);
  const { [decided.variant!]: _, ...left } = { a: 1, b: 2, c: 3 } as Record<string, number>;
  w.state.configure(programOf({ variants: left }), MONDAY_MS + 2_000);
  act(w, "u:1", "click", MONDAY_MS + 3_000, decided.id);
  w.state.configure(w.program, MONDAY_MS + 4_000);
  deepEqual(armsOf(w), { a: [0, 0], b: [0, 0], c: [0, 0] });
});

test("a reward of before a slot or variant was taken out and made again does not speak for the new one", () => {
  const outcomes = { none: [0, 0], shown: [1, 1] };
  const others: [string, CompiledProgram][] = [
    ["no such slot", compiled({})],
    ["rules alone", programOf({ policy: "rules", reward: undefined as never })],
    ["another reward", programOf({ reward: { events: { purchase: 1 } } })],
    ["no such variant", programOf({ variants: { x: 1, y: 2 } })],
    ["not among", programOf({ variants: { a: 1, b: 2, c: 3, x: 4, y: 5 }, among: ["x", "y"] })],
  ];
  for (const [name, other] of others) {
    for (const seen of ["before", "meanwhile", "after"]) {
      const w = world();
      const decided = ask(w, "u:1", MONDAY_MS);
      log(w, "u:1", decided, MONDAY_MS);
      const see = (when: string, atMs: number) => seen === when && act(w, "u:1", "impression", atMs, decided.id);
      see("before", MONDAY_MS + 1_000);
      w.state.configure(other, MONDAY_MS + 2_000);
      see("meanwhile", MONDAY_MS + 3_000);
      w.state.configure(w.program, MONDAY_MS + 4_000);
      see("after", MONDAY_MS + 5_000);
      act(w, "u:1", "click", MONDAY_MS + 6_000, decided.id);
      // Who sees it only now sees what the new slot would show, with the probability that the log has.
      const expected = seen === "after" ? outcomes.shown : outcomes.none;
      deepEqual(armsOf(w), { a: [0, 0], b: [0, 0], c: [0, 0], [decided.variant!]: expected }, `${name}, seen ${seen}`);
    }
  }
});

test("who logs in takes along what was decided for them: a backend that knows only the user rewards it", () => {
  const w = world();
  for (const [guest, known] of [["a:1", "u:1"], ["a:2", "u:2"]] as const) {
    const decided = ask(w, guest, MONDAY_MS);
    log(w, guest, decided, MONDAY_MS);
    act(w, guest, "impression", MONDAY_MS + 1_000, decided.id);
    const [shown, earned] = armsOf(w)[decided.variant!]!;
    act(w, known, "purchase", MONDAY_MS + 2_000, decided.id);
    deepEqual(armsOf(w)[decided.variant!], [shown, earned], "nobody's yet");
    w.state.relink(guest, known, MONDAY_MS + 3_000);
    act(w, "u:3", "purchase", MONDAY_MS + 4_000, decided.id);
    deepEqual(armsOf(w)[decided.variant!], [shown, earned], "another's");
    act(w, known, "purchase", MONDAY_MS + 4_000, decided.id);
    deepEqual(armsOf(w)[decided.variant!], [shown, earned! + 5]);
  }
  deepEqual([...w.state.open.people()].sort(), ["u:1", "u:2"]);
  w.state.forget("u:1");
  deepEqual([...w.state.open.people()], ["u:2"]);
  equal(w.state.open.size, 1);
});

test("of what a slot learns and an experiment counts no address holds more than its share", () => {
  const experiments = {
    hue: {
      variants: { red: { slots: { hero: "a" } }, blue: { slots: { hero: "b" } } },
      metrics: { clicked: { kind: "conversion", event: "click" } },
    },
  } as const;
  const reward = { events: { click: 1 }, when: Array.from({ length: 60 }, (_, i) => `event.item_id != "${i}"`).join(" && ") };
  const crowdOf = (max_share: number) => ({ models: { crowd: { max_share } } });
  const shownOf = (one: World): number => Object.values(armsOf(one)).reduce((sum, [shows]) => sum + shows!, 0);
  const usersOf = ({ program, state }: World): number =>
    state.experiments.runOf(program.experiments[0]!)!.variants.reduce((sum, { users }) => sum + users, 0);
  for (const [counted, more] of [[shownOf, {}], [usersOf, { experiments }]] as const) {
    const visited = (max_share: number): World => {
      const one = world(programOf({ reward }, { ...more, ...crowdOf(max_share) }));
      const see = (personKey: string, source: string | undefined, atMs: number): void => {
        const decided = ask(one, personKey, atMs);
        log(one, personKey, decided, atMs);
        act(one, personKey, "click", atMs, decided.id, source === undefined ? {} : { source });
      };
      for (let i = 0; i < 200; i++) {
        see(`u:home${i}`, i % 2 === 0 ? undefined : `home${i}`, MONDAY_MS + i * 60_000);
        for (let fake = 0; fake < 3; fake++) see(`u:fake${i}-${fake}`, "farm", MONDAY_MS + i * 60_000 + fake);
      }
      return one;
    };
    equal(counted(visited(1)), 800);
    const bounded = visited(0.1);
    ok(counted(bounded) > 200 && counted(bounded) <= 200 / 0.9, `${counted(bounded)}`);
    const [name] = [...bounded.state.shares.rows()][0]!;
    equal(counted(bounded) + bounded.state.shares.leftOut(name), 800);
    const copy = new DecisionState(memoryRows());
    const sendersOf = (state: DecisionState) => [...state.rows()].filter(([name]) => name.startsWith("senders of "));
    const table = copy.tables.find((one) => one.table === "shares")!;
    for (const [name, bytes] of sendersOf(bounded.state)) table.load(name.slice("senders of ".length), bytes);
    equal(sendersOf(copy).length, 1);
    ok(sendersOf(copy)[0]![0].length < 64, "the name of a row is short, whatever a reward says");
    deepEqual(sendersOf(copy), sendersOf(bounded.state));
  }
});

test("rules come first, and what they choose teaches nothing", () => {
  const w = world(programOf({ rules: [{ when: "true", variant: "b" }] }));
  const decided = ask(w, "u:1", MONDAY_MS);
  deepEqual([decided.variant, decided.propensity, decided.reason, decided.choice], ["b", 1, "rule:0", undefined]);
  log(w, "u:1", decided, MONDAY_MS);
  act(w, "u:1", "click", MONDAY_MS, decided.id);
  deepEqual(armsOf(w)["b"], [0, 0]);
});

test("in the shadow the policy decides and the default is shown", () => {
  const w = world(programOf({ shadow: true, default: "c" }));
  const decided = ask(w, "u:1", MONDAY_MS);
  deepEqual([decided.variant, decided.propensity, decided.reason], ["c", 1, "shadow:thompson"]);
  equal(decided.choice!.probabilities.length, 3);
  log(w, "u:1", decided, MONDAY_MS);
  const again = new OpenDecisions();
  w.state.open.table.begin();
  w.state.open.table.take(Infinity, (key, bytes) => bytes !== null && again.table.load(key, bytes));
  deepEqual(again.change(decided.id, MONDAY_MS), w.state.open.change(decided.id, MONDAY_MS));
  act(w, "u:1", "click", MONDAY_MS, decided.id);
  deepEqual(armsOf(w), { a: [0, 0], b: [0, 0], c: [1, 1] });
});

test("an experiment's variant and the holdout go before rules and policy", () => {
  const metrics = { m: { kind: "revenue" as const } };
  const w = world(
    programOf(
      { rules: [{ when: "true", variant: "b" }], default: "a" },
      {
        experiments: {
          all: { holdout: 0.5, metrics },
          e: { variants: { plain: {}, c: { slots: { hero: "c" } } }, metrics },
        },
      },
    ),
  );
  const seen = new Map<string, string>();
  for (let i = 0; i < 60; i++) {
    const { variant, reason, experiments = {} } = ask(w, `u:${i}`, MONDAY_MS);
    const parts = Object.entries(experiments).map(([name, { variant: part }]) => `${name}=${part}`);
    seen.set(parts.join(" "), `${variant} ${reason}`);
  }
  deepEqual(Object.fromEntries([...seen].sort()), {
    "all=holdout": "a holdout",
    "all=personalized e=c": "c experiment:e",
    "all=personalized e=plain": "b rule:0",
  });
});

test("an experiment lets another slot decide in a slot's place", () => {
  const program = compiled({
    slots: {
      hero: { policy: "rules", variants: { a: 1, b: 2 }, default: "a" },
      other: { policy: "thompson", variants: { b: 9, z: 8 }, reward: { events: { click: 1 } } },
    },
    experiments: {
      e: {
        variants: { plain: {}, learns: { slots: { hero: { like: "other" } } } },
        metrics: { m: { kind: "revenue" } },
      },
    },
  });
  const w = world(program);
  const all = Array.from({ length: 40 }, (_, i) => ask(w, `u:${i}`, MONDAY_MS));
  const learnt = all.filter(({ experiments }) => experiments!["e"]!.variant === "learns");
  ok(
    learnt.length > 5 &&
      learnt.every(({ choice, payload }) => choice?.slot === "other" && [8, 9].includes(payload as number)),
  );
});

for (const policy of ["squarecb", "linucb"] as const) test(`${policy} learns who wants what`, () => {
  const w = world(programOf({ policy, features: ["device"], reward: { events: { click: 1 } } }));
  const slot = w.program.slots.get("hero")!;
  const rng = rngFrom(4);
  const asked = (device: string, i: number) =>
    decide({
      personKey: `u:${i}`,
      person: undefined,
      slot,
      context: { device },
      nowMs: MONDAY_MS + i,
      program: w.program,
      state: w.state,
    });
  for (let i = 0; i < 3_000; i++) {
    const device = i % 2 === 0 ? "mobile" : "desktop";
    const decided = { ...asked(device, i), id: `d${i}` };
    log(w, `u:${i}`, decided, MONDAY_MS + i);
    act(w, `u:${i}`, "impression", MONDAY_MS + i, decided.id);
    const best = device === "mobile" ? "a" : "b";
    if (uniform(rng) < (decided.variant === best ? 0.3 : 0.1)) act(w, `u:${i}`, "click", MONDAY_MS + i, decided.id);
  }
  const shares = (device: string) => asked(device, 9_999).choice!.probabilities;
  ok(shares("mobile")[0]! > 0.7 && shares("desktop")[1]! > 0.7, `${shares("mobile")} ${shares("desktop")}`);
});

test("the value of always showing a variant is estimated from the log, with an interval that holds it", () => {
  const w = world(programOf({ reward: { events: { click: 1 } } }));
  const truth = { a: 0.1, b: 0.2, c: 0.3 };
  const rng = rngFrom(8);
  for (let i = 0; i < 4_000; i++) {
    const decided = ask(w, `u:${i}`, MONDAY_MS + i);
    log(w, `u:${i}`, decided, MONDAY_MS + i);
    act(w, `u:${i}`, "impression", MONDAY_MS + i, decided.id);
    if (uniform(rng) < truth[decided.variant as "a"]) act(w, `u:${i}`, "click", MONDAY_MS + i, decided.id);
  }
  const { arms, learning } = slotView(w.program.slots.get("hero")!, w.state.slots.learnerOf("hero"), { leftOut: 0 });
  equal(learning!.shown, 4_000);
  for (const { variant, off_policy: estimate } of arms) {
    if (estimate.refused !== null) continue;
    for (const { low, high } of [estimate.ips!, estimate.snips!, estimate.doubly_robust!]) {
      ok(low <= truth[variant as "a"] && truth[variant as "a"] <= high, `${variant} ${low} ${high}`);
    }
  }
  ok(arms.find(({ variant }) => variant === "c")!.share > 0.8);
  equal(arms.find(({ variant }) => variant === "c")!.off_policy.refused, null);
});

test("values of variants hold the truth after a time in the shadow, when nothing but the default could be shown", () => {
  const truth = { a: 0.1, b: 0.3, c: 0.3 };
  forEachSeed(3, (rng) => {
    for (const policy of ["epsilon_greedy", "thompson"] as const) {
      const live = programOf({ policy, reward: { events: { click: 1 } }, exploration: 0.3 });
      const shadow = programOf({ policy, reward: { events: { click: 1 } }, exploration: 0.3, shadow: true, default: "a" });
      const w = world(shadow);
      for (let i = 0; i < 4_000; i++) {
        if (i === 800) w.state.configure((w.program = live), MONDAY_MS + i);
        const decided = ask(w, `u:${i}`, MONDAY_MS + i);
        log(w, `u:${i}`, decided, MONDAY_MS + i);
        act(w, `u:${i}`, uniform(rng) < truth[decided.variant as "a"] ? "click" : "impression", MONDAY_MS + i, decided.id);
      }
      const { arms } = slotView(live.slots.get("hero")!, w.state.slots.learnerOf("hero"), { leftOut: 0 });
      deepEqual(arms.map(({ off_policy: { choices } }) => choices), [4_000, 3_200, 3_200]);
      for (const { variant, off_policy: value } of arms) {
        for (const { low, high } of [value.ips!, value.snips!, value.doubly_robust!]) {
          ok(low <= truth[variant as "a"] && truth[variant as "a"] <= high, `${policy} ${variant} ${low} ${high}`);
        }
      }
    }
  });
});

test("values of variants that are rarely clicked hold the truth, whenever one looks and however the policy reacts", () => {
  const program = programOf({ policy: "epsilon_greedy", reward: { events: { click: 1 } } });
  const missed = new Set<string>();
  const runs = 60;
  for (let run = 0; run < runs; run++) {
    const w = world(program);
    const rng = rngFrom(run);
    for (let i = 0; i < 2_500; i++) {
      const [key, atMs] = [`u:${run}-${i}`, MONDAY_MS + i];
      const decided = ask(w, key, atMs);
      log(w, key, decided, atMs);
      act(w, key, uniform(rng) < 0.03 ? "click" : "impression", atMs, decided.id);
      if (i % 50 > 0) continue;
      for (const { variant, off_policy: value } of slotView(program.slots.get("hero")!, w.state.slots.learnerOf("hero"), { leftOut: 0 }).arms) {
        for (const name of ["ips", "snips", "doubly_robust"] as const) {
          const interval = value[name];
          if (interval !== null && (interval.low > 0.03 || interval.high < 0.03)) missed.add(`${name} ${run} ${variant}`);
        }
      }
    }
  }
  for (const name of ["ips", "snips", "doubly_robust"]) {
    const count = [...missed].filter((one) => one.startsWith(`${name} `)).length;
    ok(count <= 0.05 * 3 * runs, `${name} ${count} of ${3 * runs}`);
  }
});

test("features are places of a vector, the same for the same visitor; no person is needed", () => {
  const { person, act: happen } = visitor({ segments: { keen: { when: 'count("view", "1h") >= 1' } } });
  happen(MONDAY_MS, "view", { item_id: "i", item: { categories: ["lamps"], tags: [] } });
  const kinds = ["segments", "device", "country", "hour", "interests"] as const;
  const places = contextFeatures(kinds, { person, context: { device: "mobile" }, nowMs: MONDAY_MS });
  deepEqual(places, contextFeatures(kinds, { person, context: { device: "mobile" }, nowMs: MONDAY_MS }));
  equal(places[0], 0);
  ok(places.length >= 4 && places.every((place) => Math.abs(place) < DIMENSIONS));
  deepEqual(
    places.map(Math.abs),
    places.map(Math.abs).sort((a, b) => a - b),
  );
  ok(contextFeatures(kinds, { person: undefined, context: undefined, nowMs: MONDAY_MS }).length > 1);
  deepEqual(contextFeatures([], { person, context: undefined, nowMs: MONDAY_MS }), [0]);
});

test("the regression is least squares with a ridge, by a dense solver", () => {
  forEachSeed(10, (rng) => {
    const ridge = emptyRidge();
    const rows: { x: number[]; y: number }[] = [];
    for (let i = 0; i < 31; i++) {
      const places = [
        0,
        ...Array.from({ length: DIMENSIONS - 1 }, (_, k) => k + 1).filter(() => rng.between(0, 3) === 0),
      ];
      const features = places.map((place) => (place > 0 && rng.between(0, 1) === 0 ? -place : place));
      const y = rng.between(0, 10) / 10;
      observe(ridge, features);
      earn(ridge, features, y);
      const x = Array.from({ length: DIMENSIONS }, () => 0);
      for (const place of features) x[Math.abs(place)] = place < 0 ? -1 : 1;
      rows.push({ x, y });
    }
    // Gauss on the normal equations.
    const matrix = Array.from({ length: DIMENSIONS }, (_, i) => [
      ...Array.from({ length: DIMENSIONS }, (_, j) =>
        rows.reduce((sum, { x }) => sum + x[i]! * x[j]!, i === j ? 1 : 0),
      ),
      rows.reduce((sum, { x, y }) => sum + x[i]! * y, 0),
    ]);
    for (let i = 0; i < DIMENSIONS; i++) {
      for (let k = 0; k < DIMENSIONS; k++) {
        if (k === i) continue;
        const share = matrix[k]![i]! / matrix[i]![i]!;
        for (let j = i; j <= DIMENSIONS; j++) matrix[k]![j]! -= share * matrix[i]![j]!;
      }
    }
    const weights = matrix.map((row, i) => row[DIMENSIONS]! / row[i]!);
    weights.forEach((weight, i) => {
      const [own, base] = [expectedReward(ridge, i === 0 ? [0] : [0, i]), i === 0 ? 0 : expectedReward(ridge, [0])];
      ok(Math.abs(own - base - weight) < 1e-9, `${i}`);
    });
  });
});

test("an expectation is the less sure the less its features were seen, as the inverse of the sums says", () => {
  const ridge = emptyRidge();
  equal(uncertainty(null, [0, 3]), uncertainty(ridge, [0, 3]));
  equal(uncertainty(ridge, [0, 3]), Math.sqrt(2));
  for (let i = 0; i < 9; i++) observe(ridge, [0, -3]);
  // Two by two: [10, -9; -9, 10] has the inverse [10, 9; 9, 10] / 19.
  ok(Math.abs(uncertainty(ridge, [0, -3]) - Math.sqrt(2 / 19)) < 1e-12);
  ok(Math.abs(uncertainty(ridge, [0, 3]) - Math.sqrt(38 / 19)) < 1e-12);
  ok(Math.abs(uncertainty(ridge, [0]) - Math.sqrt(10 / 19)) < 1e-12);
});

test("squarecb is as sure as what it has learnt itself, not as what a policy before it has", () => {
  const bandit = (policy: (typeof POLICIES)[number]) => programOf({ policy }).slots.get("hero")!.bandit!;
  const choice = (variant: string) => ({ variant, propensity: 0.5, features: [0, 3], isShadow: false, expected: 0, learntMs: MONDAY_MS });
  const switched = emptyLearner(bandit("thompson").reward.key);
  const fresh = emptyLearner(bandit("thompson").reward.key);
  for (let i = 0; i < 3_000; i++) showArm(switched, choice(VARIANTS[i % 3]!), bandit("thompson"), { atMs: MONDAY_MS, visit: [] });
  for (const learner of [switched, fresh]) {
    for (const variant of VARIANTS) showArm(learner, choice(variant), bandit("squarecb"), { atMs: MONDAY_MS, visit: [] });
    rewardArm(learner, choice("b"), { before: 0, after: 5, visit: [] }, bandit("squarecb"));
  }
  const [own, after] = [fresh, switched].map((learner) =>
    probabilitiesOf({ slot: "hero", variants: VARIANTS, features: [0, 3] }, learner, bandit("squarecb")),
  );
  // Less than where nothing was learnt, because the rewards before say how little they spread.
  ok(after![0]! > 0.02 / 3 + 0.004 && own![0]! > after![0]!, `${own} ${after}`);
});

test("the pages of one visit are one lot: values stand on visits, and their intervals miss the truth as seldom", () => {
  const pages = 10;
  let missed = 0;
  const runs = 60;
  for (let run = 0; run < runs; run++) {
    const rng = rngFrom(7_000 + run);
    const w = world(programOf({ policy: "epsilon_greedy", exploration: 0.5, reward: { events: { click: 1 } } }));
    let isMissed = false;
    let chances = 0;
    for (let visitor = 0; visitor < 200; visitor++) {
      const [key, startMs] = [`u:${run} ${visitor}`, MONDAY_MS + visitor * HALF_HOUR];
      const chance = uniform(rng) < 0.2 ? 0.8 : 0.05; // What each of the variants brings with this visitor.
      for (let page = 0; page < pages; page++) {
        const atMs = startMs + page * 60_000;
        const decided = ask(w, key, atMs);
        log(w, key, decided, atMs);
        act(w, key, "impression", atMs, decided.id);
        if (uniform(rng) < chance) act(w, key, "click", atMs + 1_000, decided.id);
      }
      chances += chance;
      if (visitor % 20 < 19) continue;
      for (const { off_policy } of slotView(w.program.slots.get("hero")!, w.state.slots.learnerOf("hero"), { leftOut: 0 }).arms) {
        ok(off_policy.effective_sample_size <= visitor + 1 + 1e-9);
        const truth = chances / (visitor + 1);
        for (const value of [off_policy.ips, off_policy.snips, off_policy.doubly_robust]) {
          if (value !== null && (truth < value.low || truth > value.high)) isMissed = true;
        }
      }
    }
    if (isMissed) missed++;
  }
  ok(missed <= 6, `${missed} of ${runs} missed`);
});

test("a learner whose choices all stood alone comes back as one of visits of a page each", () => {
  const { bandit } = programOf().slots.get("hero")!;
  const learner = emptyLearner("key");
  armOf(learner, "a");
  for (let i = 0; i < 9; i++) {
    const choice = { variant: "a", propensity: 0.5, features: [], isShadow: false, expected: 0, learntMs: -1 };
    showArm(learner, choice, bandit!, { atMs: MONDAY_MS, visit: [] });
    if (i % 3 === 0) rewardArm(learner, choice, { before: 0, after: 2, visit: [] }, bandit!);
  }
  const writer = new ByteWriter();
  writer.byte(1);
  writer.string(learner.rewardKey);
  writer.number(learner.changedMs);
  for (const value of [learner.revision, 1]) writer.varint(value);
  const { shown, rewards, squares, shownTotal, rewardTotal, always } = learner.arms.get("a")!;
  writer.string("a");
  const names = ["count", "weights", "squares", "largest", "rewards", "weightedRewards", "squaredRewards", "robust", "robustSquares"] as const;
  for (const value of [shown, rewards, squares, shownTotal, rewardTotal, ...names.map((name) => always[name])]) writer.number(value);
  writer.byte(0);
  deepEqual(decodeLearner(writer.take()), learner);
});

test("linucb tries what it knows least first, and never shows anything with certainty", () => {
  const w = world(programOf({ policy: "linucb", features: ["device"], reward: { events: { click: 1 } } }));
  const { bandit } = w.program.slots.get("hero")!;
  const learner = emptyLearner("");
  const probabilities = () => probabilitiesOf({ slot: "hero", variants: VARIANTS, features: [0, 2] }, learner, bandit!);
  deepEqual(probabilities(), [1 / 3, 1 / 3, 1 / 3].map((p) => 0.95 * p + 0.05 / 3));
  for (const variant of ["a", "c"]) {
    showArm(learner, { variant, propensity: 1 / 3, features: [0, 2], isShadow: false, expected: 0, learntMs: -1 }, bandit!, { atMs: MONDAY_MS, visit: [] });
  }
  deepEqual(probabilities(), [0, 1, 0].map((p) => 0.95 * p + 0.05 / 3));
});

test("a learner's bytes come back as they were, and a reward that means something else starts anew", () => {
  const w = world(programOf({ policy: "squarecb" }));
  for (let i = 0; i < 50; i++) {
    const decided = ask(w, "u:1", MONDAY_MS + i);
    log(w, "u:1", decided, MONDAY_MS + i);
    act(w, "u:1", "click", MONDAY_MS + i * 1_000, decided.id);
  }
  const learner = w.state.slots.learnerOf("hero")!;
  deepEqual(decodeLearner(encodeLearner(learner)), learner);
  w.state.configure(programOf({ policy: "thompson" }), MONDAY_MS + 1e6);
  equal(w.state.slots.learnerOf("hero")!.revision, learner.revision);
  w.state.configure(programOf({ reward: { events: { purchase: 1 } } }), MONDAY_MS + 1e6);
  equal(w.state.slots.learnerOf("hero")!.revision, 0);
  w.state.configure(programOf({ policy: "rules", reward: undefined as never }), MONDAY_MS + 1e6);
  equal(w.state.slots.learnerOf("hero"), undefined);
});

test("old outcomes fade by half in a half-life", () => {
  const w = world(programOf({ half_life: "1d" }));
  const decided = ask(w, "u:1", MONDAY_MS);
  log(w, "u:1", decided, MONDAY_MS);
  act(w, "u:1", "click", MONDAY_MS, decided.id);
  const other = ask(w, "u:2", MONDAY_MS + 86_400_000);
  log(w, "u:2", other, MONDAY_MS + 86_400_000);
  act(w, "u:2", "impression", MONDAY_MS + 86_400_000, other.id);
  const { arms } = w.state.slots.learnerOf("hero")!;
  const shown = [...arms.values()].reduce((sum, arm) => sum + arm.shown, 0);
  equal(shown, 1.5);
  equal(
    [...arms.values()].reduce((sum, arm) => sum + arm.rewards, 0),
    0.5 / 5,
  );
});

test("a reward that comes late counts as much as its showing still does", () => {
  const day = 86_400_000;
  for (const policy of POLICIES) {
    const learnt = ["at once", "late"].map((when) => {
      const w = world(programOf({ policy, half_life: "1d", reward: { events: { click: 1, purchase: 5 }, max: 5, window: "30d" } }));
      const first = ask(w, "u:1", MONDAY_MS);
      log(w, "u:1", first, MONDAY_MS);
      act(w, "u:1", "impression", MONDAY_MS, first.id);
      const reward = (is: string, atMs: number) => when === is && act(w, "u:1", "click", atMs, first.id);
      reward("at once", MONDAY_MS);
      for (let i = 1; i <= 3; i++) {
        const id = `${when} ${policy} ${i}`;
        const decided = { ...first, id };
        log(w, "u:2", decided, MONDAY_MS + i * day);
        act(w, "u:2", "impression", MONDAY_MS + i * day, id);
      }
      reward("late", MONDAY_MS + 3 * day + 1);
      const { shown, rewards, squares, ridge } = w.state.slots.learnerOf("hero")!.arms.get(first.variant!)!;
      return { shown, rewards, squares, products: ridge === null ? null : [...ridge.products] };
    });
    deepEqual(learnt[1], learnt[0], policy);
    deepEqual([learnt[0]!.shown, learnt[0]!.rewards], [1.875, 0.125 / 5]);
  }
});

test("an open decision of an earlier release comes back, without what it does not say", () => {
  const open = new OpenDecisions();
  const bytes = "0104753a7531a40394aca4d1f3cc01f0d2ecc9f3cc0100000001046c6f6f6b10376633363064646462616333316233350000";
  open.table.load("d105", Uint8Array.from(bytes.match(/../g)!, (byte) => Number.parseInt(byte, 16)));
  const { personKey, experiments, choice } = open.change("d105", 0)!;
  deepEqual({ personKey, experiments, choice }, { personKey: "u:u1", experiments: [{ name: "look", run: "7f360dddbac31b35", variant: "" }], choice: null });
});

test("open decisions are bounded: the oldest goes, what is over goes, the order survives a restart", () => {
  const open = new OpenDecisions(3);
  const add = (id: string, deadlineMs: number) =>
    open.add({
      id,
      personKey: "u:1",
      deadlineMs,
      shownMs: -1,
      choice: null,
      earned: 0,
      experiments: [],
      lists: null,
      clicks: [0, 0],
    });
  for (const id of ["z", "y", "x", "w"]) add(id, 1_000);
  deepEqual([open.size, open.closedEarly], [3, 1]);
  equal(open.change("z", 0), undefined);
  equal(open.change("y", 1_001), undefined, "its time is over");
  ok(open.change("y", 1_000) !== undefined);
  const rows = new Map<string, Uint8Array>();
  open.table.begin();
  open.table.take(Infinity, (key, bytes) => void (bytes === null || rows.set(key, bytes)));
  const again = new OpenDecisions(3);
  for (const [key, bytes] of [...rows].sort()) again.table.load(key, bytes);
  again.add({
    id: "v",
    personKey: "u:1",
    deadlineMs: 2_000,
    shownMs: -1,
    choice: null,
    earned: 0,
    experiments: [],
    lists: null,
    clicks: [0, 0],
  });
  equal(again.change("y", 0), undefined, "the oldest");
  ok(again.change("x", 0) !== undefined);
  again.expire(1_500);
  deepEqual([again.size, again.closedEarly], [1, 2]);
});
