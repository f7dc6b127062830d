import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { itemView, normaliseItem } from "./validate.ts";

test("a whole item, with its time in either form", () => {
  const raw = {
    item_id: "i1",
    title: "A lamp",
    categories: ["light", "light", "home"],
    tags: ["new"],
    price: 9.5,
    image_url: "/i.svg",
    url: "https://shop.example/i1",
    available: false,
    published_at: "2026-01-01T00:00:00Z",
    attributes: { colour: "red" },
    other: 1,
  };
  const result = normaliseItem(raw);
  ok("item" in result);
  const { other, ...known } = raw;
  const attributes = { other, colour: "red" };
  deepEqual(result.item, { ...known, categories: ["light", "home"], published_at: 1_767_225_600_000, attributes });
  deepEqual(normaliseItem(result.item), result);
  equal(itemView(result.item).published_at, "2026-01-01T00:00:00.000Z");
});

test("only the id is needed; null is missing", () => {
  deepEqual(normaliseItem({ item_id: "i1", title: null, categories: null, price: null }), {
    item: { item_id: "i1", categories: [], tags: [] },
  });
});

test("a day of publication begins at midnight UTC", () => {
  const result = normaliseItem({ item_id: "i1", published_at: "2026-01-01" });
  ok("item" in result);
  equal(result.item.published_at, 1_767_225_600_000);
});

test("faults name the field", () => {
  const faults: [unknown, string][] = [
    [[], "not_an_object"],
    [{}, "item_id_missing"],
    [{ item_id: "" }, "item_id_invalid"],
    [{ item_id: "i", title: 5 }, "title_invalid"],
    [{ item_id: "i", categories: "x" }, "categories_invalid"],
    [{ item_id: "i", tags: [5] }, "tags_invalid"],
    [{ item_id: "i", price: -1 }, "price_invalid"],
    [{ item_id: "i", price: Infinity }, "price_invalid"],
    [{ item_id: "i", url: "a b" }, "url_invalid"],
    [{ item_id: "i", url: "JavaScript:alert(1)" }, "url_invalid"],
    [{ item_id: "i", image_url: 1 }, "image_url_invalid"],
    [{ item_id: "i", available: "yes" }, "available_invalid"],
    [{ item_id: "i", published_at: "now" }, "published_at_invalid"],
    [{ item_id: "i", published_at: "2026-02-30" }, "published_at_invalid"],
    [{ item_id: "i", published_at: "2026-01-01T00:00:00" }, "published_at_invalid"],
    [{ item_id: "i", attributes: [] }, "attributes_invalid"],
    [{ item_id: "i", attributes: { t: "x".repeat(16_384) } }, "attributes_invalid"],
    [{ item_id: "i", attributes: JSON.parse('{"__proto__":1}') }, "attributes_invalid"],
  ];
  for (const [raw, code] of faults) {
    const result = normaliseItem(raw);
    equal("rejected" in result && result.rejected.code, code);
  }
});
