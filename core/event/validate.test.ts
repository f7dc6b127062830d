import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { BUILT_IN_EVENT_TYPES, type AttuneEvent } from "./event.ts";
import { REJECTION_CODES, type RejectionCode } from "./rejection.ts";
import { normaliseEvent, type ValidateOptions } from "./validate.ts";

const NOW = 1_767_225_600_000;
const DAY = 86_400_000;
const options: ValidateOptions = {
  receivedAtMs: NOW,
  eventTypes: new Set([...BUILT_IN_EVENT_TYPES, "subscribe"]),
  newEventId: () => "given-id",
};
const base = { event_id: "e1", user_id: "u1", event_type: "view", timestamp: NOW };

function accepted(raw: unknown, more: Partial<ValidateOptions> = {}): AttuneEvent {
  const result = normaliseEvent(raw, { ...options, ...more });
  ok("event" in result, JSON.stringify(result));
  return result.event;
}

function refused(raw: unknown, more: Partial<ValidateOptions> = {}): [RejectionCode, string] {
  const result = normaliseEvent(raw, { ...options, ...more });
  ok("rejected" in result, JSON.stringify(result));
  return [result.rejected.code, result.rejected.path];
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { in: nested(depth - 1) });
const keys = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));

test("a whole event stays what it is", () => {
  const whole = {
    ...base,
    anonymous_id: "a1",
    session_id: "s1",
    page_url: "https://shop.example/p/1?q=1",
    item_id: "i1",
    value: 0,
    context: { device: "mobile", locale: "de-DE" },
    additional_data: { list: "home", nested: { a: [1, null, true] } },
  };
  deepEqual(accepted(whole), whole);
});

test("addresses lose what might be a person or a secret, wherever they stand", () => {
  const dirty = "https://me:pw@shop.example/p/1?q=1&token=t#x";
  const clean = "https://shop.example/p/1?q=1";
  const event = { ...base, page_url: dirty, context: { referrer: dirty }, additional_data: { back: [dirty], text: "a@b.c" } };
  const kept = { ...base, page_url: clean, context: { referrer: clean }, additional_data: { back: [clean], text: "a@b.c" } };
  deepEqual(accepted(event), kept);
});

test("null and missing fields are the same; an id is given where there is none", () => {
  const empty = {
    session_id: null,
    item_id: null,
    value: null,
    context: null,
    additional_data: null,
    page_url: null,
    sent_at: null,
  };
  deepEqual(accepted({ ...base, event_id: null, anonymous_id: null, ...empty }), { ...base, event_id: "given-id" });
});

