// What rules read, against a naive recount of the raw events, and the promises about when it changes.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { decayFactor } from "../math/exp2.ts";
import { EPOCH_MS, visitorEvents } from "../testing/events.ts";
import { closeTo } from "../testing/numbers.ts";
import { barePlan, shopLikePlan as plan } from "../testing/plan.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { addInterests } from "./interests.ts";
import { isInteraction } from "./layout.ts";
import { nextHourMs, localTime } from "./local-time.ts";
import { emptyPerson, foldEvent, type PersonState } from "./person.ts";
import {
  BUILT_IN_FEATURES,
  builtinNextChangeMs,
  builtinValue,
  featureNextChangeMs,
  featureValue,
  followed,
  interestShare,
  interestShares,
  INTERESTS_ASKED_MAX,
  lastTimeMs,
  strongestInterests,
  windowNextChangeMs,
  windowValue,
} from "./reading.ts";
import { profileView } from "./view.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function fold(events: readonly LoggedEvent[]): PersonState {
  const state = emptyPerson(plan);
  for (const event of events) foldEvent(state, event, plan);
  return state;
}

const view = (minute: number, fields: Partial<LoggedEvent> = {}): LoggedEvent => {
  const timestamp = EPOCH_MS + Math.round(minute * MINUTE);
  return {
    event_id: `v${minute}${fields.event_type ?? ""}`,
    user_id: "u",
    event_type: "view",
    timestamp,
    received_at: timestamp,
    ...fields,
  };
};

const ratio = (stars: number | undefined): number =>
  stars === undefined ? 1 : Math.max(-1, Math.min(1, (stars - 3) / 2));
const weightOf = (event: LoggedEvent): number =>
  (plan.weights.get(event.event_type) ?? 0) * (event.event_type === "rating" ? ratio(event.value) : 1);

test("the strongest interests are the first of all, categories before tags, then by name", () => {
  forEachSeed(300, (rng) => {
    const state = emptyPerson(plan);
    for (const interests of [state.categories, state.tags])
      for (let i = rng.between(0, 30); i > 0; i--) addInterests(interests, [`n${rng.between(0, 60)}`], rng.between(-1, 4));
    const all = interestShares(state).sort(([, a], [, b]) => b - a);
    deepEqual(strongestInterests(state), all.slice(0, INTERESTS_ASKED_MAX));
  });
});

