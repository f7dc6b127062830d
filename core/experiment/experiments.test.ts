// Experiments as a fold: the sums are a recount of what happened, whoever logged in, whatever was interrupted.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { DecisionState } from "../decide/decision-state.ts";
import { partsOf } from "../decide/parts.ts";
import type { LoggedEvent } from "../event/event.ts";
import { rngFrom, type Rng } from "../math/rng.ts";
import type { CompiledProgram } from "../program/compiled.ts";
import type { ExperimentDocument, ProgramDocument } from "../program/program.ts";
import type { DecisionRecord } from "../record.ts";
import { addPerson } from "../stats/moments.ts";
import { normal, uniform } from "../stats/sample.ts";
import { compiled, MONDAY_MS } from "../testing/programs.ts";
import { memoryRows } from "../testing/rows.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { hashedVariant, lotOf, takesPart } from "./assignment.ts";
import { draftTeams } from "./team-draft.ts";
import { decodeRun, emptyRun, encodeRun } from "./run.ts";
import { measured } from "./metrics.ts";
import { experimentView } from "./view.ts";
import { decodeUnit } from "./units.ts";

const DAY = 86_400_000;

const METRICS: ExperimentDocument["metrics"] = {
  bought: { kind: "conversion", event: "purchase" },
  carts: { kind: "count", event: "add_to_cart", max: 3 },
  revenue: { kind: "revenue" },
  engaged: { kind: "engagement" },
  time: { kind: "time_on_site" },
  bounced: { kind: "bounce" },
  back: { kind: "retention", after: "1d" },
};

function program(extra: Partial<ExperimentDocument> = {}): CompiledProgram {
  const document: ProgramDocument = {
    slots: { hero: { policy: "rules", variants: { a: 1, b: 2, c: 3 }, default: "a" } },
    experiments: {
      e: {
        variants: { plain: {}, b: { slots: { hero: "b" } }, c: { slots: { hero: "c" } } },
        metrics: METRICS,
        window: "3d",
        ...extra,
      },
    },
  };
  return compiled(document);
}

interface World {
  state: DecisionState;
  program: CompiledProgram;
  rows: ReturnType<typeof memoryRows>;
}

function world(of = program()): World {
  const rows = memoryRows();
  const state = new DecisionState(rows);
  state.configure(of, MONDAY_MS);
  return { state, program: of, rows };
}

let serial = 0;
const eventOf = (key: string, type: string, timestamp: number, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  event_id: `x${serial++}`,
  ...(key.startsWith("u:") ? { user_id: key.slice(2) } : { anonymous_id: key.slice(2) }),
  event_type: type,
  timestamp,
  received_at: timestamp,
  ...more,
});

/** The person asks, is answered, and the decision is folded. Returns its id and the variant. */
function ask({ state, program }: World, key: string, atMs: number, x = 0): { id: string; variant: string | undefined } {
  const id = `d${serial++}`;
  const { parts } = partsOf({
    personKey: key,
    person: undefined,
    context: undefined,
    nowMs: atMs,
    program,
    state,
    changes: ({ slots }) => slots.size > 0,
  });
  const experiments = Object.fromEntries(
    parts.filter(({ counts }) => counts).map(({ experiment, assignment }) => [experiment.name, { ...assignment, x }]),
  );
  const decision: DecisionRecord = {
    decision_id: id,
    placement: "slot:hero",
    strategy: "x",
    items: ["a"],
    propensity: 1,
    experiments,
  };
  state.decided(decision, key, atMs);
  return { id, variant: parts[0]?.variant.name };
}

const show = ({ state }: World, key: string, id: string, atMs: number): void =>
  state.acted(eventOf(key, "impression", atMs, { context: { decision_id: id } }), key, 0);

test("a person's variant is a function of seed and key; shares come out as promised", () => {
  const [experiment] = program({ variants: { plain: { weight: 2 }, b: {} }, share: 0.5 }).experiments;
  const counts = [0, 0];
  let part = 0;
  for (let i = 0; i < 20_000; i++) {
    if (!takesPart(experiment!, `u:${i}`)) continue;
    part++;
    counts[hashedVariant(experiment!, `u:${i}`)]!++;
  }
  ok(Math.abs(part / 20_000 - 0.5) < 0.015);
  ok(Math.abs(counts[0]! / part - 2 / 3) < 0.02);
  equal(lotOf("x"), lotOf("x"));
  const other = program({ variants: { plain: { weight: 2 }, b: {} }, share: 0.5, seed: "other" }).experiments[0]!;
  const moved = Array.from(
    { length: 1_000 },
    (_, i) => hashedVariant(experiment!, `u:${i}`) !== hashedVariant(other, `u:${i}`),
  );
  ok(moved.filter(Boolean).length > 300);
});

