// The cases of engine.json: programs and records. Their outcome is written by write.ts, once, and then it is law.
import type { LoggedEvent } from "../../core/event/event.ts";
import { rngFrom } from "../../core/math/rng.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { EPOCH_MS, visitorEvents } from "../../core/testing/events.ts";
import type { EngineStep, EngineVector } from "./run.ts";

export type EngineCase = Pick<EngineVector, "title" | "steps">;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Documents of the vectors' own: the shipped programs may change. */
const shop: ProgramDocument = {
  events: {
    view: { weight: 1 },
    click: { weight: 1 },
    add_to_cart: { weight: 5 },
    purchase: { weight: 10 },
    dwell: { weight: 0.5 },
    dismiss: { weight: -2 },
  },
  interests: { by: ["categories", "tags"], half_life: "7d" },
  features: {
    sale_looks: { kind: "count", event: ["view", "click"], window: "1d", where: '"sale" in event.item.tags' },
    spent: { kind: "sum", event: "purchase" },
    warmth: { kind: "decayed", event: "view", half_life: "1h" },
  },
  segments: {
    adult_fan: { when: 'age > 30 && interest("light") > 0.3' },
    buyer: { when: 'since("purchase") < 30 * 86400' },
    hot: { when: 'count("view", "30m") >= 3' },
    interested: {
      when: 'count("view", "30m") >= 3 && count("add_to_cart", "30m") >= 1 && count("purchase", "30m") == 0',
    },
    lapsed: { when: 'features.spent > 0 && since("purchase") >= 7 * 86400' },
    warm: { when: "features.warmth > 1.5" },
    engaged: { when: "features.engagement >= 8" },
    bargain: { when: 'features.sale_looks >= 2 && !in_segment("buyer")' },
    bounced: { when: "session.bounce" },
    quick: { when: 'followed("view", "add_to_cart", "1m")' },
    phone: { when: 'context.device == "mobile"' },
  },
  triggers: {
    long_look: { when: 'event.event_type == "dwell" && event.value > 30', push: true },
    first_sale: {
      when: '"sale" in event.item.tags && in_segment("bargain")',
      once_per: "session",
      webhook: "https://example.org/hook",
    },
    purchase: { when: 'event.event_type == "purchase"', once_per: "1h" },
  },
  slots: {
    hero: {
      policy: "rules",
      variants: { welcome: { text: "hi" }, sale: 1, buyer: null },
      rules: [
        { when: 'in_segment("buyer")', variant: "buyer" },
        { when: 'in_segment("bargain") || context.country == "NO"', variant: "sale" },
      ],
      default: "welcome",
    },
  },
};
const later: ProgramDocument = {
  ...shop,
  segments: {
    hot: shop.segments!["hot"]!,
    steady: { when: 'since("view") > 600' },
    often: { when: 'count("view", "3h") >= 2' },
  },
  triggers: {},
  slots: {},
};

let events = 0;
const act = (atMs: number, eventType: string, more: Partial<LoggedEvent> = {}): EngineStep => ({
  event: {
    event_id: `e${++events}`,
    user_id: "u1",
    event_type: eventType,
    timestamp: EPOCH_MS + atMs,
    received_at: EPOCH_MS + atMs,
    ...more,
  },
});
const begin: EngineStep = { program: shop, at: 0 };
const lamp = { item_id: "lamp", item: { categories: ["light"], tags: ["sale"], price: 49.9 } };
const look = (atMs: number): EngineStep => ({ look: EPOCH_MS + atMs });
const seeded = (seed: number, count: number): EngineStep[] =>
  visitorEvents(rngFrom(seed), count).map((event) => ({ event }));

