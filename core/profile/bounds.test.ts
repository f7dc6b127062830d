// Every list of a person has a limit: one, full, full + 1, and that order does not matter where the limit is by time.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { closeTo, numbersOf } from "../testing/numbers.ts";
import { EPOCH_MS } from "../testing/events.ts";
import { keepingPlan, shopLikePlan as plan } from "../testing/plan.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { DISTINCT_MAX } from "./features.ts";
import { INTERESTS_MAX } from "./interests.ts";
import { BOUGHT_MAX, SHOWN_MAX } from "./item-times.ts";
import {
  adaptPerson,
  decodePerson,
  emptyPerson,
  encodePerson,
  foldEvent,
  mergePerson,
  RECENT_MAX,
  type PersonState,
} from "./person.ts";
import { featureValue } from "./reading.ts";
import { categoriesOf } from "./recent.ts";
import { shownTooOften } from "./shows.ts";
import { ACTIVE_DAYS_MAX, ANONYMOUS_IDS_MAX, RECENT_IDS_MAX, TYPES_MAX } from "./state.ts";

const DAY = 86_400_000;

function fold(events: readonly LoggedEvent[]): PersonState {
  const state = emptyPerson(plan);
  for (const event of events) foldEvent(state, event, plan);
  return state;
}

const event = (i: number, timestamp: number, fields: Partial<LoggedEvent> = {}): LoggedEvent => ({
  event_id: `e${i}`,
  user_id: "u",
  event_type: "view",
  timestamp,
  received_at: timestamp,
  item_id: `item-${i}`,
  item: { categories: [`c${i % 9}`], tags: [], price: 1 },
  ...fields,
});
const many = (count: number, fields: (i: number) => Partial<LoggedEvent>, stepMs = 1000): LoggedEvent[] =>
  Array.from({ length: count }, (_, i) => event(i, EPOCH_MS + i * stepMs, fields(i)));
const items = plan.features.findIndex(({ name }) => name === "items_7d");

test("full, and full + 1", () => {
  const lengths: [number, (count: number) => number][] = [
    [RECENT_MAX, (count) => fold(many(count, () => ({}))).recent.length],
    [DISTINCT_MAX, (count) => featureValue(fold(many(count, () => ({}))), items, EPOCH_MS) as number],
    [RECENT_IDS_MAX, (count) => fold(many(count, () => ({}))).recentIds.length / 2],
    [ACTIVE_DAYS_MAX, (count) => fold(many(count, () => ({}), DAY)).days.length],
    [ANONYMOUS_IDS_MAX, (count) => fold(many(count, (i) => ({ anonymous_id: `a${i}` }))).anonymousIds.length],
    [TYPES_MAX, (count) => fold(many(count, (i) => ({ event_type: `t${i}` }))).types.length],
    [
      INTERESTS_MAX,
      (count) => fold(many(count, (i) => ({ item: { categories: [`c${i}`], tags: [] } }))).categories.names.length,
    ],
  ];
  for (const [max, lengthOf] of lengths)
    deepEqual([lengthOf(max - 1), lengthOf(max), lengthOf(max + 1)], [max - 1, max, max]);
});

test("lists by time keep the newest, in any order of arrival", () => {
  forEachSeed(30, (rng) => {
    const events = many(200, () => ({}), rng.between(0, 1) === 0 ? 1000 : DAY / 3);
    const inOrder = fold(events);
    const shuffled = fold(rng.shuffle(events));
    deepEqual(shuffled.recent, inOrder.recent);
    deepEqual(categoriesOf(shuffled), categoriesOf(inOrder));
    deepEqual([shuffled.days, shuffled.dayCounts], [inOrder.days, inOrder.dayCounts]);
    equal(shuffled.days.at(-1), Math.floor(events.at(-1)!.timestamp / DAY));
    const distinct = (state: PersonState) => {
      const numbers = state.features[items]!.distinct!;
      const values = Array.from({ length: numbers.length / 3 }, (_, i) => numbers.slice(3 * i, 3 * i + 3).join(" "));
      return values.sort();
    };
    deepEqual(distinct(shuffled), distinct(inOrder));
  });
});

test("nobody is known for longer by saying of an event, from a public address, that it was long ago", () => {
  const hour = 3_600_000;
  const cameMs = EPOCH_MS + 20 * DAY;
  const firstOf = (lateMs: number, source?: string): number => {
    const late = event(0, cameMs - lateMs, { received_at: cameMs, ...(source !== undefined && { source }) });
    const live = event(1, cameMs + 1_000, source === undefined ? {} : { source });
    const [first, other] = [fold([late, live]), fold([live, late])].map((state) => state.firstInteractionMs);
    equal(first, other);
    return first!;
  };
  equal(firstOf(20 * DAY, "farm"), cameMs);
  equal(firstOf(hour + 1, "farm"), cameMs);
  equal(firstOf(hour, "farm"), cameMs - hour); // A browser's queue.
  equal(firstOf(20 * DAY), EPOCH_MS); // Brought in by the site itself.
});