test("numbers equal a recount of the raw events", () => {
  forEachSeed(200, (rng) => {
    // Few enough that every window is exact, and every bounded list whole.
    const events = visitorEvents(rng, rng.between(0, 16));
    const state = fold(events);
    const nowMs = Math.max(EPOCH_MS, state.asOf) + rng.between(0, 2 * HOUR);
    plan.windows.forEach(({ measure, types, windowMs }, i) => {
      const inside = events.filter(
        ({ event_type, timestamp }) =>
          (types === null ? isInteraction(event_type) : types.includes(event_type)) && timestamp > nowMs - windowMs,
      );
      closeTo(
        { v: windowValue(state, i, nowMs) },
        { v: measure === "count" ? inside.length : inside.reduce((sum, { value }) => sum + (value ?? 0), 0) },
      );
    });
    const interactions = events.filter(({ event_type }) => isInteraction(event_type));
    const within = (ms: number) => interactions.filter(({ timestamp }) => timestamp > nowMs - ms).length;
    const engagement = events.reduce(
      (sum, event) => sum + weightOf(event) * decayFactor(nowMs - event.timestamp, plan.interests.halfLifeMs),
      0,
    );
    const dwells = events.filter(({ event_type }) => event_type === "dwell");
    const depths = events.filter(({ event_type }) => event_type === "scroll").map(({ value }) => value!);
    closeTo(Object.fromEntries(BUILT_IN_FEATURES.map((name) => [name, builtinValue(state, name, nowMs)])), {
      recency_s:
        interactions.length === 0
          ? Infinity
          : Math.floor((nowMs - Math.max(...interactions.map(({ timestamp }) => timestamp))) / 1000),
      frequency: within(10 * MINUTE),
      velocity: within(HOUR) === 0 ? 0 : within(5 * MINUTE) / 5 / (within(HOUR) / 60),
      engagement,
      diversity: entropy(interactions.flatMap(({ item_id, item }) => (item_id === undefined ? [] : item!.categories))),
      dwell_s: dwells.reduce((sum, { value }) => sum + value!, 0),
      scroll_depth: depths.length === 0 ? 0 : depths.reduce((sum, depth) => sum + depth, 0) / depths.length,
      interactions: interactions.length,
    });
    const views = events.filter(({ event_type }) => event_type === "view");
    const priced = events
      .filter(({ event_type }) => event_type === "view" || event_type === "add_to_cart")
      .map(({ item }) => item!.price!);
    const recentViews = (ms: number) => views.filter(({ timestamp }) => timestamp > nowMs - ms);
    const features = Object.fromEntries(plan.features.map(({ name }, i) => [name, featureValue(state, i, nowMs)]));
    closeTo(
      { ...features, last_category: 0 },
      {
        views: views.length,
        spent_30d: events.reduce((sum, { event_type, value }) => sum + (event_type === "purchase" ? value! : 0), 0),
        mean_price: priced.length === 0 ? 0 : priced.reduce((sum, price) => sum + price, 0) / priced.length,
        items_7d: new Set(recentViews(7 * 24 * HOUR).map(({ item_id }) => item_id)).size,
        heat: interactions.reduce((sum, { timestamp }) => sum + decayFactor(nowMs - timestamp, HOUR), 0),
        max_price_1d: Math.max(0, ...recentViews(24 * HOUR).map(({ item }) => item!.price!)),
        last_category: 0,
      },
    );
    const totals = new Map<string, number>();
    for (const event of events) {
      for (const category of event.item?.categories ?? []) {
        totals.set(
          category,
          (totals.get(category) ?? 0) +
            weightOf(event) * decayFactor(nowMs - event.timestamp, plan.interests.halfLifeMs),
        );
      }
    }
    const positive = [...totals.values()].reduce((sum, value) => sum + Math.max(0, value), 0);
    for (const [category, total] of totals) {
      if (Math.abs(total) > 1e-9)
        closeTo({ v: interestShare(state, category) }, { v: Math.max(0, total) / (positive || 1) });
    }
    deepEqual(
      state.recent.map(({ timestamp }) => timestamp),
      interactions
        .filter(({ item_id }) => item_id !== undefined)
        .map(({ timestamp }) => timestamp)
        .sort((a, b) => b - a)
        .slice(0, 50),
    );
  });
});

function entropy(labels: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size < 2) return 0;
  const shares = [...counts.values()].map((count) => count / labels.length);
  return shares.reduce((sum, share) => sum - share * Math.log2(share), 0) / Math.log2(counts.size);
}

test("values stay what they are until the next change that was announced", () => {
  forEachSeed(60, (rng) => {
    const state = fold(visitorEvents(rng, rng.between(1, 80)));
    const readings: [(ms: number) => number | string, (ms: number) => number][] = [
      ...plan.windows.map((_, i): [(ms: number) => number, (ms: number) => number] => [
        (ms) => windowValue(state, i, ms),
        (ms) => windowNextChangeMs(state, i, ms),
      ]),
      ...plan.features.flatMap(({ kind }, i): [(ms: number) => number | string, (ms: number) => number][] =>
        kind === "decayed" ? [] : [[(ms) => featureValue(state, i, ms), (ms) => featureNextChangeMs(state, i, ms)]],
      ),
      ...BUILT_IN_FEATURES.flatMap((name): [(ms: number) => number, (ms: number) => number][] =>
        name === "engagement"
          ? []
          : [[(ms) => builtinValue(state, name, ms), (ms) => builtinNextChangeMs(state, name, ms)]],
      ),
    ];
    for (const [valueAt, nextAt] of readings) {
      let nowMs = state.asOf;
      for (let step = 0; step < 20; step++) {
        const next = nextAt(nowMs);
        ok(next > nowMs);
        const last = next === Infinity ? nowMs + 400 * 24 * HOUR : next - 1;
        equal(valueAt(last), valueAt(nowMs));
        if (next === Infinity) break;
        nowMs = next;
      }
    }
  });
});

