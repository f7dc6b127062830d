// Decisions in the embedded project: what slots learn and experiments show is a function of the log, whatever crashed,
// and a pick can be made again from the log.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { decideSlot } from "../../core/engine.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import { refOfKey } from "../../core/identity/identity.ts";
import { rngFrom } from "../../core/math/rng.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import type { LogRecord } from "../../core/record.ts";
import { decodeRecord } from "./record-codec.ts";
import { openProject, recordsOf, START_MS, testFolder, type Clock } from "./testing.ts";
import type { EmbeddedProject } from "./project.ts";
import { verifyProject } from "./verify.ts";

const PROGRAM: ProgramDocument = {
  models: { crowd: { max_share: 0.3 } },
  segments: { keen: { when: 'count("click", "1h") >= 2' } },
  slots: {
    hero: {
      policy: "squarecb",
      variants: { a: 1, b: 2, c: 3 },
      default: "a",
      rules: [{ when: "attributes.vip == true", variant: "c" }],
      reward: { events: { click: 1, purchase: 3 } },
    },
    offer: { policy: "thompson", variants: { none: {}, ten: {} }, reward: { events: { purchase: 1 } } },
    theme: { policy: "rules", variants: { light: 1, dark: 2 }, default: "light" },
  },
  placements: { home: { limit: 6 }, fresh: { limit: 6, diversity: 0.9 }, mixed: { limit: 6 } },
  experiments: {
    all: { holdout: 0.2, metrics: { revenue: { kind: "revenue" } } },
    theme: {
      variants: { light: {}, dark: { slots: { theme: "dark" } } },
      metrics: { bought: { kind: "conversion", event: "purchase" }, time: { kind: "time_on_site" } },
      guards: [{ metric: "bought" }],
      window: "1d",
    },
    ranking: {
      variants: { old: {}, fresh: { placements: { home: "fresh" } } },
      metrics: { clicks: { kind: "count", event: "click" } },
    },
    mix: {
      variants: { old: {}, fresh: { placements: { mixed: "fresh" } } },
      interleave: "mixed",
      metrics: { clicks: { kind: "count", event: "click" } },
    },
  },
};

const ITEMS = Array.from({ length: 20 }, (_, i) => ({
  item_id: `i${i}`,
  title: `Item ${i}`,
  categories: [`c${i % 4}`],
  tags: [],
}));

let serial = 0;
function event(clock: Clock, person: number, type: string, more: Partial<LoggedEvent> = {}): LoggedEvent {
  const isGuest = person % 3 === 0;
  return {
    event_id: `e${serial++}`,
    ...(isGuest ? {} : { user_id: `u${person}` }),
    ...(person % 2 === 0 ? { anonymous_id: `a${person}` } : isGuest ? { anonymous_id: `g${person}` } : {}),
    event_type: type,
    timestamp: clock.nowMs,
    received_at: clock.nowMs,
    ...(person % 5 === 0 ? {} : { source: `home${person % 5}` }),
    ...more,
  };
}

/** Visitors who look, are shown slots and lists, and click and buy; a login and a program change in between. */
async function live(project: EmbeddedProject, clock: Clock, rounds: number, seed: number): Promise<void> {
  const rng = rngFrom(seed);
  const submit = (...events: LoggedEvent[]) => project.submit({ events, deadLetters: [] });
  for (let i = 0; i < rounds; i++) {
    clock.nowMs += rng.between(100, 90_000);
    const person = rng.between(1, 40);
    const { user_id, anonymous_id } = event(clock, person, "view");
    const ref = user_id === undefined ? { anonymous_id: anonymous_id! } : { user_id };
    await submit(event(clock, person, "view", { item_id: `i${rng.between(0, 19)}` }));
    const slot = ["hero", "offer", "theme"][rng.between(0, 2)]!;
    const decided = (await project.decide(ref, slot, { device: rng.between(0, 1) === 0 ? "mobile" : "desktop" }))!;
    const placement = rng.between(0, 1) === 0 ? "home" : "mixed";
    const list = (await project.recommend({ ref, placement, limit: 6 }))!;
    for (const { decision_id } of [decided, list]) {
      clock.nowMs += 1_000;
      if (rng.between(0, 9) === 0) continue;
      await submit(event(clock, person, "impression", { context: { decision_id } }));
      const item_id = list.items[rng.between(0, Math.max(0, list.items.length - 1))]?.item_id ?? "i0";
      if (rng.between(0, 2) === 0) await submit(event(clock, person, "click", { item_id, context: { decision_id } }));
      if (rng.between(0, 5) === 0)
        await submit(
          event(clock, person, "purchase", { item_id, value: rng.between(1, 90), context: { decision_id } }),
        );
    }
    if (i === rounds >> 1)
      await submit(event(clock, person, "view", { user_id: `u${person}`, anonymous_id: `g${person}` }));
  }
}