test("who is only assigned counts as assigned; who has seen it counts as a user, once", () => {
  const w = world();
  const { id, variant } = ask(w, "u:1", MONDAY_MS);
  const view = () => experimentView(w.program.experiments[0]!, w.state.experiments.runOf(w.program.experiments[0]!)!);
  const own = () => view().variants.find(({ name }) => name === variant)!;
  deepEqual([own().assigned, own().users, own().exposures], [1, 0, 0]);
  show(w, "u:1", id, MONDAY_MS + 1_000);
  show(w, "u:1", id, MONDAY_MS + 2_000);
  deepEqual([own().assigned, own().users, own().exposures], [1, 1, 1]);
  const again = ask(w, "u:1", MONDAY_MS + 5_000);
  equal(again.variant, variant);
  show(w, "u:1", again.id, MONDAY_MS + 6_000);
  deepEqual([own().assigned, own().users, own().exposures], [1, 1, 2]);
  show(w, "u:2", id, MONDAY_MS + 7_000);
  equal(view().users, 1, "nobody is exposed by another's decision");
});

test("each metric is what its definition says, within the window only", () => {
  const w = world(
    program({ metrics: { ...METRICS, big: { kind: "revenue", event: "purchase", where: "event.value > 50" } } }),
  );
  const { id } = ask(w, "u:1", MONDAY_MS);
  const act = (afterMs: number, type: string, value?: number) =>
    w.state.acted(eventOf("u:1", type, MONDAY_MS + afterMs, value === undefined ? {} : { value }), "u:1", 2);
  act(-5_000, "purchase", 99);
  show(w, "u:1", id, MONDAY_MS);
  const values = () => {
    const run = w.state.experiments.runOf(w.program.experiments[0]!)!;
    return run.variants.find(({ users }) => users === 1)!.moments.map(({ y }) => y);
  };
  deepEqual(values(), [0, 0, 0, 0, 0, 1, 0, 0]);
  act(10_000, "dwell", 9);
  deepEqual(values(), [0, 0, 0, 2, 10, 1, 0, 0]);
  act(70_000, "view");
  deepEqual(values(), [0, 0, 0, 4, 70, 0, 0, 0]);
  act(80_000, "purchase", 40);
  act(90_000, "purchase", 60);
  for (let i = 0; i < 5; i++) act(100_000, "add_to_cart", 1);
  deepEqual(values(), [1, 3, 100, 18, 100, 0, 0, 60]);
  act(DAY, "view");
  deepEqual(values(), [1, 3, 100, 20, 100, 0, 1, 60]);
  act(4 * DAY, "purchase", 1_000);
  deepEqual(values(), [1, 3, 100, 20, 100, 0, 1, 60]);
});

test("a refund takes back what was paid, also beyond what a person may count as; broken prices break nothing", () => {
  const w = world(program({ metrics: { revenue: { kind: "revenue", max: 1_000 }, any: { kind: "revenue" } } }));
  const { id, variant } = ask(w, "u:1", MONDAY_MS);
  show(w, "u:1", id, MONDAY_MS);
  const pay = (value: number) => w.state.acted(eventOf("u:1", "purchase", MONDAY_MS + 1, { value }), "u:1", 0);
  const totals = () => {
    const { variants } = experimentView(w.program.experiments[0]!, w.state.experiments.runOf(w.program.experiments[0]!)!);
    const { metrics } = variants.find(({ name }) => name === variant)!;
    return [metrics["revenue"]!.total, metrics["any"]!.total];
  };
  pay(5_000);
  deepEqual(totals(), [1_000, 5_000]);
  pay(-4_600);
  deepEqual(totals(), [400, 400]);
  for (const value of [1.7e308, 1.7e308, 1.7e308]) pay(value);
  deepEqual(totals(), [1_000, 1e9]);
  for (const value of [-1.7e308, -1.7e308, -1.7e308]) pay(value);
  deepEqual(totals(), [-1_000, -1e9]);
  const run = w.state.experiments.runOf(w.program.experiments[0]!)!;
  for (const { moments } of run.variants) for (const sums of moments) ok(Object.values(sums).every(Number.isFinite));
});

