import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { normaliseEvent } from "../../core/event/validate.ts";
import { BUILT_IN_EVENT_TYPES } from "../../core/event/event.ts";
import { snakeCase } from "./commerce.ts";
import type { MessageType } from "./message.ts";
import { attributesOf } from "./traits.ts";
import { partsRoom, translate, type Translated } from "./translate.ts";

const NOW_MS = 1_760_000_000_000;
const when = { messageId: "m1", timestamp: "2025-10-09T08:53:20.000Z" };

function send(type: MessageType | undefined, fields: Record<string, unknown>, sentAt?: unknown): Translated {
  return translate({ type, fields: { ...when, ...fields }, sentAt }, NOW_MS);
}

function rejectionOf(event: unknown): string | undefined {
  const types = new Set<string>(BUILT_IN_EVENT_TYPES);
  const result = normaliseEvent(event, { receivedAtMs: NOW_MS, eventTypes: types, newEventId: () => "new" });
  return "rejected" in result ? result.rejected.code : undefined;
}

test("a track call is an event: ids, times, item, value, context, and what is left as additional data", () => {
  const { events } = send(
    "track",
    {
      userId: 7,
      anonymousId: "a1",
      event: "Product Added",
      properties: { product_id: 42, price: "19.5", quantity: 2, colour: "red", decision_id: "d1" },
      context: {
        page: { url: "https://shop.example/a b?x=1", referrer: "https://search.example/" },
        locale: "de-AT",
        timezone: "Europe/Vienna",
        device: { type: "ios" },
        os: { name: "iOS" },
        location: { country: "at", region: "Wien" },
        campaign: { name: "spring" },
        app: { name: "Shop", version: "1.2", build: 3 },
      },
    },
    "2025-10-09T08:53:21.000Z",
  );
  deepEqual(events, [
    {
      event_id: "m1",
      user_id: "7",
      anonymous_id: "a1",
      event_type: "add_to_cart",
      timestamp: when.timestamp,
      sent_at: "2025-10-09T08:53:21.000Z",
      page_url: "https://shop.example/a%20b?x=1",
      item_id: "42",
      value: 39,
      context: {
        device: "mobile",
        os: "iOS",
        locale: "de-AT",
        timezone: "Europe/Vienna",
        country: "AT",
        region: "Wien",
        referrer: "https://search.example/",
        decision_id: "d1",
      },
      additional_data: {
        product_id: 42,
        price: "19.5",
        quantity: 2,
        colour: "red",
        decision_id: "d1",
        event: "Product Added",
        campaign: { name: "spring" },
        app: { name: "Shop", version: "1.2" },
      },
    },
  ]);
  equal(rejectionOf(events[0]), undefined);
});

test("every name of the ecommerce spec that attune has a type for", () => {
  const names: [string, string][] = [
    ["Product Viewed", "view"],
    ["Viewed Product", "view"],
    ["Product Clicked", "click"],
    ["Product Added", "add_to_cart"],
    ["Product Removed", "remove_from_cart"],
    ["Order Completed", "purchase"],
    ["Products Searched", "search"],
    ["Product List Viewed", "impression"],
    ["Product Added to Wishlist", "like"],
    ["Product Reviewed", "rating"],
    ["click", "click"],
    ["Add To Cart", "add_to_cart"],
  ];
  for (const [event, type] of names) equal(send("track", { event }).events[0]!["event_type"], type, event);
});

test("an order is one purchase for each product, with an id of its own that never changes", () => {
  const order = {
    userId: "u1",
    event: "Order Completed",
    properties: {
      order_id: "o1",
      total: 90,
      products: [
        { product_id: "p1", price: 40, quantity: 2 },
        { sku: "p2", price: 10 },
      ],
    },
  };
  const { events } = send("track", order);
  deepEqual(
    events.map((event) => [event["event_id"], event["item_id"], event["value"]]),
    [
      ["m1:0", "p1", 80],
      ["m1:1", "p2", 10],
    ],
  );
  deepEqual(events[1]!["additional_data"], {
    order_id: "o1",
    total: 90,
    sku: "p2",
    price: 10,
    event: "Order Completed",
  });
  deepEqual(send("track", order).events, events);
  const whole = send("track", { ...order, properties: { order_id: "o1", revenue: 12 } }).events;
  deepEqual([whole.length, whole[0]!["event_id"], whole[0]!["value"]], [1, "m1", 12]);
  const one = send("track", { ...order, properties: { revenue: 12, products: [{ product_id: "p1" }] } }).events;
  deepEqual([one[0]!["item_id"], one[0]!["value"]], ["p1", 12]);
});

