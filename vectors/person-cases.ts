// The cases of person.json: what is done to a person. Their outcome is written by write.ts, once, and then it is law.
import type { LoggedEvent } from "../core/event/event.ts";
import { rngFrom } from "../core/math/rng.ts";
import { EPOCH_MS, visitorEvents } from "../core/testing/events.ts";
import type { PersonVector, VectorStep } from "./run.ts";

export type PersonCase = Pick<PersonVector, "title" | "plan" | "steps" | "nowMs">;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const event = (id: string, minute: number, fields: Partial<LoggedEvent> = {}): LoggedEvent => {
  const timestamp = EPOCH_MS + Math.round(minute * MINUTE);
  return { event_id: id, user_id: "u1", event_type: "view", timestamp, received_at: timestamp, ...fields };
};
const fold = (...args: Parameters<typeof event>): VectorStep => ({ fold: event(...args) });
const lamp = { item_id: "lamp", item: { categories: ["light", "home"], tags: ["new"], price: 49.9 } };
const chair = { item_id: "chair", item: { categories: ["home"], tags: ["wood", "sale"], price: 120 } };
const seeded = (seed: number, count: number): VectorStep[] => visitorEvents(rngFrom(seed), count).map((folded) => ({ fold: folded }));
const raw = (fields: Record<string, unknown>): VectorStep => ({
  raw: { event_id: "r", user_id: "u1", event_type: "view", timestamp: "2026-01-01T00:00:00Z", ...fields }, at: EPOCH_MS + 500,
});

function shuffled(seed: number, count: number): VectorStep[] {
  const rng = rngFrom(seed);
  const events = visitorEvents(rng, count);
  const arrival = new Map(events.map((folded) => [folded, folded.timestamp + rng.between(0, HOUR)]));
  return events.sort((a, b) => arrival.get(a)! - arrival.get(b)!).map((folded) => ({ fold: folded }));
}

const at = (title: string, steps: VectorStep[], afterMs = HOUR, plan: PersonCase["plan"] = "shop"): PersonCase => ({
  title, plan, steps, nowMs: EPOCH_MS + afterMs,
});

export const personCases: readonly PersonCase[] = [
  at("nobody", []),
  at("one view", [fold("e1", 0, lamp)]),
  at("a view and a purchase", [fold("e1", 0, lamp), fold("e2", 5, { ...lamp, event_type: "purchase", value: 49.9 })]),
  at("a duplicate", [fold("e1", 0, lamp), fold("e1", 1, lamp)]),
  at("two events in one millisecond", [fold("e1", 0, lamp), fold("e2", 0, chair)]),
  at("a dislike against a view", [fold("e1", 0, lamp), fold("e2", 1, { ...chair, event_type: "dislike" })]),
  at("ratings of one, three and five stars", [1, 3, 5].map((value) => fold(`e${value}`, value, { ...lamp, event_type: "rating", value }))),
  at("interests a month old", [fold("e1", 0, lamp), fold("e2", 30 * 24 * 60, chair)], 31 * DAY),
  at("a landmark moved far, and a late event before it", [fold("e1", 0, lamp), fold("e2", 200 * 24 * 60, chair), fold("e3", 60, lamp)], 201 * DAY),
  at("sixteen clicks, exactly", Array.from({ length: 16 }, (_, i) => fold(`e${i}`, i / 4, { event_type: "click" }))),
  at("seventeen clicks: one in a pane", Array.from({ length: 17 }, (_, i) => fold(`e${i}`, i / 4, { event_type: "click" }))),
  at("rapid clicks", [0, 200, 350, 5000].map((ms, i) => fold(`e${i}`, ms / MINUTE, { event_type: "click" }))),
  at("a session by gap, another after 30 minutes", [fold("e1", 0), fold("e2", 29), fold("e3", 59)]),
  at("a late event joins two sessions", [fold("e1", 0), fold("e2", 50), fold("e3", 25)]),
  at("given sessions, and a server's event without one", [
    fold("e1", 0, { session_id: "s1" }), fold("e2", 90, { session_id: "s1" }), fold("e3", 91), fold("e4", 10, { session_id: "s2" }),
  ], 2 * HOUR),
  at("dwell and scroll, then silence", [
    fold("e1", 0, { event_type: "page_view" }), fold("e2", 1, { event_type: "dwell", value: 31.5 }), fold("e3", 2, { event_type: "scroll", value: 0.75 }),
  ], 3 * HOUR),
  at("context: the latest of each field wins", [
    fold("e1", 5, { context: { device: "mobile", country: "DE", timezone: "+02:00" } }),
    fold("e2", 1, { context: { device: "desktop", weather: "rain" } }), fold("e3", 5, { context: { device: "tablet" } }),
  ]),
  at("attributes", [
    { attributes: { age: 31, tier: "gold", nested: { list: [1, 2.5, null, true] } }, at: EPOCH_MS }, { attributes: { tier: null }, at: EPOCH_MS + 1 },
    { attributes: { age: 30 }, at: EPOCH_MS - 1 },
  ]),
  at("text of every width", [
    fold("ü日本🙂", 0, { ...lamp, item_id: "grüße-日本-🙂", session_id: "ſ" }), { attributes: { "naïve ключ": "値🙂" }, at: EPOCH_MS },
  ]),
  at("anonymous, then known: two profiles become one", [
    fold("e1", 10, lamp),
    { merge: [fold("a1", 0, { ...chair, anonymous_id: "anon" }), fold("a2", 3, { ...lamp, event_type: "click" }), { attributes: { age: 30 }, at: EPOCH_MS }] },
    fold("e2", 12, { ...chair, event_type: "add_to_cart" }),
  ]),
  at("from JSON: normalised, moved by the clocks, refused", [
    raw({ event_id: "r1", item_id: "lamp", colour: "red" }), raw({ event_id: "r2", timestamp: "2026-01-01T03:00:00+01:00", sent_at: EPOCH_MS + 2 * HOUR }),
    raw({ timestamp: "2026-01-01" }), raw({ event_type: "scroll", value: 2 }), raw({ user_id: null }), raw({ event_type: "unheard_of" }),
  ]),
  at("60 events of a visitor", seeded(60, 60), 10 * DAY),
  at("300 events of a visitor: every bound reached", seeded(300, 300), 30 * DAY),
  at("80 events out of order", shuffled(80, 80), 10 * DAY),
  at("120 events, stopped and resumed", [...seeded(120, 120).slice(0, 47), { reload: true }, ...seeded(120, 120).slice(47)], 20 * DAY),
  at("another program in between", [...seeded(7, 40).slice(0, 20), { plan: "bare" }, ...seeded(7, 40).slice(20, 30), { plan: "shop" }, ...seeded(7, 40).slice(30)], 10 * DAY),
  at("a program that keeps no windows", seeded(25, 25), 5 * DAY, "bare"),
  at("what was shown and bought, through another program and back", [
    fold("i1", 0, { event_type: "impression", item_id: "lamp" }), fold("i2", 1, { event_type: "impression", item_id: "chair" }),
    fold("p1", 2, { ...lamp, event_type: "purchase" }), fold("i3", 0.5, { event_type: "impression", item_id: "lamp" }), { reload: true },
    { merge: [fold("i4", 1, { event_type: "impression", item_id: "desk" })] }, ...seeded(9, 30), { plan: "shop" }, ...seeded(11, 9),
    { plan: "keeping" }, fold("i5", 3, { event_type: "impression", item_id: "lamp" }),
  ], 5 * DAY, "keeping"),
];