test("a visitor keeps his variant when he logs in; one who was two persons counts for what he saw first", () => {
  const w = world();
  const experiment = w.program.experiments[0]!;
  const variantOf = (key: string) => w.state.experiments.variantOf(experiment, key, () => true)!;
  const pair = (same: boolean): [string, string] => {
    for (let i = 0; ; i++) {
      const [a, u] = [`a:${serial}-${i}`, `u:${serial}-${i}`];
      if ((hashedVariant(experiment, a) === hashedVariant(experiment, u)) === same) return [a, u];
    }
  };
  const run = () => w.state.experiments.runOf(experiment)!;
  const users = () => run().variants.reduce((sum, one) => sum + one.users, 0);
  const [guest, known] = pair(false);
  const { id } = ask(w, guest, MONDAY_MS);
  const before = variantOf(guest).variant;
  w.state.relink(guest, known, MONDAY_MS);
  equal(variantOf(known).variant, before, "assigned as a guest, not yet shown");
  show(w, "u:another", id, MONDAY_MS + 1);
  equal(users(), 0, "nobody is exposed by another's decision");
  show(w, known, id, MONDAY_MS + 1);
  equal(users(), 1, "what was decided for the guest is his, and an event of the server names the user alone");
  const late = ask(w, guest, MONDAY_MS + 2).id;
  w.state.acted(
    eventOf(guest, "impression", MONDAY_MS + 2, { user_id: known.slice(2), context: { decision_id: late } }),
    known,
    0,
  );
  equal(run().variants[before]!.exposures, 2, "a page that does not know of the login yet names the device");

  const [phone, owner] = pair(false);
  const saw = variantOf(phone).variant;
  show(w, phone, ask(w, phone, MONDAY_MS).id, MONDAY_MS);
  show(w, owner, ask(w, owner, MONDAY_MS).id, MONDAY_MS + 1);
  for (const key of [phone, owner]) w.state.acted(eventOf(key, "purchase", MONDAY_MS + 2, { value: 3 }), key, 0);
  equal(users(), 3);
  w.state.relink(phone, owner, MONDAY_MS + 5);
  deepEqual([users(), run().mixed], [2, 1]);
  deepEqual(variantOf(owner), { variant: saw, counts: true });
  equal(run().variants.reduce((sum, { moments }) => sum + moments[2]!.y, 0), 6, "what he paid on both, once");
  w.state.acted(eventOf(owner, "purchase", MONDAY_MS + 6, { value: 4 }), owner, 0);
  equal(run().variants[saw]!.moments[2]!.y >= 10, true);

  const [one, two] = pair(true);
  for (const key of [one, two]) {
    show(w, key, ask(w, key, MONDAY_MS).id, MONDAY_MS);
    w.state.acted(eventOf(key, "purchase", MONDAY_MS + 9, { value: 10 }), key, 0);
  }
  w.state.relink(one, two, MONDAY_MS + 10);
  deepEqual([users(), run().mixed], [3, 1]);
  const of = hashedVariant(experiment, two);
  equal(run().variants[of]!.moments[2]!.y >= 20, true, "both purchases are his");
});

test("what was decided for a visitor and is shown to the user is an exposure of what he saw, or of nothing", () => {
  const pairOf = (w: World): [guest: string, user: string, saw: number, given: number] => {
    for (let i = 0; ; i++) {
      const [a, u] = [`a:${serial}-${i}`, `u:${serial}-${i}`];
      const [saw, given] = [a, u].map((key) => hashedVariant(w.program.experiments[0]!, key));
      if (saw !== given) return [a, u, saw!, given!];
    }
  };
  for (const hasSeen of [false, true]) {
    const w = world();
    const [guest, user, saw, given] = pairOf(w);
    const own = ask(w, user, MONDAY_MS);
    if (hasSeen) show(w, user, own.id, MONDAY_MS + 1);
    const { id } = ask(w, guest, MONDAY_MS + 2);
    w.state.relink(guest, user, MONDAY_MS + 3);
    show(w, user, id, MONDAY_MS + 4);
    const { variants } = w.state.experiments.runOf(w.program.experiments[0]!)!;
    const expected = variants.map((_, i) => (i === (hasSeen ? given : saw) ? [1, 1] : [0, 0]));
    deepEqual(variants.map(({ users, exposures }) => [users, exposures]), expected, `seen before: ${hasSeen}`);
    equal(ask(w, user, MONDAY_MS + 5).variant, w.program.experiments[0]!.variants[hasSeen ? given : saw]!.name, "and he keeps it");
  }
});

test("people with two devices leave the shares as promised and the variants alike, also where shares are uneven", () => {
  const w = world(program({ variants: { plain: { weight: 9 }, b: { weight: 1, slots: { hero: "b" } } } }));
  const experiment = w.program.experiments[0]!;
  for (let i = 0; i < 6_000; i++) {
    const atMs = MONDAY_MS + i * 10;
    const hasPhone = i % 10 < 3;
    const keys = hasPhone ? [`a:${i}`, `u:${i}`] : [`u:${i}`];
    keys.forEach((key, k) => show(w, key, ask(w, key, atMs).id, atMs + k));
    // Nobody is moved by a variant; who has two devices buys six times as often.
    if (hasPhone ? i % 100 < 9 : i % 100 >= 95) w.state.acted(eventOf(`u:${i}`, "purchase", atMs + 5, { value: 9 }), `u:${i}`, 0);
    if (hasPhone) w.state.relink(`a:${i}`, `u:${i}`, atMs + 9);
  }
  const { users, mixed, sample_ratio, variants } = experimentView(experiment, w.state.experiments.runOf(experiment)!);
  deepEqual([users, mixed > 200, sample_ratio.ok], [6_000, true, true]);
  ok(Math.abs(variants[1]!.users / 6_000 - 0.1) < 0.012, `${variants[1]!.users}`);
  const [plain, b] = variants.map(({ metrics }) => metrics["bought"]!.mean);
  ok(Math.abs(b! / plain! - 1) < 0.2, `${plain} ${b}`);
});