async function answers(project: EmbeddedProject): Promise<unknown> {
  return { slots: await project.slots(), experiments: await project.experiments() };
}

test("what was learnt survives crashes and restarts to the byte, and verify finds no difference", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  let project = await openProject(folder, clock, { firstProgram: PROGRAM });
  await project.putItems(ITEMS);
  await live(project, clock, 60, 1);
  await project.checkpoint();
  await live(project, clock, 60, 2);
  const before = await answers(project);
  const crashed = folder.crashed();
  const recovered = await openProject(crashed, clock, { firstProgram: PROGRAM });
  deepEqual(await answers(recovered), before, "checkpoint and tail");
  await live(recovered, clock, 20, 3);
  deepEqual((await verifyProject(recovered, { now: () => clock.nowMs })).differences, []);
  await project.close();
  project = await openProject(folder, clock, { firstProgram: PROGRAM });
  deepEqual(await answers(project), before, "checkpoint alone");
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);

  const [slots, experiments] = [await project.slots(), await project.experiments()];
  ok(slots.find(({ name }) => name === "hero")!.learning!.shown > 10);
  ok(slots.find(({ name }) => name === "offer")!.arms.every(({ share }) => share > 0));
  deepEqual(
    experiments.map(({ name }) => name),
    ["all", "theme", "ranking", "mix"],
  );
  for (const { name, users, interleaving, sample_ratio } of experiments) {
    if (name === "mix")
      ok(interleaving!.ties + Object.values(interleaving!.wins).reduce((sum, wins) => sum + wins, 0) > 3);
    else ok(users > 5 && sample_ratio.ok, name);
  }
});

test("an interleaved list keeps the pins that both placements have, and their caps", async () => {
  const clock = { nowMs: START_MS };
  const rules = { limit: 6, pin: [{ item: "i5", at: 3 }], cap: [{ by: "category", max: 2 }] };
  const lifted = { when: '"c1" in item.categories', by: 100 };
  const { mix } = PROGRAM.experiments!;
  const project = await openProject(testFolder(), clock, {
    firstProgram: { placements: { mixed: rules, fresh: { ...rules, boost: [lifted] } }, experiments: { mix: mix! } },
  });
  await project.putItems(ITEMS);
  for (let i = 0; i < 40; i++) {
    const { items } = (await project.recommend({ ref: { user_id: `u${i}` }, placement: "mixed" }))!;
    equal(items.length, 6);
    equal(items[2]!.item_id, "i5");
    for (const category of ["c0", "c1", "c2", "c3"]) {
      ok(items.filter(({ item }) => item!.categories[0] === category).length <= 2, JSON.stringify(items.map(({ item_id }) => item_id)));
    }
  }
});

test("verify names what a slot has learnt that the log does not say", async () => {
  const clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock, { firstProgram: PROGRAM });
  await live(project, clock, 20, 4);
  project.fold.decisions.slots.learnerOf("hero")!.arms.get("a")!.shownTotal++;
  const { differences } = await verifyProject(project, { now: () => clock.nowMs });
  deepEqual(differences, [{ key: "slot hero", kind: "differs" }]);
});

