// The law of decisions: what the cluster's servers make of decisions and of what the job says came of them is, byte for
// byte, what the embedded host makes of the same log.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { mayConcern } from "../../core/decide/decision-state.ts";
import { decideSlot } from "../../core/engine.ts";
import type { Rng } from "../../core/math/rng.ts";
import { compileProgram } from "../../core/program/compile.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { play, type Decides, type World } from "../operator/testing/world.ts";
import { foldOfLog } from "../operator/testing/reference.ts";
import { outcomeMs } from "../wire/outcome.ts";
import { DecisionFold, type DecisionInput } from "./decision-fold.ts";

const DECIDING: ProgramDocument = {
  slots: {
    hero: { policy: "squarecb", variants: { a: 1, b: 2, c: 3 }, reward: { events: { click: 1, purchase: 3 } } },
    offer: { policy: "thompson", variants: { none: {}, ten: {} }, reward: { events: { view: 1 }, when: 'event.item_id != "i1"' } },
    theme: { policy: "rules", variants: { light: 1, dark: 2 }, default: "light" },
  },
  experiments: {
    look: {
      variants: { light: {}, dark: { slots: { theme: "dark" } } },
      metrics: {
        bought: { kind: "conversion", event: "purchase" },
        money: { kind: "revenue" },
        time: { kind: "time_on_site" },
        back: { kind: "retention", after: "1h" },
      },
      window: "1d",
    },
  },
};
const OTHER: ProgramDocument = {
  ...DECIDING,
  slots: { ...DECIDING.slots, hero: { policy: "thompson", variants: { a: 1, b: 2 }, reward: { events: { click: 1 } } } },
};

const NOTHING: ProgramDocument = { slots: { theme: DECIDING.slots!["theme"]! } };

function timelineOf(programs: World["programs"]): ProgramTimeline {
  const timeline = new ProgramTimeline();
  for (const { version, at, document } of programs) {
    const compiled = compileProgram(document, version);
    ok("program" in compiled);
    timeline.append(version, at, compiled.program);
  }
  return timeline;
}

/** A server that knows nothing yet: variants by the hash, and a policy that explores. */
function serverOf(rng: Rng): Decides {
  const compiled = compileProgram(DECIDING, 1);
  ok("program" in compiled);
  const { program } = compiled;
  const { state } = new DecisionFold(timelineOf([{ version: 1, at: 0, document: DECIDING }]), [], 1);
  let serial = 0;
  return (personKey, ref, nowMs) => {
    if (rng.between(0, 2) > 0) return undefined;
    const slot = ["hero", "offer", "theme"][rng.between(0, 2)]!;
    const question = { personKey, person: undefined, context: undefined, nowMs, program, state };
    const { variant, propensity, reason, choice, experiments } = decideSlot(slot, question)!;
    return {
      ...ref,
      decision_id: `d${serial++}`,
      placement: `slot:${slot}`,
      strategy: reason,
      items: [variant!],
      propensity,
      ...(choice === undefined ? {} : { choice }),
      ...(experiments === undefined ? {} : { experiments }),
    };
  };
}

function inputsOf({ host, decisions }: World): DecisionInput[] {
  const outcomes = host.outcomes.map(({ key, value }): DecisionInput => {
    return { kind: "outcome", timeMs: outcomeMs(value), key, outcome: value };
  });
  return [...decisions.map((entry): DecisionInput => ({ kind: "decision", ...entry })), ...outcomes].sort(
    (a, b) => a.timeMs - b.timeMs,
  );
}

async function compare(world: World): Promise<{ users: number; rewards: number; mixed: number }> {
  const ours = new DecisionFold(timelineOf(world.programs), []);
  for (const input of inputsOf(world)) ours.apply(input);
  ours.advance(Infinity);
  const { decisions, units } = await foldOfLog(world.host.partitions.flat(), world.programs, world.decisions);
  const hexOf = (rows: Iterable<[string, Uint8Array]>, isWanted: (name: string) => boolean): Record<string, string> =>
    Object.fromEntries([...rows].filter(([name]) => isWanted(name)).map(([name, row]) => [name, Buffer.from(row).toString("hex")]));
  const expected = new Map(decisions.rows());
  // What is over is closed when a decision comes; theirs may come before the outcomes that are behind it.
  const isThere = (name: string): boolean => !name.startsWith("open ") || expected.has(name);
  deepEqual(hexOf(ours.state.rows(), isThere), hexOf(expected, () => true));
  const theirs = units.page({ prefix: "", limit: 10_000 });
  deepEqual(hexOf(ours.units.rows(), () => true), hexOf(theirs, () => true));
  const runs = ours.state.experiments;
  const run = runs.runOf(timelineOf(world.programs).entries[0]!.program.experiments[0]!)!;
  const rewards = ["hero", "offer"].flatMap((slot) => [...(ours.state.slots.learnerOf(slot)?.arms.values() ?? [])]);
  return {
    users: run.variants.reduce((sum, { users }) => sum + users, 0),
    rewards: rewards.reduce((sum, { rewardTotal }) => sum + rewardTotal, 0),
    mixed: run.mixed,
  };
}