/** Decisions, impressions, events, logins and a stop, in a seeded order. */
function* happenings(w: World, rng: Rng, count: number): Generator<() => void> {
  const shown: [string, string][] = [];
  let nowMs = MONDAY_MS;
  for (let i = 0; i < count; i++) {
    nowMs += rng.between(1, 600_000);
    const atMs = nowMs;
    const key = `${rng.between(0, 1) === 0 ? "a" : "u"}:${rng.between(1, 40)}`;
    const lot = rng.between(0, 99);
    if (lot < 25) yield () => void shown.push([key, ask(w, key, atMs, rng.between(0, 5)).id]);
    else if (lot < 50 && shown.length > 0) {
      const [who, id] = shown[rng.between(0, shown.length - 1)]!;
      yield () => show(w, who, id, atMs);
    } else if (lot < 53) yield () => w.state.relink(`a:${key.slice(2)}`, `u:${key.slice(2)}`, atMs);
    else if (i === count >> 1) {
      const { run } = w.program.experiments[0]!;
      yield () => w.state.stopped({ experiment: "e", run, variant: "c", metric: "bought", low: -1, high: -0.5 }, atMs);
    } else {
      const type = ["view", "add_to_cart", "purchase", "dwell"][rng.between(0, 3)]!;
      const value = rng.between(1, 50);
      yield () => w.state.acted(eventOf(key, type, atMs, { value }), key, value / 10);
    }
  }
}

test("the sums are a recount of the persons, after any history", () => {
  forEachSeed(25, (rng) => {
    const w = world();
    for (const happen of happenings(w, rng, 600)) happen();
    const run = w.state.experiments.runOf(w.program.experiments[0]!)!;
    const recount = run.variants.map(() => Object.keys(METRICS).map(() => ({ count: 0, y: 0, yy: 0, x: 0 })));
    for (const bytes of w.rows.rows.values()) {
      const unit = decodeUnit(bytes);
      if (unit.exposedMs < 0 || unit.isMixed) continue;
      w.program.experiments[0]!.metrics.forEach((metric, i) => {
        const value = measured(metric, unit.values[i]!);
        const sums = recount[unit.variant]![i]!;
        sums.count++;
        sums.y += value;
        sums.yy += value * value;
        sums.x += unit.x;
      });
    }
    run.variants.forEach(({ moments, users }, v) => {
      moments.forEach((sums, m) => {
        const own = recount[v]![m]!;
        equal(sums.count, own.count);
        equal(users, own.count);
        for (const name of ["y", "yy", "x"] as const) ok(Math.abs(sums[name] - own[name]) < 1e-6, `${v} ${m} ${name}`);
      });
    });
  });
});

test("a snapshot in the middle, restored and brought up to date, is the uninterrupted run", () => {
  forEachSeed(15, (rng) => {
    const straight = world();
    const cut = rng.between(50, 350);
    const stored = new Map<string, Map<string, Uint8Array>>();
    const rowsThen = new Map<string, Uint8Array>();
    const tape: ((w: World) => void)[] = [];
    for (let i = 0; i < 500; i++) {
      const key = `${rng.between(0, 1) === 0 ? "a" : "u"}:${rng.between(1, 30)}`;
      const atMs = MONDAY_MS + i * rng.between(1_000, 60_000);
      const lot = rng.between(0, 9);
      const id = `t${i}`;
      const back = `t${rng.between(Math.max(0, i - 20), i)}`;
      const x = rng.between(0, 3);
      const { run, variants } = straight.program.experiments[0]!;
      const variant = variants[rng.between(0, 2)]!.name;
      const value = rng.between(1, 9);
      if (lot < 4) {
        tape.push(({ state }) =>
          state.decided(
            {
              decision_id: id,
              placement: "slot:hero",
              strategy: "x",
              items: ["a"],
              propensity: 1,
              experiments: { e: { variant, run, x } },
            },
            key,
            atMs,
          ),
        );
      } else if (lot < 7)
        tape.push(({ state }) =>
          state.acted(eventOf(key, "impression", atMs, { context: { decision_id: back } }), key, 0),
        );
      else if (lot < 8) tape.push(({ state }) => state.relink(`a:${key.slice(2)}`, `u:${key.slice(2)}`, atMs));
      else
        tape.push(({ state }) =>
          state.acted(eventOf(key, "purchase", atMs, { value, context: { decision_id: back } }), key, 1),
        );
    }
    tape.slice(0, cut).forEach((step) => step(straight));
    for (const { table, begin, take } of straight.state.tables) {
      const rows = new Map<string, Uint8Array>();
      stored.set(table, rows);
      begin();
      take(Infinity, (key, bytes) => void (bytes === null ? rows.delete(key) : rows.set(key, bytes)));
    }
    for (const [key, bytes] of straight.rows.rows) rowsThen.set(key, bytes);
    const fresh = memoryRows(rowsThen);
    const state = new DecisionState(fresh);
    state.adopt(straight.program);
    for (const source of state.tables)
      for (const [key, bytes] of rng.shuffle([...stored.get(source.table)!])) source.load(key, bytes);
    const again: World = { program: straight.program, state, rows: fresh };
    for (const step of tape.slice(cut)) {
      step(straight);
      step(again);
    }
    const bytesOf = (w: World) => {
      const { run } = w.program.experiments[0]!;
      return [
        encodeRun(w.state.experiments.runOf(w.program.experiments[0]!)!),
        run,
        [...w.rows.rows].sort(),
        w.state.open.size,
      ];
    };
    deepEqual(bytesOf(again), bytesOf(straight));
  });
});

