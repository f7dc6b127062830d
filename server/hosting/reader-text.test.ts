// The sentence that a reader gets is short, true, and in his own situation.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Item } from "../../core/item/item.ts";
import type { Reason } from "../../core/rank/query.ts";
import { readerText, type ReaderSituation } from "./reader-text.ts";

const items = new Map<string, Item>([
  ["lamp", { item_id: "lamp", title: "Brass lamp", categories: ["lamps"], tags: [], price: 9 }],
  ["story", { item_id: "story", title: "Ice", categories: ["arctic_ocean"], tags: [], published_at: 1 }],
  ["nameless", { item_id: "nameless", categories: [], tags: [] }],
]);
const EVENING_MS = Date.UTC(2026, 0, 5, 20);
const situation = (more: Partial<ReaderSituation> = {}): ReaderSituation => ({
  recent: [], interests: [], context: {}, nowMs: EVENING_MS, itemOf: (id) => items.get(id), ...more,
});
const reason = (source: string, because: string[] = [], crowds?: string[]): Reason => ({
  source, because, weight: 1, ...(crowds === undefined ? {} : { crowds }),
});
const text = (reasons: Reason[], more: Partial<ReaderSituation> = {}, itemId = "x"): string =>
  readerText(itemId, reasons, situation(more));

test("an own item is named by what was done with it", () => {
  const done = (event_type: string) => ({ recent: [{ item_id: "lamp", event_type }] });
  const because = [reason("popularity"), reason("rules", ["lamp"])];
  equal(text(because), "Because you looked at Brass lamp");
  equal(text(because, done("purchase")), "Because you bought Brass lamp");
  equal(text(because, done("like")), "Because you liked Brass lamp");
  equal(text(because, done("add_to_cart")), "Because Brass lamp is in your cart");
  equal(text([reason("knn", ["story"])]), "Because you read Ice");
  equal(text([reason("knn", ["nameless"])]), "Visitors like you opened it");
  equal(text([reason("rules", ["lamp"])], {}, "lamp"), "Often opened next", "an item is no reason for itself");
});

test("what was taken back is not said any more", () => {
  const did = (...newestFirst: string[]): string =>
    text([reason("rules", ["lamp"])], { recent: newestFirst.map((event_type) => ({ item_id: "lamp", event_type })) });
  equal(did("remove_from_cart", "add_to_cart", "view"), "Because you looked at Brass lamp");
  equal(did("add_to_cart", "remove_from_cart", "add_to_cart"), "Because Brass lamp is in your cart");
  equal(did("dislike", "like"), "Because you looked at Brass lamp");
  equal(did("dismiss", "like", "add_to_cart"), "Because Brass lamp is in your cart");
  equal(did("like", "dislike"), "Because you liked Brass lamp");
  equal(did("remove_from_cart", "purchase", "add_to_cart"), "Because you bought Brass lamp");
});

test("a long title is cut between characters as readers see them", () => {
  const cut = (title: string): string =>
    text([reason("rules", ["long"])], { itemOf: () => ({ item_id: "long", title, categories: [], tags: [] }) }).slice("Because you looked at ".length);
  equal(cut("x".repeat(60)), "x".repeat(60));
  equal(cut("x".repeat(61)), `${"x".repeat(59)}…`);
  equal(cut("🎁".repeat(31)), `${"🎁".repeat(29)}…`);
  equal(cut(`${"x".repeat(57)}👩‍👩‍👧‍👦 for the family`), `${"x".repeat(57)}…`);
  equal(cut(`${"x".repeat(58)}e\u0301 and more`), `${"x".repeat(58)}…`);
});

test("crowds are named by place, people, language, time and device", () => {
  const crowd = (...crowds: string[]): string => text([reason("context", [], crowds)]);
  deepEqual(
    [
      crowd("daypart:evening", "country:NO"), crowd("country:NL"), crowd("age_group:18-24", "device:mobile"), crowd("language:nb", "daypart:evening"),
      crowd("device:mobile"), crowd("device:desktop"), crowd("daypart:evening"), crowd("country:??"), crowd(),
    ],
    [
      "Popular in Norway tonight", "Popular in the Netherlands", "Popular with people like you", "Popular with speakers of Norwegian Bokmål tonight",
      "Popular on phones", "Popular on desktops", "Popular tonight", "Popular now", "Popular now",
    ],
  );
  equal(text([reason("trend")]), "Rising tonight");
  equal(text([reason("trend")], { nowMs: EVENING_MS - 12 * 3_600_000 }), "Rising this morning");
  const at = (timezone: string): string => text([reason("trend")], { context: { timezone } });
  deepEqual([at("America/Los_Angeles"), at("-08:00"), at("Asia/Tokyo"), at("Europe/Oslo"), at("Nowhere/Land")],
    ["Rising today", "Rising today", "Rising this morning", "Rising tonight", "Rising tonight"]);
});

test("the rest is told plainly, and nothing is left without a word", () => {
  const interests: [string, number][] = [["sport", 0.6], ["arctic_ocean", 0.4]];
  equal(text([reason("content")], { interests }, "story"), "Fits your interest in arctic ocean");
  equal(text([reason("content")], {}, "story"), "Fits your interests");
  deepEqual([text([reason("exploration")]), text([reason("repeats", ["x"])]), text([reason("newest")]), text([reason("other")]), text([reason("?")]), text([])],
    ["New here", "You looked at this before", "Just in", "More to discover", "Picked for you", "Popular now"]);
});