test("a list of 501 products: 500 events and a note", () => {
  const products = Array.from({ length: 501 }, (_, index) => ({ product_id: `p${index}` }));
  const { events, note } = send("track", { userId: "u1", event: "Product List Viewed", properties: { products } });
  equal(events.length, 500);
  equal(note!.code, "products_not_kept");
});

test("products of one request beyond 5,000, or with more than 8 MiB of copies, are left; of each message one is taken", () => {
  const room = partsRoom();
  const order = (messageId: string, more: Record<string, unknown>) => ({
    type: "track" as const,
    fields: { ...when, messageId, userId: "u", event: "Order Completed", properties: { ...more, products: Array(500).fill({ id: "p" }) } },
    sentAt: undefined,
  });
  const counts = Array.from({ length: 12 }, (_, n) => translate(order(`m${n}`, {}), NOW_MS, room).events.length);
  deepEqual(counts, [...Array<number>(10).fill(500), 11, 1]);
  const { note } = translate(order("last", {}), NOW_MS, room);
  deepEqual([note?.code, note?.message], ["products_not_kept", "499 products beyond the first 1 were not kept: the request has too many"]);

  const ofCopies = partsRoom();
  const large = { pad: "x".repeat(15_000) };
  const kept = translate(order("a", large), NOW_MS, ofCopies).events.length + translate(order("b", large), NOW_MS, ofCopies).events.length;
  ok(kept > 500 && 15_000 * kept < 9 * 1024 * 1024, `${kept} events`);
});

test("an id that is too long for an event, or for an event of a product, is hashed: always the same way", () => {
  const long = "x".repeat(65);
  const [event] = send("track", { messageId: long, userId: "u", event: "click" }).events;
  equal(String(event!["event_id"]).length, 43);
  deepEqual(send("track", { messageId: long, userId: "u", event: "click" }).events[0], event);
  const edge = {
    messageId: "y".repeat(64),
    userId: "u",
    event: "Order Completed",
    properties: { products: [{ id: "p" }] },
  };
  equal(send("track", { ...edge, properties: {} }).events[0]!["event_id"], edge.messageId);
  equal(String(send("track", edge).events[0]!["event_id"]).length, 43);
});

test("a message without a time happened when it came, and no clock is compared for it", () => {
  const [event] = translate(
    { type: "track", fields: { userId: "u", event: "click" }, sentAt: NOW_MS - 9_000 },
    NOW_MS,
  ).events;
  deepEqual([event!["timestamp"], event!["sent_at"], event!["event_id"]], [NOW_MS, undefined, undefined]);
  equal(send("track", { userId: "u", event: "click" }, "yesterday").events[0]!["sent_at"], undefined);
});

test("pages and screens are page views", () => {
  const [page] = send("page", {
    userId: "u",
    name: "Home",
    properties: { url: "https://shop.example/", title: "Shop" },
  }).events;
  deepEqual([page!["event_type"], page!["page_url"]], ["page_view", "https://shop.example/"]);
  deepEqual(page!["additional_data"], { url: "https://shop.example/", title: "Shop", name: "Home" });
  deepEqual(send("screen", { userId: "u", name: "Cart" }).events[0]!["additional_data"], {
    name: "Cart",
    screen: true,
  });
});