test("a stopped variant's people get control and count no more; the others go on", () => {
  const w = world();
  const experiment = w.program.experiments[0]!;
  const key = [...Array(100).keys()].map((i) => `u:${i}`).find((one) => hashedVariant(experiment, one) === 2)!;
  show(w, key, ask(w, key, MONDAY_MS).id, MONDAY_MS);
  w.state.stopped(
    { experiment: "e", run: experiment.run, variant: "c", metric: "bought", low: -1, high: -0.5 },
    MONDAY_MS + 1,
  );
  equal(ask(w, key, MONDAY_MS + 2).variant, "plain");
  const run = w.state.experiments.runOf(experiment)!;
  w.state.acted(eventOf(key, "purchase", MONDAY_MS + 3, { value: 5 }), key, 1);
  deepEqual([run.variants[2]!.users, run.variants[2]!.moments[0]!.y, run.variants[0]!.assigned], [1, 0, 0]);
  equal(experimentView(experiment, run).variants[2]!.stopped!.metric, "bought");
});

test("a stopped variant that a visitor was given and the user whom he turned out to be has seen is his after a restart too", () => {
  const w = world();
  const experiment = w.program.experiments[0]!;
  const keyOf = (kind: string, variant: number): string =>
    [...Array(100).keys()].map((i) => `${kind}:${i}`).find((one) => hashedVariant(experiment, one) === variant)!;
  const [guest, user] = [keyOf("a", 2), keyOf("u", 1)];
  ask(w, user, MONDAY_MS);
  const { id } = ask(w, guest, MONDAY_MS + 1);
  w.state.relink(guest, user, MONDAY_MS + 2);
  w.state.stopped(
    { experiment: "e", run: experiment.run, variant: "c", metric: "bought", low: -1, high: -0.5 },
    MONDAY_MS + 3,
  );
  show(w, user, id, MONDAY_MS + 4);
  equal(ask(w, user, MONDAY_MS + 5).variant, "plain");
  equal(decodeUnit(w.rows.rows.get(`${experiment.run}/${user}`)!).variant, 2, "as the table keeps it");
  deepEqual(w.state.experiments.runOf(experiment)!.variants.map(({ users }) => users), [0, 0, 0]);
});

test("a stop takes no doubt in the shares of people back, and makes none", () => {
  for (const isLosing of [true, false]) {
    const w = world();
    const experiment = w.program.experiments[0]!;
    const { run: id } = experiment;
    const ratio = () => experimentView(experiment, w.state.experiments.runOf(experiment)!).sample_ratio;
    const come = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        const visit = ask(w, `u:${i}`, MONDAY_MS + i);
        if (!(isLosing && visit.variant === "c" && i % 2 === 0)) show(w, `u:${i}`, visit.id, MONDAY_MS + i);
      }
    };
    come(0, 1_000);
    const before = ratio();
    equal(before.ok, !isLosing);
    w.state.stopped({ experiment: "e", run: id, variant: "c", metric: "bought", low: -1, high: -0.5 }, MONDAY_MS + 1_000);
    deepEqual(ratio(), before);
    come(1_000, 3_000);
    equal(ratio().ok, !isLosing);
    ok(ratio().p_value <= before.p_value);
  }
});

test("after a stop the value of a variant for everybody is still what its own people bring", () => {
  const w = world(program({ metrics: { bought: { kind: "conversion", event: "purchase" } } }));
  const experiment = w.program.experiments[0]!;
  for (let i = 0; i < 3_000; i++) {
    const key = `u:${i}`;
    const { id } = ask(w, key, MONDAY_MS + i);
    show(w, key, id, MONDAY_MS + i);
    if (i % 4 === 0) w.state.acted(eventOf(key, "purchase", MONDAY_MS + i, { value: 5 }), key, 1);
    if (i !== 1_000) continue;
    const { run } = experiment;
    w.state.stopped({ experiment: "e", run, variant: "c", metric: "bought", low: -1, high: -0.5 }, MONDAY_MS + i);
  }
  const view = experimentView(experiment, w.state.experiments.runOf(experiment)!);
  for (const { name, metrics, off_policy: value } of view.variants) {
    deepEqual(value.refused, null, name);
    for (const estimate of [value.ips!, value.snips!, value.doubly_robust!]) {
      ok(Math.abs(estimate.value - metrics["bought"]!.mean) < 1e-9, `${name} ${estimate.value}`);
      ok(estimate.low < 0.25 && estimate.high > 0.25);
    }
  }
});

