// Segments: the same memberships as evaluating every rule always, each change at its very millisecond, and nothing that
// depends on when, or how often, a host looks.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { applyAttributes, applyEvent, lookAgain, mergePersons } from "../engine.ts";
import type { LoggedEvent } from "../event/event.ts";
import type { Rng } from "../math/rng.ts";
import { emptyPerson, encodePerson, type PersonState } from "../profile/person.ts";
import type { CompiledProgram } from "../program/compiled.ts";
import { newsProgram } from "../program/news.ts";
import type { ProgramDocument } from "../program/program.ts";
import { shopProgram } from "../program/shop.ts";
import { ProgramTimeline } from "../program/timeline.ts";
import { compiled, copyOf, eventAt, MONDAY_MS, timelineOf, visitor } from "../testing/programs.ts";
import { forEachSeed } from "../testing/seeds.ts";

const DAY_MS = 86_400_000;
const TYPES = ["view", "click", "add_to_cart", "purchase", "dwell", "page_view"] as const;

/** Conditions of every kind: windows, times since, decay, interests, sessions, attributes, other segments. */
const CONDITIONS: readonly string[] = [
  'count("view", "10m") >= 2',
  'count("view", "10m") == 1',
  'count("view", "1h") < 3',
  'count("click", "10m") != 2',
  'sum("purchase", "1h") > 15',
  'since("view") > 90',
  'since("view") <= 90',
  'since("purchase") >= 3600',
  'since("view") == 60',
  'since("add_to_cart") < since("purchase")',
  'since("view") / 60 > 2',
  '600 - since("click") > 30',
  'since("view") + since("click") > 300',
  "features.engagement > 2",
  "features.engagement < 1.5",
  "features.frequency >= 3",
  "features.recency_s > 45",
  "features.velocity > 1",
  "features.interactions > 5",
  "features.diversity > 0.5",
  "features.fading > 1",
  "features.carts > 0 && features.mean_value > 10",
  "features.kinds >= 2",
  "features.top > 20",
  'features.last_item == "i1"',
  "features.fading > features.engagement",
  'interest("lamps") > 0.5',
  'interest("sale") > 0.3',
  "session.bounce",
  "session.duration_s > 60 && session.active",
  "!session.is_new",
  "age > 30",
  'has(attributes.age) || count("view", "10m") > 0',
  'context.device == "mobile"',
  'followed("view", "add_to_cart", "5m")',
  'count("view", "10m") * 2 > count("click", "1h") + 1',
  '(count("view", "10m") > 1 ? since("view") : since("click")) > 30',
  '[1, 2].exists(x, count("view", "10m") == x)',
  "context.hour == 1",
  'count("view", "10m") % 2 == 1',
  '-since("view") > -30',
  'since("never_seen") > 5 || since("view") < 20',
];

function randomProgram(rng: Rng): ProgramDocument {
  const names = Array.from({ length: rng.between(1, 8) }, (_, i) => `s${i}`);
  const part = (i: number): string => {
    const text = CONDITIONS[rng.between(0, CONDITIONS.length - 1)]!;
    const shape = rng.between(0, 5);
    return shape === 0 ? `!(${text})` : shape === 1 && i > 0 ? `in_segment("s${rng.between(0, i - 1)}")` : text;
  };
  const when = (i: number): string => {
    const shape = rng.between(0, 3);
    return shape === 0 ? `${part(i)} && ${part(i)}` : shape === 1 ? `${part(i)} || ${part(i)}` : part(i);
  };
  return {
    events: {
      ...Object.fromEntries(TYPES.map((type, i) => [type, { weight: i === 4 ? 0 : (i % 3) + 0.5 }])),
      never_seen: { weight: 1 },
    },
    interests: { half_life: "1h" },
    features: {
      fading: { kind: "decayed", event: "view", half_life: "10m" },
      carts: { kind: "count", event: "add_to_cart", window: "30m" },
      mean_value: { kind: "mean", event: "purchase", window: "30m" },
      kinds: { kind: "distinct", of: "item_id", window: "20m" },
      top: { kind: "max", event: ["purchase", "dwell"], window: "15m" },
      last_item: { kind: "last", event: "view", window: "25m" },
    },
    segments: Object.fromEntries(names.map((name, i) => [name, { when: when(i) }])),
  };
}