test("slots, runs and persons are the embedded host's: shared devices, logins, duplicates, late and marked events", async () => {
  const sums = { users: 0, rewards: 0, mixed: 0 };
  await forEachSeedAsync(12, async (rng) => {
    const options = { servers: 1, partitions: rng.between(1, 4), programs: [DECIDING], decides: serverOf(rng) };
    const found = await compare(play(rng, options));
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += found[name];
  });
  ok(sums.users > 50 && sums.rewards > 50 && sums.mixed > 0, JSON.stringify(sums));
});

test("the same where servers learn of links late, and through changes of the program", async () => {
  await forEachSeedAsync(8, async (rng) => {
    await compare(play(rng, { servers: 3, partitions: rng.between(1, 4), programs: [DECIDING], decides: serverOf(rng) }));
    await compare(play(rng, { servers: 1, partitions: 2, programs: [DECIDING, OTHER], decides: serverOf(rng) }));
  });
});

test("the same where everything that decides is taken out for a while: who logs in, sees or acts meanwhile has done so", async () => {
  await forEachSeedAsync(8, async (rng) => {
    await compare(play(rng, { servers: 1, partitions: rng.between(1, 4), programs: [DECIDING, NOTHING, DECIDING], decides: serverOf(rng) }));
  });
});

test("a fold that goes on from a snapshot's rows comes to the same", async () => {
  await forEachSeedAsync(6, async (rng) => {
    const world = play(rng, { servers: 1, partitions: 2, programs: [DECIDING, OTHER], decides: serverOf(rng) });
    const programs = timelineOf(world.programs);
    const inputs = inputsOf(world);
    const straight = new DecisionFold(programs, []);
    const cut = rng.between(0, inputs.length);
    const before = new DecisionFold(programs, []);
    for (const input of inputs.slice(0, cut)) before.apply(input);
    const after = new DecisionFold(programs, [], before.version);
    for (const [i, table] of before.tables.entries()) {
      table.begin();
      while (!table.take(7, (row, bytes) => void (bytes === null || after.tables[i]!.load(row, bytes.slice()))));
    }
    for (const input of inputs) straight.apply(input);
    for (const input of inputs.slice(cut)) after.apply(input);
    // Whoever went on from rows can write all of them anew.
    const anew = new DecisionFold(programs, [], after.version);
    for (const [i, table] of after.tables.entries()) {
      table.begin();
      while (!table.take(7, () => {}));
      table.touchAll();
      table.begin();
      while (!table.take(7, (row, bytes) => void (bytes === null || anew.tables[i]!.load(row, bytes.slice()))));
    }
    const rowsOf = ({ state, units }: DecisionFold): [string, string][] =>
      [...state.rows(), ...units.rows()].map(([name, row]): [string, string] => [name, Buffer.from(row).toString("hex")]).sort();
    deepEqual(rowsOf(after), rowsOf(straight));
    deepEqual(rowsOf(anew), rowsOf(straight));
  });
});

test("where no slot learns and no experiment runs, nothing concerns decisions", () => {
  const compiled = compileProgram(NOTHING, 1);
  ok("program" in compiled);
  const event = { event_id: "e", event_type: "click", timestamp: 1, received_at: 1, user_id: "ada" };
  deepEqual(
    [event, { ...event, context: { decision_id: "d" } }].map((one) => mayConcern(one, { program: compiled.program, hasDecided: false })),
    [false, false],
  );
  const program = compiled.program;
  ok(mayConcern({ ...event, context: { decision_id: "d" } }, { program, hasDecided: true }), "decisions outlive their program");
});