test("the value for everybody has an interval of the size of what people pay, also where refunds all but cancel it", () => {
  forEachSeed(5, (rng) => {
    const w = world(program({ metrics: { revenue: { kind: "revenue" } } }));
    const experiment = w.program.experiments[0]!;
    const paid = new Map<string, number[]>();
    for (let i = 0; i < 600; i++) {
      const key = `u:${i}`;
      const { id, variant } = ask(w, key, MONDAY_MS);
      show(w, key, id, MONDAY_MS);
      const own = paid.get(variant!) ?? [];
      paid.set(variant!, own);
      // As much is paid back as was paid, but for a cent.
      const value = own.length === 0 ? 0.01 : own.length % 2 === 1 ? rng.between(10, 100) : -own.at(-1)!;
      own.push(value);
      w.state.acted(eventOf(key, "purchase", MONDAY_MS + 1, { value }), key, 0);
    }
    for (const { off_policy: { ips, snips, doubly_robust: robust } } of experimentView(experiment, w.state.experiments.runOf(experiment)!).variants) {
      for (const { low, high } of [ips!, snips!, robust!]) ok(low < 0 && high > 0 && high - low < 100, `${low} to ${high}`);
    }
  });
});

test("a guard finds a variant that is surely worse, and no other", () => {
  const w = world(program({ guards: [{ metric: "bought", worse_by: 0.1 }] }));
  const experiment = w.program.experiments[0]!;
  for (let i = 0; i < 3_000; i++) {
    const key = `u:${i}`;
    const atMs = MONDAY_MS + i * 100;
    const { id, variant } = ask(w, key, atMs);
    show(w, key, id, atMs);
    const buys = i % (variant === "c" ? 40 : 8) === 0;
    if (buys) w.state.acted(eventOf(key, "purchase", atMs + 1, { value: 5 }), key, 1);
  }
  const stops = w.state.experiments.harmful();
  deepEqual(
    stops.map(({ variant, metric, run }) => [variant, metric, run]),
    [["c", "bought", experiment.run]],
  );
  ok(stops[0]!.high < -0.1);
  w.state.stopped(stops[0]!, MONDAY_MS + 1e9);
  deepEqual(w.state.experiments.harmful(), []);
});

test("no rate falls by more than all of it", () => {
  const w = world(program({ metrics: { bounced: { kind: "bounce" }, revenue: { kind: "revenue" } } }));
  const experiment = w.program.experiments[0]!;
  for (let i = 0; i < 300; i++) {
    const key = `u:${i}`;
    const { id, variant } = ask(w, key, MONDAY_MS);
    show(w, key, id, MONDAY_MS);
    if (i % 9 < (variant === "b" ? 8 : 5)) w.state.acted(eventOf(key, "purchase", MONDAY_MS + 1, { value: 9 }), key, 0);
  }
  const [, b] = experimentView(experiment, w.state.experiments.runOf(experiment)!).variants;
  const { lift, lift_interval: interval } = b!.metrics["bounced"]!;
  equal(interval!.low, -1);
  ok(lift! < -0.5 && interval!.high > lift! && interval!.high < 0.5);
});

test("a mean of persons who are few or all alike has no interval; a rate's is exact from the first", () => {
  const w = world();
  const experiment = w.program.experiments[0]!;
  const see = (from: number, to: number, value: (i: number) => number) => {
    for (let i = from; i < to; i++) {
      const key = `u:${i}`;
      show(w, key, ask(w, key, MONDAY_MS).id, MONDAY_MS);
      if (value(i) > 0) w.state.acted(eventOf(key, "purchase", MONDAY_MS + 1, { value: value(i) }), key, 0);
    }
    return experimentView(experiment, w.state.experiments.runOf(experiment)!).variants.map(({ metrics }) => metrics);
  };
  for (const { revenue, bought } of see(0, 30, (i) => i)) {
    equal(revenue!.interval, null, "few");
    ok(bought!.interval!.high - bought!.interval!.low > 0.2);
  }
  const alike = world();
  Object.assign(w, alike);
  for (const { revenue, bought } of see(0, 300, () => 0)) {
    deepEqual([revenue!.mean, revenue!.interval], [0, null], "nobody has paid yet");
    ok(bought!.interval!.high > 0.02);
  }
  for (const { revenue } of see(300, 600, (i) => i % 9)) {
    const { mean, interval } = revenue!;
    ok(interval!.low < mean && mean < interval!.high);
  }
});

test("the mean of what few people spend holds at every moment, before the large purchases have come too", () => {
  const w = world();
  const experiment = w.program.experiments[0]!;
  const metric = experiment.metrics.findIndex(({ name }) => name === "revenue");
  const truth = 0.05 * Math.exp(0.5);
  let missed = 0;
  for (let seed = 0; seed < 100; seed++) {
    const rng = rngFrom(seed);
    const run = emptyRun(experiment, MONDAY_MS);
    let isMissed = false;
    for (let person = 1; person <= 3_000; person++) {
      addPerson(run.variants[0]!.moments[metric]!, 0, uniform(rng) < 0.05 ? Math.exp(normal(rng)) : 0);
      if (person % 50 > 0) continue;
      const { interval } = experimentView(experiment, run).variants[0]!.metrics["revenue"]!;
      if (interval !== null && (truth < interval.low || truth > interval.high)) isMissed = true;
      if (person === 3_000) ok(interval !== null);
    }
    if (isMissed) missed++;
  }
  ok(missed <= 10, `${missed} of 100 missed`);
});