interface Step {
  atMs: number;
  event?: LoggedEvent;
  attributes?: Record<string, unknown>;
}

function randomSteps(rng: Rng, count: number): Step[] {
  let atMs = MONDAY_MS;
  return Array.from({ length: count }, () => {
    atMs += [
      rng.between(0, 900),
      rng.between(1_000, 60_000),
      rng.between(60_000, 1_200_000),
      rng.between(1_200_000, 8_000_000),
    ][rng.between(0, 3)]!;
    if (rng.between(0, 9) === 0) return { atMs, attributes: { age: rng.between(20, 40) } };
    const late = rng.between(0, 5) === 0 ? rng.between(0, 600_000) : 0;
    const ahead = rng.between(0, 15) === 0 ? rng.between(0, 200_000) : 0;
    const more: Partial<LoggedEvent> = { received_at: atMs, timestamp: atMs - late + ahead };
    if (rng.between(0, 2) > 0) {
      more.item_id = `i${rng.between(1, 3)}`;
      more.item = {
        categories: [["lamps", "chairs", "books"][rng.between(0, 2)]!],
        tags: rng.between(0, 1) === 0 ? ["sale"] : [],
      };
    }
    if (rng.between(0, 1) === 0) more.value = rng.between(1, 40);
    if (rng.between(0, 4) === 0) more.context = { device: ["mobile", "desktop"][rng.between(0, 1)]! };
    if (rng.between(0, 20) === 0) more.traffic = "bot";
    return { atMs, event: eventAt(atMs, TYPES[rng.between(0, TYPES.length - 1)]!, more) };
  });
}

function apply(person: PersonState, step: Step, timeline: ProgramTimeline): void {
  if (step.event !== undefined) applyEvent(person, step.event, timeline);
  else applyAttributes(person, step.attributes!, step.atMs, timeline);
}

/** What the rules say at a time, each evaluated anew. */
function recount(person: PersonState, program: CompiledProgram, nowMs: number): string[] {
  const fresh = copyOf(person);
  const memberships = new Map<string, number>();
  fresh.memberships = memberships;
  for (const { name, rule } of program.segments) {
    program.scope.begin(fresh, nowMs);
    if (rule.holds(program.scope)) memberships.set(name, nowMs);
  }
  return [...memberships.keys()].sort();
}

const membersOf = (person: PersonState): string[] => [...person.memberships.keys()].sort();

test("after each record, and at any time between, memberships are what evaluating everything says", () => {
  forEachSeed(250, (rng) => {
    const document = randomProgram(rng);
    // What only a grid can find is compared right after it looked, not between.
    const onGrid = JSON.stringify(document.segments).match(/features\.fading > features\.engagement|\? since/) !== null;
    const timeline = timelineOf(document);
    const program = timeline.current;
    const person = emptyPerson(program.plan);
    const steps = randomSteps(rng, 25);
    steps.forEach((step, i) => {
      apply(person, step, timeline);
      // Marked traffic alone makes nobody known.
      if (person.programVersion === 0) return;
      deepEqual(
        membersOf(person),
        recount(person, program, person.asOf),
        `after record ${i} of ${JSON.stringify(document.segments)}`,
      );
      const gapMs = Math.max(0, (steps[i + 1]?.atMs ?? step.atMs + DAY_MS) - person.asOf);
      for (let k = 0; k < 3 && !onGrid; k++) {
        const probe = copyOf(person);
        const atMs = person.asOf + rng.between(0, Math.min(gapMs, 2_000_000_000));
        lookAgain(probe, atMs, timeline);
        deepEqual(
          membersOf(probe),
          recount(person, program, atMs),
          `${atMs - person.asOf} ms after record ${i} of ${JSON.stringify(document.segments)}`,
        );
      }
    });
  });
});