test("limits: what just fits, and what just does not", () => {
  const text = (length: number): string => "x".repeat(length);
  const fits: Record<string, unknown>[] = [
    { event_id: text(64) },
    { user_id: text(128) },
    { anonymous_id: text(128) },
    { session_id: text(128) },
    { item_id: text(128) },
    ...["é", "漢", "🙂"].flatMap((character) => [
      { event_id: character.repeat(64) },
      { user_id: character.repeat(128), anonymous_id: character.repeat(128), session_id: character.repeat(128) },
      { item_id: character.repeat(128), page_url: `/${character.repeat(2047)}` },
    ]),
    { page_url: `/${text(2047)}` },
    { context: { device: text(256), referrer: text(2048) } },
    { timestamp: NOW + 300_000 },
    { timestamp: NOW - 30 * DAY },
    { event_type: "subscribe" },
    { event_type: "scroll", value: 1 },
    { event_type: "dwell", value: 0 },
    { event_type: "purchase", value: -5 },
    { additional_data: keys(64) },
    { additional_data: nested(5) },
    { additional_data: { t: text(16_376) } },
  ];
  for (const fields of fits) accepted({ ...base, ...fields });
  const faults: [Record<string, unknown>, RejectionCode, string][] = [
    [{ event_id: text(65) }, "event_id_invalid", "/event_id"],
    [{ event_id: "" }, "event_id_invalid", "/event_id"],
    [{ event_id: 7 }, "event_id_invalid", "/event_id"],
    [{ user_id: text(129) }, "user_id_invalid", "/user_id"],
    [{ user_id: "🙂".repeat(129) }, "user_id_invalid", "/user_id"],
    [{ user_id: `${"🙂".repeat(128)}x` }, "user_id_invalid", "/user_id"],
    [{ event_id: "🙂".repeat(65) }, "event_id_invalid", "/event_id"],
    [{ user_id: "" }, "user_id_invalid", "/user_id"],
    [{ user_id: "a\u0000b" }, "user_id_invalid", "/user_id"],
    [{ user_id: "a\ud800" }, "user_id_invalid", "/user_id"],
    [{ user_id: "\udc00a" }, "user_id_invalid", "/user_id"],
    [{ user_id: "\udc00\udc00" }, "user_id_invalid", "/user_id"],
    [{ user_id: null }, "identity_missing", ""],
    [{ anonymous_id: 5 }, "anonymous_id_invalid", "/anonymous_id"],
    [{ session_id: text(129) }, "session_id_invalid", "/session_id"],
    [{ item_id: text(129) }, "item_id_invalid", "/item_id"],
    [{ event_type: undefined }, "event_type_missing", "/event_type"],
    [{ event_type: "View" }, "event_type_invalid", "/event_type"],
    [{ event_type: `v${text(64)}` }, "event_type_invalid", "/event_type"],
    [{ event_type: "unheard_of" }, "event_type_unknown", "/event_type"],
    [{ timestamp: undefined }, "timestamp_missing", "/timestamp"],
    [{ timestamp: "yesterday" }, "timestamp_invalid", "/timestamp"],
    [{ timestamp: NOW + 300_001 }, "timestamp_in_future", "/timestamp"],
    [{ timestamp: NOW - 30 * DAY - 1 }, "timestamp_too_old", "/timestamp"],
    [{ timestamp: NOW / 1000 }, "timestamp_too_old", "/timestamp"],
    [{ sent_at: "then" }, "sent_at_invalid", "/sent_at"],
    [{ page_url: `/${text(2048)}` }, "page_url_invalid", "/page_url"],
    [{ page_url: "not a url" }, "page_url_invalid", "/page_url"],
    [{ page_url: "nourl" }, "page_url_invalid", "/page_url"],
    [{ value: "5" }, "value_invalid", "/value"],
    [{ value: Infinity }, "value_invalid", "/value"],
    [{ event_type: "scroll", value: 1.01 }, "value_out_of_range", "/value"],
    [{ event_type: "dwell", value: -1 }, "value_out_of_range", "/value"],
    [{ context: [] }, "context_invalid", "/context"],
    [{ context: { device: text(257) } }, "context_invalid", "/context/device"],
    [{ context: { country: 49 } }, "context_invalid", "/context/country"],
    [{ additional_data: [] }, "additional_data_invalid", "/additional_data"],
    [{ additional_data: { n: Infinity } }, "additional_data_invalid", "/additional_data"],
    [{ additional_data: JSON.parse('{"a":{"__proto__":{"x":1}}}') }, "additional_data_invalid", "/additional_data"],
    [{ additional_data: keys(65) }, "additional_data_too_many_keys", "/additional_data"],
    [{ additional_data: nested(6) }, "additional_data_too_deep", "/additional_data"],
    [{ additional_data: { t: text(16_377) } }, "additional_data_too_large", "/additional_data"],
    [{ additional_data: { t: "ü".repeat(8189) } }, "additional_data_too_large", "/additional_data"],
    [{ additional_data: { item_id: 5 } }, "item_id_invalid", "/additional_data/item_id"],
    [JSON.parse('{"__proto__":{"x":1}}'), "additional_data_invalid", "/__proto__"],
  ];
  for (const [fields, code, path] of faults) {
    // Not by spreading: that keeps a key named __proto__ only by luck of the engine.
    const raw = Object.fromEntries([...Object.entries(base), ...Object.entries(fields)]);
    deepEqual(refused(raw), [code, path], JSON.stringify(fields).slice(0, 80));
  }
  for (const raw of [null, undefined, 5, "x", [], true]) deepEqual(refused(raw), ["not_an_object", ""]);
  const seen = new Set(faults.map(([, code]) => code));
  deepEqual(
    REJECTION_CODES.filter((code) => !seen.has(code)),
    ["not_an_object"],
  );
});

