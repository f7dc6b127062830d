import assert from "node:assert/strict";
import { test } from "node:test";
import { formatJson } from "./format-json.ts";

test("short members stay on their line, long ones and top-level ones are opened", () => {
  const document = {
    events: { view: { weight: 1 }, purchase: { weight: 8 } },
    interests: { by: ["categories", "tags"], half_life: "7d" },
    segments: { long: { when: "x".repeat(60), description: "y".repeat(40) } },
    empty: {},
    list: [],
  };
  assert.equal(
    formatJson(document),
    `{
  "events": { "view": { "weight": 1 }, "purchase": { "weight": 8 } },
  "interests": { "by": ["categories", "tags"], "half_life": "7d" },
  "segments": {
    "long": {
      "when": "${"x".repeat(60)}",
      "description": "${"y".repeat(40)}"
    }
  },
  "empty": {},
  "list": []
}`,
  );
});

test("it is the same value", () => {
  const value = { a: [1, [2, { b: null }], 'ü\n"'], "": { "": [] }, deep: { a: { b: { c: { d: true } } } } };
  assert.deepEqual(JSON.parse(formatJson(value)), value);
});