test("a guard sees harm that control does not have at all, and none where nobody complains", () => {
  for (const [rate, harmed] of [[3, ["c"]], [Infinity, []]] as const) {
    const metrics: ExperimentDocument["metrics"] = {
      bought: { kind: "conversion", event: "purchase" },
      complaints: { kind: "conversion", event: "dislike", better: "lower" },
    };
    const w = world(program({ metrics, guards: [{ metric: "complaints", worse_by: 0.5 }] }));
    const experiment = w.program.experiments[0]!;
    for (let i = 0; i < 900; i++) {
      const key = `u:${i}`;
      const { id, variant } = ask(w, key, MONDAY_MS);
      show(w, key, id, MONDAY_MS);
      if (variant === "c" && i % rate === 0) w.state.acted(eventOf(key, "dislike", MONDAY_MS + 1), key, 0);
    }
    const stops = w.state.experiments.harmful();
    deepEqual(stops.map(({ variant }) => variant), harmed);
    for (const stop of stops) w.state.stopped(JSON.parse(JSON.stringify(stop)), MONDAY_MS + 2);
    const run = w.state.experiments.runOf(experiment)!;
    const { variants } = experimentView(experiment, decodeRun(run.id, encodeRun(run)));
    equal(variants[2]!.stopped?.interval, harmed.length === 0 ? undefined : null);
  }
});

test("an experiment that changed starts anew; one that comes back goes on", () => {
  const w = world();
  show(w, "u:1", ask(w, "u:1", MONDAY_MS).id, MONDAY_MS);
  const usersNow = () => {
    const { experiments } = w.program;
    return w.state.experiments.runOf(experiments[0]!)!.variants.reduce((sum, { users }) => sum + users, 0);
  };
  equal(usersNow(), 1);
  const first = w.program;
  w.program = program({ window: "5d" });
  w.state.configure(w.program, MONDAY_MS + 1);
  equal(usersNow(), 0);
  w.program = first;
  w.state.configure(first, MONDAY_MS + 2);
  equal(usersNow(), 1);
  w.program = program({
    description: "Words",
    variants: { plain: { description: "as it is" }, b: { slots: { hero: "b" }, description: "bold" }, c: { slots: { hero: "c" } } },
    metrics: { ...METRICS, bought: { ...METRICS["bought"]!, description: "at least one purchase" } },
  });
  w.state.configure(w.program, MONDAY_MS + 3);
  equal(usersNow(), 1, "words change nothing");
});

test("whoever logs in, or goes, while an experiment is taken out has done so when it comes back", () => {
  const w = world();
  const [experiment] = w.program.experiments;
  const [guest, other, user, gone] = ["a:1", "a:2", "u:2", "u:3"] as const;
  const seen = new Map<string, string>();
  for (const [i, key] of [guest, other, user, gone].entries()) {
    const { id, variant } = ask(w, key, MONDAY_MS + i);
    show(w, key, id, MONDAY_MS + i);
    seen.set(key, variant!);
  }
  w.state.configure(compiled({}), MONDAY_MS + 10);
  w.state.relink(guest, "u:1", MONDAY_MS + 20);
  w.state.relink(other, user, MONDAY_MS + 30);
  deepEqual([...w.state.experiments.unitsOf(gone)].map(([run]) => run), [experiment!.run], "what is held of him is told");
  w.state.forget(gone);
  deepEqual([...w.rows.rows.keys()].sort(), ["u:1", user].map((key) => `${experiment!.run}/${key}`), "nobody is held by another name");
  w.state.configure(w.program, MONDAY_MS + 40);
  equal(ask(w, "u:1", MONDAY_MS + 50).variant, seen.get(guest), "he keeps what he saw as a visitor");
  equal(ask(w, user, MONDAY_MS + 50).variant, seen.get(other), "and what he saw first");
  const users = () => w.state.experiments.runOf(experiment!)!.variants.reduce((sum, one) => sum + one.users, 0);
  equal(users(), 4, "sums of a run that rests stay as they are");
  const again = ask(w, "u:1", MONDAY_MS + 60);
  show(w, "u:1", again.id, MONDAY_MS + 70);
  equal(users(), 4, "he is no new person");
});

test("a run that is kept no more forgets who goes before its rows have gone", () => {
  const w = world();
  for (const key of ["u:1", "u:2"]) ask(w, key, MONDAY_MS);
  for (let i = 0; i < 64; i++) w.state.configure(program({ seed: `s${i}` }), MONDAY_MS + 1 + i);
  equal(w.state.experiments.runOf(w.program.experiments[0]!), undefined);
  w.state.forget("u:1");
  deepEqual([...w.rows.rows.keys()], [`${w.program.experiments[0]!.run}/u:2`]);
});