test("nobody: every reading has a value", () => {
  const state = emptyPerson(plan);
  deepEqual(
    BUILT_IN_FEATURES.map((name) => builtinValue(state, name, 0)),
    [Infinity, 0, 0, 0, 0, 0, 0, 0],
  );
  deepEqual(
    BUILT_IN_FEATURES.map((name) => builtinNextChangeMs(state, name, 0)),
    Array(8).fill(Infinity),
  );
  deepEqual(
    plan.features.map((_, i) => featureValue(state, i, 0)),
    [0, 0, 0, 0, 0, 0, 0],
  );
  deepEqual([lastTimeMs(state, "view"), interestShare(state, "x"), followed(state, 0)], [-Infinity, 0, false]);
  const { features, session, updated_at, user_id } = profileView(state, plan, 0);
  deepEqual([features["recency_s"], session, updated_at, user_id], [null, null, null, null]);
});

test("followed: the second after the first within the window, in any order of arrival", () => {
  const cart = (minute: number) => view(minute, { event_type: "add_to_cart" });
  equal(followed(fold([view(0), cart(30)]), 0), true);
  equal(followed(fold([cart(30), view(0)]), 0), true);
  equal(followed(fold([view(0), cart(30.001)]), 0), false);
  equal(followed(fold([view(5), cart(5)]), 0), false);
  equal(followed(fold([cart(0), view(1)]), 0), false);
});

test("steady interaction has velocity 1, a burst more, silence 0; whoever has just come is a burst", () => {
  const steady = fold(Array.from({ length: 120 }, (_, i) => view(i)));
  ok(Math.abs(builtinValue(steady, "velocity", steady.asOf) - 1) < 0.05);
  equal(builtinValue(fold([view(0)]), "velocity", EPOCH_MS), 12);
  equal(builtinValue(steady, "velocity", steady.asOf + HOUR + MINUTE), 0);
  const burst = fold([
    ...Array.from({ length: 12 }, (_, i) => view(i * 5)),
    ...Array.from({ length: 10 }, (_, i) => view(56 + i / 10)),
  ]);
  ok(builtinValue(burst, "velocity", burst.asOf) > 4);
});

test("a dislike lowers, a like lifts, shares stay as time passes; equal ones are in the order of names", () => {
  const item = (category: string) => ({ item_id: category, item: { categories: [category], tags: [] } });
  const state = fold([
    view(0, item("b")),
    view(1, { ...item("a"), event_type: "like" }),
    view(2, { ...item("c"), event_type: "dislike" }),
  ]);
  deepEqual(
    interestShares(state).map(([name]) => name),
    ["a", "b"],
  );
  equal(interestShare(state, "c"), 0);
  deepEqual(
    profileView(state, plan, state.asOf).interests,
    profileView(state, plan, state.asOf + 900 * HOUR).interests,
  );
});

test("the visitor's hour, where his zone is an offset", () => {
  const noon = EPOCH_MS + 12 * HOUR; // A Thursday.
  deepEqual(localTime("+05:30", noon), { hour: 17, weekday: 4 });
  deepEqual(localTime("Etc/GMT-2", noon), { hour: 14, weekday: 4 });
  deepEqual(localTime("UTC-13", noon), { hour: 23, weekday: 3 });
  deepEqual(localTime("Europe/Berlin", noon), { hour: 12, weekday: 4 });
  equal(nextHourMs("+05:30", noon), noon + 30 * MINUTE);
});

test("a view leaves the state as it is, also under another program", () => {
  const state = fold([view(0)]);
  const features = profileView(state, barePlan, EPOCH_MS).features;
  deepEqual(Object.keys(features), [...BUILT_IN_FEATURES]);
  equal(state.layout.plan, plan);
});
