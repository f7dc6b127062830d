// Triggers and slots, and which program a person follows.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { applyAttributes, applyEvent, decideSlot, lookAgain } from "./engine.ts";
import { decodePerson, emptyPerson, encodePerson, foldEvent, type PersonState } from "./profile/person.ts";
import { featureValue } from "./profile/reading.ts";
import type { CompiledProgram } from "./program/compiled.ts";
import { newsProgram } from "./program/news.ts";
import { shopProgram } from "./program/shop.ts";
import { compiled, eventAt, MONDAY_MS, timelineOf, visitor } from "./testing/programs.ts";

const MINUTE = 60_000;

function asked(person: PersonState | undefined, context: object | undefined, nowMs: number, program: CompiledProgram) {
  return { personKey: "u:u1", state: undefined, person, context, nowMs, program };
}

test("a trigger fires on the event that meets it: dwell over 30 s on an item", () => {
  const { act } = visitor(shopProgram);
  const fired = (value: number, more = {}) => act(MONDAY_MS, "dwell", { value, item_id: "lamp", ...more }).triggers;
  deepEqual(fired(30), []);
  deepEqual(fired(30.1), [{ name: "long_look", atMs: MONDAY_MS, push: true, itemId: "lamp" }]);
  deepEqual(fired(31).length, 1);
  deepEqual(fired(31, { traffic: "bot" }), []);
});

test("once per session, once per window", () => {
  const { act } = visitor({
    triggers: {
      session: { when: 'event.event_type == "view" || event.event_type == "click"', once_per: "session" },
      window: { when: 'event.event_type in ["view"]', once_per: "10m", webhook: "https://example.org/x" },
      always: { when: 'count("view", "1h") >= 2' },
    },
  });
  const names = (atMinutes: number, type = "view", more = {}) => act(MONDAY_MS + atMinutes * MINUTE, type, more).triggers.map(({ name }) => name);
  deepEqual(names(0), ["session", "window"]);
  deepEqual(names(1, "click"), []);
  deepEqual(names(9.99), ["always"]);
  deepEqual(names(10), ["window", "always"]);
  // 30 minutes without an event end a session; another id begins one at once.
  deepEqual(names(39.9, "click"), ["always"]);
  deepEqual(names(70, "click"), ["session"]);
  deepEqual(names(200, "click", { session_id: "b" }), ["session"]);
  deepEqual(names(201, "click", { session_id: "b" }), []);
  deepEqual(names(202, "click", { session_id: "c" }), ["session"]);
});

test("a trigger sees the person as the event left him", () => {
  const { act } = visitor({ segments: { hot: { when: 'count("view", "1h") >= 2' } }, triggers: { t: { when: 'in_segment("hot") && features.interactions == 2' } } });
  deepEqual(act(MONDAY_MS, "view").triggers, []);
  equal(act(MONDAY_MS + 1, "view").triggers.length, 1);
  deepEqual(act(MONDAY_MS + 2, "view").triggers, []);
});

test("a slot takes the first rule that holds, else its default", () => {
  const { person, timeline, act } = visitor(shopProgram);
  const decide = (slot: string, context = {}, who: typeof person | undefined = person) => decideSlot(slot, asked(who, context, MONDAY_MS + MINUTE, timeline.current));
  deepEqual(decide("theme", {}, undefined), { variant: "aurora", payload: shopProgram.slots!["theme"]!.variants["aurora"], propensity: 1, reason: "default" });
  equal(decide("nowhere"), undefined);
  for (let i = 0; i < 3; i++) act(MONDAY_MS + i, "view", { item_id: `i${i}`, item: { categories: ["audio"], tags: ["oak"] } });
  deepEqual([decide("theme")!.variant, decide("theme")!.reason], ["midnight", "rule:2"]);
  for (let i = 0; i < 3; i++) act(MONDAY_MS + 10 + i, "view", { item_id: `j${i}`, item: { categories: ["audio"], tags: ["sale"] } });
  deepEqual([decide("theme")!.variant, decide("hero")!.variant, decide("layout")!.variant], ["ember", "bargain", "compact"]);
  applyAttributes(person, { large_text: true }, MONDAY_MS + 20, timeline);
  equal(decide("type")!.variant, "large");
});