test("what was shown and bought: the newest, in any order, only where the plan keeps it", () => {
  const shows = (count: number) => many(count, () => ({ event_type: "impression" }));
  const keep = (events: LoggedEvent[]) => {
    const state = emptyPerson(keepingPlan);
    for (const one of events) foldEvent(state, one, keepingPlan);
    return state;
  };
  deepEqual([SHOWN_MAX - 1, SHOWN_MAX, SHOWN_MAX + 1].map((n) => keep(shows(n)).shown.length), [SHOWN_MAX - 1, SHOWN_MAX, SHOWN_MAX]);
  equal(keep(many(BOUGHT_MAX + 1, () => ({ event_type: "purchase" }))).bought.length, BOUGHT_MAX);
  forEachSeed(10, (rng) => {
    const events = shows(SHOWN_MAX + 50);
    deepEqual(keep(rng.shuffle(events)).shown, keep(events).shown);
  });
  const plain = fold([...shows(3), ...many(3, () => ({ event_type: "purchase" }))]);
  deepEqual([plain.shown, plain.bought], [[], []]);
  const state = keep(shows(3));
  adaptPerson(state, plan);
  deepEqual(state.shown, []);
});

test("shown too often: within the window, and not opened since", () => {
  const minute = (i: number, fields: Partial<LoggedEvent>) => event(i, EPOCH_MS + i * 60_000, fields);
  const state = emptyPerson(keepingPlan);
  const shown = (i: number, item_id: string) => minute(i, { event_type: "impression", item_id });
  const opened = (i: number, item_id: string) => minute(i, { event_type: "click", item_id });
  for (const one of [shown(0, "a"), shown(1, "a"), shown(2, "a"), shown(3, "b"), opened(4, "b"), shown(5, "b"), shown(6, "b")]) {
    foldEvent(state, one, keepingPlan);
  }
  const tired = (shows: number, windowMs: number, atMinute: number) =>
    Object.fromEntries(shownTooOften(state, { shows, windowMs, nowMs: EPOCH_MS + atMinute * 60_000 }));
  deepEqual(tired(2, DAY, 7), { a: 3, b: 2 });
  deepEqual(tired(3, DAY, 7), { a: 3 });
  deepEqual(tired(1, 5 * 60_000 + 1, 7), { a: 1, b: 2 });
  deepEqual(tired(1, 5 * 60_000, 7), { b: 2 }, "a show leaves the window at its very end");
});

test("the weakest interest leaves for a new one", () => {
  const strong = many(3 * INTERESTS_MAX, (i) => ({ item: { categories: [`c${i % INTERESTS_MAX}`], tags: [] } }));
  const state = fold([...strong.slice(1), event(999, EPOCH_MS + 900_000, { item: { categories: ["new"], tags: [] } })]);
  equal(state.categories.names.includes("new"), true);
  equal(state.categories.names.includes("c0"), false, "it had one view less");
});

test("an id is known for RECENT_IDS_MAX events, also through bytes and a merge", () => {
  const events = many(RECENT_IDS_MAX + 10, () => ({}));
  const state = decodePerson(encodePerson(fold(events)), plan);
  equal(foldEvent(state, events[10]!, plan), "duplicate");
  equal(foldEvent(state, events[9]!, plan), "folded", "older ids are the host's to know");
  const merged = fold([event(5000, EPOCH_MS)]);
  mergePerson(merged, fold(events.slice(0, 20)), plan);
  for (const known of [event(5000, EPOCH_MS), events[0]!, events[19]!])
    equal(foldEvent(merged, known, plan), "duplicate");
});

test("persons whose landmarks lie far apart merge to the same numbers, either way round", () => {
  const old = many(20, () => ({ event_type: "like" }));
  const young = many(20, () => ({}), DAY).map((one, i) => ({
    ...one,
    event_id: `y${i}`,
    timestamp: one.timestamp + 100 * DAY,
  }));
  const whole = fold([...old, ...young]);
  for (const [mine, theirs] of [
    [old, young],
    [young, old],
  ] as const) {
    const merged = fold(mine);
    mergePerson(merged, fold(theirs), plan);
    equal(merged.engagement.landmark, whole.engagement.landmark);
    closeTo(numbersOf(merged, whole.asOf), numbersOf(whole, whole.asOf));
    const weightsOf = ({ names, scaled }: PersonState["categories"]) =>
      Object.fromEntries(names.map((name, i) => [name, scaled[i]!]));
    closeTo(weightsOf(merged.categories), weightsOf(whole.categories));
  }
});