test("every pick can be made again from the log: slot, person, time and state are enough", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock, { firstProgram: PROGRAM });
  await project.putItems(ITEMS);
  const events: LoggedEvent[] = [];
  let seen = 0;
  for (let i = 0; i < 40; i++) {
    clock.nowMs += 60_000;
    const ref = { user_id: `u${i % 7}` };
    const decided = (await project.decide(ref, "hero"))!;
    const { fold } = project;
    const key = fold.keyNow(ref);
    const again = decideSlot("hero", {
      personKey: key,
      person: fold.persons.get(key),
      context: undefined,
      nowMs: clock.nowMs,
      program: fold.programs.current,
      state: fold.decisions,
    })!;
    deepEqual([again.variant, again.propensity], [decided.variant, decided.propensity]);
    const shown: LoggedEvent = {
      event_id: `s${i}`,
      ...ref,
      event_type: "click",
      timestamp: clock.nowMs,
      received_at: clock.nowMs,
      context: { decision_id: decided.decision_id },
    };
    events.push(shown);
    await project.submit({ events: [shown], deadLetters: [] });
    seen++;
  }
  const decisions = recordsOf(project, decodeRecord).filter(
    (record): record is Extract<LogRecord, { kind: "decision" }> => record.kind === "decision",
  );
  equal(decisions.length, seen);
  for (const { decision } of decisions) {
    const { choice, propensity } = decision;
    if (choice === undefined) continue;
    equal(propensity, choice.probabilities[["a", "b", "c"].indexOf(decision.items[0]!)]);
    ok(propensity > 0 && choice.features !== undefined);
  }
  equal(
    (await project.slots())[0]!.learning!.shown,
    decisions.filter(({ decision }) => decision.choice !== undefined).length,
  );
});

test("a variant that does harm is stopped by a record, and stays stopped in a replay", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const { experiments, ...rest } = PROGRAM;
  const project = await openProject(folder, clock, {
    firstProgram: { ...rest, experiments: { theme: experiments!["theme"]! } },
  });
  for (let i = 0; i < 1_500; i++) {
    clock.nowMs += 1_000;
    const ref = { user_id: `n${i}` };
    const { decision_id, variant } = (await project.decide(ref, "theme"))!;
    const base = { ...ref, timestamp: clock.nowMs, received_at: clock.nowMs };
    const events: LoggedEvent[] = [{ ...base, event_id: `x${i}`, event_type: "impression", context: { decision_id } }];
    if (i % (variant === "dark" ? 50 : 4) === 0)
      events.push({ ...base, event_id: `p${i}`, event_type: "purchase", value: 5 });
    await project.submit({ events, deadLetters: [] });
  }
  await project.guards.look();
  const stops = recordsOf(project, decodeRecord).filter(({ kind }) => kind === "experiment_stop");
  equal(stops.length, 1);
  for (let i = 0; i < 20; i++) equal((await project.decide({ user_id: `later${i}` }, "theme"))!.variant, "light");
  const again = await openProject(folder.crashed(), clock, { firstProgram: PROGRAM });
  equal((await again.experiment("theme"))!.variants[1]!.stopped!.metric, "bought");
  deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
});

test("who is held out gets what is popular, not what is his", async () => {
  const clock = { nowMs: START_MS };
  const holdout: ProgramDocument = {
    experiments: { all: { holdout: 0.5, metrics: { revenue: { kind: "revenue" } } } },
  };
  const project = await openProject(testFolder(), clock, { firstProgram: holdout });
  await project.putItems(ITEMS);
  const held = (i: number): Promise<boolean> =>
    project
      .recommend({ ref: { user_id: `h${i}` }, placement: "home", limit: 5 })
      .then(
        () =>
          project.fold.decisions.experiments.variantOf(
            project.fold.programs.current.experiments[0]!,
            `u:h${i}`,
            () => true,
          )!.variant === 1,
      );
  const people = await Promise.all(Array.from({ length: 30 }, async (_, i) => ({ i, isHeld: await held(i) })));
  for (const { i } of people) {
    await project.submit({
      events: [1, 2, 3].map((n) => ({
        event_id: `v${i}-${n}`,
        user_id: `h${i}`,
        event_type: "view",
        item_id: `i${(i + 4 * n) % 20}`,
        timestamp: clock.nowMs,
        received_at: clock.nowMs,
      })),
      deadLetters: [],
    });
  }
  const strategies = new Map<boolean, Set<string>>([
    [true, new Set()],
    [false, new Set()],
  ]);
  for (const { i, isHeld } of people) {
    const list = await project.recommend({ ref: refOfKey(`u:h${i}`), placement: "home", limit: 5 });
    strategies.get(isHeld)!.add(list!.strategy);
  }
  deepEqual([...strategies.get(false)!], ["blend"]);
  ok(!strategies.get(true)!.has("blend") && strategies.get(true)!.size === 1);
});
