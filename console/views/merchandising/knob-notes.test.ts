import assert from "node:assert/strict";
import { test } from "node:test";
import type { Preview } from "../../lists/preview-types.ts";
import { attributeNames, faultNotes, idleNotes, pinnedItems } from "./knob-notes.ts";

const entry = (item_id: string, more: object = {}) => ({ item_id, account: {}, item: { attributes: { maker: "Odda" } }, ...more });
const preview = {
  before: { items: [entry("a", { item: undefined })] },
  after: { items: [entry("a"), entry("b", { account: { placed: "pinned" } }), entry("c")] },
  why_not: [
    { item_id: "b", after: { text: "It is in the list, at 2." } },
    { item_id: "gone", after: { text: "It does not pass the filter /placements/home/filter." } },
  ],
} as unknown as Preview;

test("a fault is said beside its knob, the first of several", () => {
  const fault = (path: string, message: string) => ({ path, code: "x", message });
  const faults = [
    fault("/placements/home/boost/1/when", "no such name"),
    fault("/placements/home/boost/1/by", "out of range"),
    fault("/placements/home/frequency/window", "no window"),
    fault("/placements/home", "not an object"),
  ];
  const notes = [...faultNotes(faults)].map(([place, { text, isFault }]) => [place, text, isFault]);
  assert.deepEqual(notes, [["boost/1", "no such name", true], ["frequency", "no window", true]]);
});

test("a pin of an item that the list cannot show says why, one that shows it says nothing", () => {
  const pin = [{ item: "b", at: 2 }, { item: "gone", at: 3 }, { item: "never asked about", at: 1 }];
  const notes = [...idleNotes({ pin }, preview)].map(([place, { text }]) => [place, text]);
  assert.deepEqual(notes, [["pin/1", "Not in this list. It does not pass the filter."]]);
  assert.deepEqual(pinnedItems({ pin: [...pin, { item: "", at: 4 }, { when: "true", at: 5 }, { item: "b", at: 6 }] }), [
    "b",
    "gone",
    "never asked about",
  ]);
});

test("a pin by a condition that holds for nothing says so, where the list is as long as that", () => {
  const pin = [{ when: "true", at: 2 }, { when: "false", at: 3 }, { when: "false", at: 9 }];
  assert.deepEqual([...idleNotes({ pin }, preview).keys()], ["pin/1"]);
});

test("a cap by what no item has says so, and what they have is proposed", () => {
  const cap = [{ by: "category", max: 2 }, { by: "attributes.maker", max: 2 }, { by: "attributes.brand", max: 2 }];
  const notes = [...idleNotes({ cap }, preview)].map(([place, { text }]) => [place, text]);
  assert.deepEqual(notes, [["cap/2", "Counts nothing: no item of this list has `attributes.brand`."]]);
  assert.deepEqual(attributeNames(preview), ["attributes.maker"]);
});