test("a run that the state does not hold begins with the first who takes part", () => {
  const w = { ...world(), state: new DecisionState(memoryRows()) };
  w.state.adopt(w.program);
  show(w, "u:1", ask(w, "u:1", MONDAY_MS).id, MONDAY_MS);
  const run = w.state.experiments.runOf(w.program.experiments[0]!)!;
  deepEqual([run.startedMs, run.variants.reduce((sum, { users }) => sum + users, 0)], [MONDAY_MS, 1]);
});

test("the shares of people are watched: a variant that loses its people is noticed", () => {
  const w = world(program({ variants: { plain: {}, b: { slots: { hero: "b" } } } }));
  const experiment = w.program.experiments[0]!;
  for (let i = 0; i < 3_000; i++) {
    const key = `u:${i}`;
    const { id, variant } = ask(w, key, MONDAY_MS + i);
    // One in five of those who should see b never do: the page breaks for them.
    if (variant === "plain" || i % 5 !== 0) show(w, key, id, MONDAY_MS + i);
    if (i === 100) equal(experimentView(experiment, w.state.experiments.runOf(experiment)!).sample_ratio.ok, true);
  }
  equal(experimentView(experiment, w.state.experiments.runOf(experiment)!).sample_ratio.ok, false);
});

test("a run's bytes come back as they were", () => {
  const run = emptyRun(program().experiments[0]!, MONDAY_MS);
  run.history.push({ atMs: 5, users: [1, 2, 3], means: [0.5, 0, 1], lows: [NaN, -1, 0], highs: [NaN, 1, 2] });
  run.stops.push({ variant: 1, atMs: 9, metric: "m", low: -1, high: -0.5 });
  run.wins[1] = 4;
  deepEqual(decodeRun(run.id, encodeRun(run)), run);
});

test("two rankings as one list keep the pins of both, and what either adds has room under its caps", () => {
  const kindOf = (id: string): string => id[0]!;
  const pinned = new Set(["x1", "y1", "z1"]);
  const a = ["k1", "k2", "x1", "k3", "m1", "y1", "m2", "m3", "l1"];
  const b = ["y1", "k4", "x1", "k5", "m2", "z1", "m4", "n1", "l2"];
  forEachSeed(200, (rng) => {
    const counts = new Map<string, number>();
    const { items, teams } = draftTeams({ a, b }, {
      idOf: (id) => id,
      limit: 9,
      seed: `${rng.between(0, 1e9)}`,
      isPinned: (id) => pinned.has(id),
      fits: (id) => (counts.get(kindOf(id)) ?? 0) < 3,
      take: (id) => void counts.set(kindOf(id), (counts.get(kindOf(id)) ?? 0) + 1),
    });
    equal(items.length, 9);
    equal(teams.length, 9);
    equal(new Set(items).size, 9);
    equal(items[2], "x1", "both pin it there");
    ok(items[5] === "y1" || items[5] === "z1", `both have a pin there: ${items.join(" ")}`);
    for (const [kind, count] of counts) {
      equal(items.filter((id) => kindOf(id) === kind).length, count, "each is told once");
      ok(count <= 3, `${count} of ${kind}`);
    }
  });
  const short = draftTeams({ a: ["p", "q"], b: ["p", "q"] }, { idOf: (id) => id, limit: 5, seed: "s", isPinned: (id) => id === "q" });
  deepEqual(short.items, ["p", "q"]);
  const early = draftTeams({ a: ["q", "p", "x"], b: ["p", "q", "x"] }, { idOf: (id) => id, limit: 3, seed: "s", isPinned: (id) => id === "x" });
  equal(early.items[2], "x");
});

test("two rankings as one list: every item once, both get their turns, the better one is clicked more", () => {
  const idOf = (item: string) => item;
  const a = ["1", "2", "3", "4"];
  const b = ["4", "3", "9", "8"];
  const draft = draftTeams({ a, b }, { idOf, limit: 4, seed: "s" });
  deepEqual(draft, draftTeams({ a, b }, { idOf, limit: 4, seed: "s" }));
  equal(new Set(draft.items).size, 4);
  equal(draft.teams.length, 4);
  let [begins, total] = [0, 0];
  for (let i = 0; i < 2_000; i++) {
    const { items, teams } = draftTeams({ a, b }, { idOf, limit: 3, seed: `s${i}` });
    begins += Number(teams[0] === "a");
    total++;
    ok(Math.abs([...teams.slice(0, 2)].filter((team) => team === "a").length - 1) === 0, "one pick each a round");
    equal(items.length, 3);
  }
  ok(Math.abs(begins / total - 0.5) < 0.04);
  deepEqual(draftTeams({ a: [], b: ["x"] }, { idOf, limit: 5, seed: "s" }), { items: ["x"], teams: "b" });
});