test("identify, group and alias change the person; both ids link the two", () => {
  deepEqual(send("identify", { userId: "u", anonymousId: "a", traits: { plan: "free" } }), {
    events: [],
    change: { ref: { user_id: "u", anonymous_id: "a" }, attributes: { plan: "free" } },
  });
  deepEqual(send("group", { userId: "u", groupId: "g1", traits: { name: "Ltd", address: { city: "Oslo" } } }).change, {
    ref: { user_id: "u" },
    attributes: { group_name: "Ltd", group_address_city: "Oslo", group_id: "g1" },
  });
  deepEqual(send("alias", { userId: "u", previousId: "a" }).change, {
    ref: { user_id: "u", anonymous_id: "a" },
    attributes: {},
  });
  deepEqual(send("alias", { userId: "u", previousId: "u" }), { events: [] });
});

test("what cannot be kept as a whole says why", () => {
  equal(rejectionOf(send(undefined, { userId: "u", type: "dance" }).events[0]), "event_type_unknown");
  equal(rejectionOf(send("track", { userId: "u", event: "Video Played" }).events[0]), "event_type_unknown");
  equal(rejectionOf(send("track", { userId: "u", event: "动作" }).events[0]), "event_type_missing");
  equal(rejectionOf(send("identify", { traits: {} }).events[0]), "identity_missing");
  equal(rejectionOf(send("identify", { userId: "x".repeat(129) }).events[0]), "user_id_invalid");
  equal(rejectionOf(send("alias", { userId: "u", anonymousId: {} }).events[0]), "anonymous_id_invalid");
  equal(rejectionOf(send("group", { groupId: "g" }).events[0]), "identity_missing");
});

test("a strange context or too many properties do not lose the event", () => {
  const context = {
    locale: "x".repeat(300),
    device: { type: 7 },
    page: { url: "not a url", referrer: {} },
    os: "linux",
  };
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, index]));
  const deep = { a: { b: { c: { d: { e: {} } } } }, plain: "kept" };
  const hostile = JSON.parse('{"__proto__": {"admin": true}, "plain": "kept"}') as Record<string, unknown>;
  for (const properties of [many, deep, hostile, { text: "x".repeat(20_000), plain: "kept" }]) {
    const [event] = send("track", { userId: "u", event: "click", properties, context }).events;
    equal(rejectionOf(event), undefined);
    ok(typeof (event!["additional_data"] as Record<string, unknown>)["cut"] === "string");
  }
});

test("of an order with too many properties each product keeps its own", () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, index]));
  const products = [{ product_id: "a", color: "red" }, { product_id: "b", color: "blue" }];
  const { events } = send("track", { userId: "u", event: "Order Completed", properties: { ...many, products } });
  const data = events.map((event) => event["additional_data"] as Record<string, unknown>);
  deepEqual(
    data.map(({ color, p0, cut }) => ({ color, p0, cut })),
    ["red", "blue"].map((color) => ({ color, p0: 0, cut: "additional_data_too_many_keys" })),
  );
});

test("traits become attributes with plain names; what no attribute can hold is named", () => {
  const traits = {
    "First Name": "Ada",
    "2fa": true,
    address: { city: "Oslo", geo: { lat: 1, deep: { er: 1 } } },
    tags: ["a", 1],
    gone: null,
    products: [{ id: 1 }],
    bio: "x".repeat(1_025),
  };
  deepEqual(attributesOf(traits), {
    attributes: { First_Name: "Ada", _2fa: true, address_city: "Oslo", address_geo_lat: 1, tags: ["a", 1], gone: null },
    leftOut: ["address.geo.deep", "products", "bio"],
  });
  const many = attributesOf(Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, index])));
  deepEqual([Object.keys(many.attributes).length, many.leftOut], [64, ["t64"]]);
  equal(send("identify", { userId: "u", traits }).note!.code, "traits_not_kept");
});

test("names in snake case", () => {
  for (const [name, snake] of [
    ["Video Played", "video_played"],
    ["signedUp", "signed_up"],
    ["HTTPError 500", "httperror_500"],
    ["  Émission — vue ", "emission_vue"],
    ["42 things", "things"],
    ["x".repeat(100), "x".repeat(64)],
    ["—", ""],
  ] as const)
    equal(snakeCase(name), snake, name);
});