test("a change by time happens at its first millisecond", () => {
  forEachSeed(150, (rng) => {
    const document = randomProgram(rng);
    if (/features\.fading > features\.engagement|\? since/.test(JSON.stringify(document.segments))) return;
    const timeline = timelineOf(document);
    const program = timeline.current;
    const person = emptyPerson(program.plan);
    for (const step of randomSteps(rng, 10)) apply(person, step, timeline);
    const before = copyOf(person);
    lookAgain(person, person.asOf + 3 * 3_600_000, timeline);
    for (const [name, sinceMs] of person.memberships) {
      if (before.memberships.get(name) === sinceMs) continue;
      equal(recount(before, program, sinceMs).includes(name), true, `${name} not at ${sinceMs}`);
      equal(
        recount(before, program, sinceMs - 1).includes(name),
        false,
        `${name} one ms early: ${JSON.stringify(document.segments)}`,
      );
    }
  });
});

test("looking again at any times on the way changes not one byte", () => {
  forEachSeed(250, (rng) => {
    const timeline = new ProgramTimeline();
    timeline.append(1, 0, compiled(randomProgram(rng), 1));
    const steps = randomSteps(rng, 20);
    // Two program changes on the way.
    let version = 1;
    const changes = [rng.between(3, 10), rng.between(11, 18)];
    const quiet = emptyPerson(timeline.current.plan);
    let busy = emptyPerson(timeline.current.plan);
    steps.forEach((step, i) => {
      if (changes.includes(i)) timeline.append(++version, step.atMs, compiled(randomProgram(rng), version));
      // The busy one is looked at in between and stored; the quiet one only ever sees records.
      for (let k = rng.between(0, 3); k > 0; k--) {
        lookAgain(busy, rng.between(Math.max(0, step.atMs - 500_000), step.atMs), timeline);
        busy = copyOf(busy);
      }
      if (i % 4 === 3) {
        apply(quiet, step, timeline);
        apply(busy, step, timeline);
        deepEqual(encodePerson(busy), encodePerson(quiet), `record ${i}`);
      }
    });
    const endMs = steps.at(-1)!.atMs + rng.between(0, 5) * DAY_MS;
    const midMs = steps.at(-1)!.atMs + Math.floor((endMs - steps.at(-1)!.atMs) / 2);
    const stepped = copyOf(quiet);
    lookAgain(stepped, midMs, timeline);
    lookAgain(stepped, midMs - 1, timeline);
    lookAgain(stepped, endMs, timeline);
    lookAgain(quiet, endMs, timeline);
    deepEqual(encodePerson(stepped), encodePerson(quiet));
  });
});

test("the same event again changes nothing", () => {
  forEachSeed(60, (rng) => {
    const timeline = timelineOf(rng.between(0, 1) === 0 ? shopProgram : newsProgram);
    const person = emptyPerson(timeline.current.plan);
    for (const step of randomSteps(rng, 30)) {
      apply(person, step, timeline);
      if (step.event === undefined) continue;
      const before = encodePerson(person);
      const outputs = applyEvent(person, step.event, timeline);
      deepEqual([outputs.folded, outputs.entered, outputs.left, outputs.triggers], [false, [], [], []]);
      deepEqual(encodePerson(person), before);
    }
  });
});

test("no purchase for 7 days: at the very millisecond, and not one before", () => {
  const { person, timeline, act } = visitor({
    segments: { lapsed: { when: 'count("purchase", "30d") > 0 && since("purchase") >= 7 * 86400' } },
  });
  act(MONDAY_MS, "purchase");
  equal(person.nextCheckMs, MONDAY_MS + 7 * DAY_MS);
  deepEqual(lookAgain(person, MONDAY_MS + 7 * DAY_MS - 1, timeline).entered, []);
  deepEqual(lookAgain(person, MONDAY_MS + 40 * DAY_MS, timeline), {
    folded: false,
    entered: ["lapsed"],
    left: ["lapsed"],
    triggers: [],
  });
  equal(person.nextCheckMs, Infinity);
});

