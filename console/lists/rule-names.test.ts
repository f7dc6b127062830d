import assert from "node:assert/strict";
import { test } from "node:test";
import { namedRules } from "./rule-names.ts";

test("a rule is called what the knobs call it, numbered from 1", () => {
  assert.equal(namedRules("Score × 3 by /placements/home/boost/4."), "Score × 3 by boost 5.");
  assert.equal(namedRules("/placements/a~1b/pin/9"), "pin 10");
  assert.equal(namedRules("No more score × 2 by /placements/home/freshness."), "No more score × 2 by freshness.");
  assert.equal(namedRules("It does not pass the filter /placements/home/filter."), "It does not pass the filter.");
});

test("what is no rule of a placement stays as it is", () => {
  for (const text of ["", "It stays.", "Score × 3 by /rules/boost/0.", "/placements/home/filters", "/placements/home"])
    assert.equal(namedRules(text), text);
});
