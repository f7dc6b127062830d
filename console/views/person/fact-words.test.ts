import assert from "node:assert/strict";
import { test } from "node:test";
import { plainWords, surroundingWords } from "./fact-words.ts";

test("the hour is where the visitor is only if the visitor's zone is known, and UTC otherwise", () => {
  for (const timezone of ["+02:00", "-0530", "UTC+1", "Etc/GMT-9"])
    assert.equal(surroundingWords("hour", 7, { timezone }), "07:00, where the visitor is", timezone);
  for (const context of [{}, { timezone: "Europe/Oslo" }, { timezone: "UTC" }])
    assert.equal(surroundingWords("hour", 15, context), "15:00 UTC", JSON.stringify(context));
  assert.equal(surroundingWords("weekday", 1, {}), "Monday");
  assert.equal(surroundingWords("country", "NO", {}), "NO");
});

test("an attribute is what the site says, whatever its name", () => {
  assert.equal(plainWords("hour", 9), "9");
  assert.equal(plainWords("weekday", 1), "1");
  assert.equal(plainWords("city", "Oslo"), "Oslo");
  assert.equal(plainWords("sizes", [38, 39]), "[38,39]");
});