test("a request's context goes before what events said", () => {
  const program = { slots: { s: { policy: "rules", variants: { a: 1, b: 2 }, rules: [{ when: 'context.country == "NO"', variant: "a" }] } } } as const;
  const { person, timeline, act } = visitor(structuredClone(program) as never);
  act(MONDAY_MS, "view", { context: { country: "DE" } });
  const decide = (context?: object) => decideSlot("s", asked(person, context, MONDAY_MS, timeline.current));
  deepEqual(decide(), { variant: null, payload: null, propensity: 1, reason: "default" });
  deepEqual(decide({ country: "NO" }), { variant: "a", payload: 1, propensity: 1, reason: "rule:0" });
});

test("a new person takes the program in force at his first record; an import begins at the first", () => {
  const timeline = timelineOf(newsProgram);
  timeline.append(2, MONDAY_MS, compiled(shopProgram, 2));
  const now = emptyPerson(timeline.current.plan);
  applyEvent(now, eventAt(MONDAY_MS, "view"), timeline);
  equal(now.programVersion, 2);
  const imported = emptyPerson(timeline.current.plan);
  applyEvent(imported, eventAt(MONDAY_MS - 1_000, "view"), timeline);
  deepEqual([imported.programVersion, imported.memberships.has("new_reader")], [1, true]);
  lookAgain(imported, MONDAY_MS, timeline);
  deepEqual([imported.programVersion, imported.memberships.has("new_reader"), imported.memberships.has("new_visitor")], [2, false, true]);
});

test("another description of a feature changes nothing of it; bytes of earlier releases, which named it with its description, are read", () => {
  const described = (description: string) => ({
    features: { views: { kind: "count", event: "view", description }, seen: { kind: "distinct", event: "view", window: "7d" } },
  }) as const;
  const { person, timeline, act } = visitor(described("Pages looked at"));
  for (let i = 0; i < 3; i++) act(MONDAY_MS + i, "view", { item_id: `i${i}` });
  const valuesOf = (state: PersonState) => [0, 1].map((i) => featureValue(state, i, state.asOf));
  const { plan } = timeline.current;
  const earlierPlan = { ...plan, features: plan.features.map((feature) => ({ ...feature, key: feature.earlierKey })) };
  const earlier = emptyPerson(earlierPlan);
  for (let i = 0; i < 3; i++) foldEvent(earlier, eventAt(MONDAY_MS + i, "view", { event_id: `e${i}`, item_id: `i${i}` }), earlierPlan);
  deepEqual(valuesOf(decodePerson(encodePerson(earlier), plan)), [3, 3]);

  timeline.append(2, MONDAY_MS + MINUTE, compiled(described("Products looked at"), 2));
  act(MONDAY_MS + 2 * MINUTE, "view", { item_id: "i0" });
  deepEqual([person.programVersion, ...valuesOf(person)], [2, 4, 3]);
});

test("an event ahead of the clock does not take a program over early", () => {
  const timeline = timelineOf({ segments: { a: { when: "true" } } });
  const person = emptyPerson(timeline.current.plan);
  timeline.append(2, MONDAY_MS + MINUTE, compiled({ segments: { b: { when: "true" } } }, 2));
  applyEvent(person, eventAt(MONDAY_MS, "view", { timestamp: MONDAY_MS + 4 * MINUTE }), timeline);
  deepEqual([...person.memberships.keys()], ["a"]);
  applyEvent(person, eventAt(MONDAY_MS + 2 * MINUTE, "view"), timeline);
  deepEqual([...person.memberships], [["b", MONDAY_MS + 4 * MINUTE]]);
});