test("three product views and a cart without a purchase in 30 minutes", () => {
  const { person, timeline, act } = visitor(shopProgram);
  for (let i = 0; i < 3; i++) act(MONDAY_MS + i * 1_000, "view", { item_id: `i${i}` });
  deepEqual(act(MONDAY_MS + 5_000, "add_to_cart", { item_id: "i1" }).entered, ["interested_buyer"]);
  deepEqual(lookAgain(person, MONDAY_MS + 5_000 + 120_001, timeline).entered, ["cart_waiting"]);
  deepEqual(lookAgain(person, MONDAY_MS + 30 * 60_000, timeline).left, ["interested_buyer"]);
  deepEqual(lookAgain(person, MONDAY_MS + 30 * 60_000 + 5_000, timeline).entered, ["cart_abandoner"]);
  equal(person.memberships.get("cart_abandoner"), MONDAY_MS + 30 * 60_000 + 5_000);
  deepEqual(act(MONDAY_MS + 40 * 60_000, "purchase", { value: 20 }).left.sort(), [
    "cart_abandoner",
    "cart_waiting",
    "new_visitor",
  ]);
});

test("a quiet person is looked at a bounded number of times", () => {
  for (const document of [
    shopProgram,
    newsProgram,
    {
      segments: Object.fromEntries(
        CONDITIONS.filter((text) => !/hour|carts|kinds|top|fading|last_item|mean|never/.test(text)).map((when, i) => [
          `s${i}`,
          { when },
        ]),
      ),
    },
  ]) {
    const { person, timeline, act } = visitor(document);
    for (let i = 0; i < 40; i++)
      act(MONDAY_MS + i * 20_000, TYPES[i % 4]!, {
        item_id: `i${i}`,
        value: i,
        item: { categories: ["lamps"], tags: ["sale"] },
      });
    let looks = 0;
    for (; person.nextCheckMs < MONDAY_MS + 60 * DAY_MS; looks++) lookAgain(person, person.nextCheckMs, timeline);
    equal(looks < 700, true, `${looks} looks`);
    if (document === shopProgram) equal(looks < 20, true, `${looks} looks for the shop`);
  }
});

test("two persons become one: memberships go on since the earlier of both", () => {
  const timeline = timelineOf({
    segments: {
      looks: { when: 'count("view", "1h") >= 2' },
      buyer: { when: 'since("purchase") < 60' },
      few: { when: 'count("view", "1h") < 4' },
    },
  });
  const known = emptyPerson(timeline.current.plan);
  const visitorBefore = emptyPerson(timeline.current.plan);
  for (const atMs of [0, 1_000]) applyEvent(known, eventAt(MONDAY_MS + atMs, "view"), timeline);
  for (const atMs of [500, 2_000]) applyEvent(visitorBefore, eventAt(MONDAY_MS + atMs, "view"), timeline);
  applyEvent(visitorBefore, eventAt(MONDAY_MS + 3_000, "purchase"), timeline);
  const outputs = mergePersons(known, visitorBefore, MONDAY_MS + 4_000, timeline);
  deepEqual([outputs.entered, outputs.left], [["buyer"], ["few"]]);
  deepEqual([...known.memberships].sort(), [
    ["buyer", MONDAY_MS + 3_000],
    ["looks", MONDAY_MS + 1_000],
  ]);
  deepEqual(lookAgain(known, MONDAY_MS + 63_000, timeline).left, ["buyer"]);
});

test("a new program is taken over at its own time, whoever looks when", () => {
  const timeline = timelineOf({ segments: { old: { when: "true" }, kept: { when: 'since("view") > 10' } } });
  const person = emptyPerson(timeline.current.plan);
  applyEvent(person, eventAt(MONDAY_MS, "view"), timeline);
  timeline.append(
    2,
    MONDAY_MS + 60_000,
    compiled({ segments: { kept: { when: 'since("view") > 10' }, fresh: { when: 'since("view") > 90' } } }, 2),
  );
  const outputs = lookAgain(person, MONDAY_MS + 120_000, timeline);
  deepEqual([outputs.entered, outputs.left], [["kept", "fresh"], ["old"]]);
  deepEqual(
    [...person.memberships],
    [
      ["kept", MONDAY_MS + 10_001],
      ["fresh", MONDAY_MS + 90_001],
    ],
  );
  equal(person.programVersion, 2);
});