test("a refusal names the event where it had an id", () => {
  const result = normaliseEvent({ ...base, timestamp: "?" }, options);
  equal("rejected" in result && result.rejected.event_id, "e1");
});

test("unknown fields move under additional_data; what was sent there comes first", () => {
  deepEqual(accepted({ ...base, colour: "red", size: 5, additional_data: { colour: "blue" } }).additional_data, {
    colour: "blue",
    size: 5,
  });
  const given = { list: "home" };
  accepted({ ...base, extra: 1, additional_data: given });
  deepEqual(given, { list: "home" }, "the input is not changed");
  deepEqual(refused({ ...base, ...keys(65) }), ["additional_data_too_many_keys", "/additional_data"]);
  deepEqual(
    accepted(JSON.parse('{"constructor":1,"event_id":"e","user_id":"u","event_type":"view","timestamp":1767225600000}'))
      .additional_data,
    { constructor: 1 },
  );
});

test("item_id is found in additional_data; unknown context is dropped", () => {
  equal(accepted({ ...base, additional_data: { item_id: "i9" } }).item_id, "i9");
  equal(accepted({ ...base, item_id: "i1", additional_data: { item_id: "i9" } }).item_id, "i1");
  deepEqual(accepted({ ...base, context: { device: "tv", shoe_size: 44, os: "" } }).context, { device: "tv" });
});

test("sent_at moves timestamps by the difference of the clocks, from a second on", () => {
  const fast = NOW + 3 * 3_600_000;
  equal(accepted({ ...base, timestamp: fast - 60_000, sent_at: fast }).timestamp, NOW - 60_000);
  equal(accepted({ ...base, timestamp: fast - 60_000 }, { sentAtMs: fast }).timestamp, NOW - 60_000);
  equal(accepted({ ...base, timestamp: NOW - 40 * DAY - 5, sent_at: NOW - 40 * DAY }).timestamp, NOW - 5);
  equal(accepted({ ...base, timestamp: NOW - 5, sent_at: NOW - 999 }).timestamp, NOW - 5);
  equal(accepted({ ...base, timestamp: NOW - 5, sent_at: NOW - 1000 }).timestamp, NOW + 995);
  deepEqual(refused({ ...base, timestamp: NOW, sent_at: NOW - 31 * DAY, event_id: "x" }), [
    "timestamp_in_future",
    "/timestamp",
  ]);
  equal(accepted({ ...base, timestamp: 5, sent_at: fast }, { anyAge: true }).timestamp, 5);
});

test("an import takes any age, but no time before 1970 and none ahead of the clock", () => {
  equal(refused({ ...base, timestamp: NOW + 300_001, sent_at: NOW + DAY }, { anyAge: true })[0], "timestamp_in_future");
  equal(accepted({ ...base, timestamp: "1999-12-31T23:59:59Z" }, { anyAge: true }).timestamp, 946_684_799_000);
  deepEqual(refused({ ...base, timestamp: "1969-12-31T23:59:59Z" }, { anyAge: true }), [
    "timestamp_invalid",
    "/timestamp",
  ]);
});

test("whatever comes in, it is an event or a refusal, never an exception", () => {
  const junk: unknown[] = [
    null,
    undefined,
    "",
    "x",
    0,
    -1,
    NaN,
    Infinity,
    true,
    [],
    {},
    [[[[[[[]]]]]]],
    "\u0000",
    "\ud800",
    1e308,
    nested(9),
    () => 1,
    5n,
    Symbol("s"),
  ];
  const fields = [
    ...Object.keys(base),
    "anonymous_id",
    "session_id",
    "sent_at",
    "page_url",
    "item_id",
    "value",
    "context",
    "additional_data",
    "other",
  ];
  forEachSeed(5000, (rng) => {
    const raw: Record<string, unknown> = { ...base };
    for (let i = rng.between(1, 4); i > 0; i--)
      raw[fields[rng.between(0, fields.length - 1)]!] = junk[rng.between(0, junk.length - 1)];
    const result = normaliseEvent(raw, options);
    ok("event" in result || REJECTION_CODES.includes(result.rejected.code));
    if ("event" in result) deepEqual(normaliseEvent(result.event, options), result, "normal form");
  });
});