export const engineCases: readonly EngineCase[] = [
  { title: "nobody", steps: [begin, look(DAY), { decide: "hero" }, { decide: "nowhere" }] },
  {
    title: "three views, and the window closes on time",
    steps: [
      begin,
      act(0, "view", lamp),
      act(1_000, "view", lamp),
      act(2_500, "view", lamp),
      look(30 * MINUTE - 1),
      look(30 * MINUTE),
    ],
  },
  {
    title: "cart, purchase, and lapsed after seven days",
    steps: [
      begin,
      act(0, "view", lamp),
      act(SECOND, "view"),
      act(2 * SECOND, "view"),
      act(3 * SECOND, "add_to_cart", lamp),
      act(9 * MINUTE, "purchase", { ...lamp, value: 49.9 }),
      { decide: "hero" },
      look(8 * DAY),
      { decide: "hero" },
      look(40 * DAY),
    ],
  },
  {
    title: "triggers: each time, once a session, once an hour",
    steps: [
      begin,
      act(0, "dwell", { ...lamp, value: 31 }),
      act(1_000, "dwell", { ...lamp, value: 30 }),
      act(2_000, "view", lamp),
      act(3_000, "view", lamp),
      act(4_000, "click", lamp),
      act(5_000, "purchase", { value: 3 }),
      act(50 * MINUTE, "purchase", { value: 3 }),
      act(70 * MINUTE, "purchase", { value: 3 }),
      act(DAY, "view", lamp),
      act(DAY + 1, "view", lamp),
    ],
  },
  {
    title: "attributes and interests",
    steps: [
      begin,
      act(0, "view", lamp),
      { attributes: { age: 31 }, at: EPOCH_MS + SECOND },
      { attributes: { age: 30 }, at: EPOCH_MS + 2 * SECOND },
      { attributes: { age: null }, at: EPOCH_MS + 3 * SECOND },
    ],
  },
  {
    title: "decay crosses a threshold in the millisecond",
    steps: [begin, act(0, "view"), act(10, "view"), look(30 * MINUTE), look(2 * 60 * MINUTE)],
  },
  {
    title: "late, ahead of the clock, twice, and a bot",
    steps: [
      begin,
      act(10 * MINUTE, "view"),
      {
        event: {
          event_id: "late",
          user_id: "u1",
          event_type: "view",
          timestamp: EPOCH_MS,
          received_at: EPOCH_MS + 11 * MINUTE,
        },
      },
      {
        event: {
          event_id: "ahead",
          user_id: "u1",
          event_type: "view",
          timestamp: EPOCH_MS + 15 * MINUTE,
          received_at: EPOCH_MS + 12 * MINUTE,
        },
      },
      {
        event: {
          event_id: "ahead",
          user_id: "u1",
          event_type: "view",
          timestamp: EPOCH_MS + 15 * MINUTE,
          received_at: EPOCH_MS + 13 * MINUTE,
        },
      },
      act(16 * MINUTE, "view", { traffic: "bot" }),
      look(DAY),
    ],
  },
  {
    title: "a new program in between",
    steps: [
      begin,
      act(0, "view"),
      act(1, "view"),
      act(2, "view"),
      { program: later, at: EPOCH_MS + 5 * MINUTE },
      look(20 * MINUTE),
      act(25 * MINUTE, "view"),
      look(DAY),
    ],
  },
  {
    title: "a program with faults changes nothing",
    steps: [
      begin,
      act(0, "view"),
      {
        program: { segments: { a: { when: "1 +" }, b: { when: 'cout("view", "1h") > 1' } }, experiments: {} },
        at: EPOCH_MS + 1,
      },
      act(1, "view"),
    ],
  },
  {
    title: "two visitors become one",
    steps: [
      begin,
      act(0, "view", lamp),
      act(1_000, "view", lamp),
      {
        merge: [act(500, "view", { ...lamp, context: { device: "mobile" } }), act(3_000, "add_to_cart", lamp)],
        at: EPOCH_MS + 4_000,
      },
      look(DAY),
    ],
  },
  {
    title: "slots by segment and by the request's context",
    steps: [
      begin,
      act(0, "page_view", { context: { country: "DE" } }),
      { decide: "hero" },
      { decide: "hero", context: { country: "NO" } },
    ],
  },
  {
    title: "100 events of a visitor, looked at on the way",
    steps: [begin, ...seeded(11, 60), look(20 * DAY), ...seeded(12, 40), look(90 * DAY)],
  },
  {
    title: "100 events of a visitor, looked at once",
    steps: [begin, ...seeded(11, 60), ...seeded(12, 40), look(90 * DAY)],
  },
];
