import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import { EPOCH_MS } from "../testing/events.ts";
import { barePlan } from "../testing/plan.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { emptyPerson, foldEvent, mergePerson, type PersonState } from "./person.ts";
import { sessionNextChangeMs, sessionView } from "./reading.ts";
import { SESSIONS_MAX, type Session } from "./sessions.ts";

const MINUTE = 60_000;

function at(minute: number, fields: Partial<LoggedEvent> = {}): LoggedEvent {
  const timestamp = EPOCH_MS + minute * MINUTE;
  return {
    event_id: `${minute} ${JSON.stringify(fields)}`,
    user_id: "u",
    event_type: "view",
    timestamp,
    received_at: timestamp,
    ...fields,
  };
}

function fold(events: readonly LoggedEvent[]): PersonState {
  const state = emptyPerson(barePlan);
  for (const event of events) foldEvent(state, event, barePlan);
  return state;
}

const spans = (sessions: readonly Session[]): unknown[] =>
  sessions.map(({ id, startMs, endMs, events }) => [
    id,
    (startMs - EPOCH_MS) / MINUTE,
    (endMs - EPOCH_MS) / MINUTE,
    events,
  ]);

test("a gap of exactly 30 minutes starts a session, a millisecond less does not", () => {
  deepEqual(spans(fold([at(0), at(30)]).sessions), [
    ["", 30, 30, 1],
    ["", 0, 0, 1],
  ]);
  deepEqual(spans(fold([at(0), at(30 - 1 / MINUTE)]).sessions).length, 1);
});

test("a late event joins the sessions it lies between", () => {
  deepEqual(spans(fold([at(0), at(50), at(200), at(25)]).sessions), [
    ["", 200, 200, 1],
    ["", 0, 50, 3],
  ]);
});

test("a given id holds its events together, whatever the gap; events without one in reach count with it", () => {
  const state = fold([at(0, { session_id: "s" }), at(100, { session_id: "s" }), at(110), at(20)]);
  deepEqual(spans(state.sessions), [
    ["", 110, 110, 1],
    ["s", 0, 100, 2],
    ["", 20, 20, 1],
  ]);
  const { id, events, duration_s } = sessionView(state, EPOCH_MS + 111 * MINUTE);
  deepEqual([id, events, duration_s], ["s", 4, 110 * 60]);
});

test("sessions are the connected components of the times, in any order and split", () => {
  forEachSeed(500, (rng) => {
    const minutes = Array.from({ length: rng.between(1, 30) }, () => rng.between(0, 200));
    const events = minutes.map((minute, i) => at(minute, { event_id: `e${i}` }));
    const expected: [string, number, number, number][] = [];
    for (const minute of [...minutes].sort((a, b) => a - b)) {
      const last = expected[0];
      if (last !== undefined && minute - last[2] < 30) [last[2], last[3]] = [minute, last[3] + 1];
      else expected.unshift(["", minute, minute, 1]);
    }
    deepEqual(spans(fold(events).sessions), expected);
    const cut = rng.between(0, events.length);
    const merged = fold(events.slice(0, cut));
    mergePerson(merged, fold(events.slice(cut)), barePlan);
    deepEqual(spans(merged.sessions), expected);
  });
});

test("what a session says: counts, clicks, dwell, depth, bounce, and when it is over", () => {
  const events = [
    at(0, { event_type: "page_view" }),
    at(1, { event_type: "scroll", value: 0.4 }),
    at(2, { event_type: "scroll", value: 0.2 }),
    at(3, { event_type: "dwell", value: 12 }),
  ];
  const endMs = EPOCH_MS + 3 * MINUTE;
  const looked = sessionView(fold(events), endMs);
  deepEqual(
    [looked.page_views, looked.scroll_depth, looked.dwell_s, looked.active, looked.bounce, looked.is_new],
    [1, 0.4, 12, true, false, true],
  );
  const over = sessionNextChangeMs(fold(events), endMs);
  equal(over, endMs + SESSION_GAP_MS);
  equal(sessionView(fold(events), over - 1).bounce, false);
  equal(sessionView(fold(events), over).bounce, true);
  equal(sessionNextChangeMs(fold(events), over), Infinity);
  const clicks = [0, 0.005, 0.01, 1].map((minute) => at(minute, { event_type: "click" }));
  const clicked = sessionView(fold(clicks), endMs);
  deepEqual([clicked.clicks, clicked.click_interval_s, clicked.rapid_clicks, clicked.bounce], [4, 20, 2, false]);
});

test("the list is bounded: the oldest goes, and is remembered as a number", () => {
  const state = fold(Array.from({ length: SESSIONS_MAX + 3 }, (_, i) => at(i * 60)));
  deepEqual([state.sessions.length, state.sessionsForgotten], [SESSIONS_MAX, 3]);
  foldEvent(state, at(0.5), barePlan);
  deepEqual([state.sessions.length, state.sessionsForgotten], [SESSIONS_MAX, 3]);
  equal(sessionView(state, state.asOf).is_new, false);
});
