import assert from "node:assert/strict";
import { test } from "node:test";
import { SWITCHED_MODELS } from "../../core/model/config.ts";
import type { Origin } from "../../core/rank/query.ts";
import { badgeOf, reasonsInWords, SOURCES } from "./reasons.ts";

const ORIGINS: Readonly<Record<Origin, true>> = { pinned: true, exploration: true, popular: true, newest: true, other: true };

for (const site of ["shop", "news"] as const) {
  test(`${site}: every source that the server can name has words, and no word for one that it cannot`, () => {
    assert.deepEqual(Object.keys(SOURCES[site]).sort(), [...SWITCHED_MODELS, ...Object.keys(ORIGINS)].sort());
  });
}

test("sources with the same words are one reason, with the weights and the items of both, heaviest first", () => {
  const reasons = [
    { source: "steady", weight: 0.4, because: [] },
    { source: "knn", weight: 0.35, because: ["lamp", "chair"] },
    { source: "walk", weight: 0.25, because: ["lamp"] },
  ];
  assert.deepEqual(reasonsInWords("shop", reasons), [
    { words: "Visitors like you looked at it", weight: 0.6, because: ["lamp", "chair"] },
    { words: "A lasting favourite", weight: 0.4, because: [] },
  ]);
  assert.deepEqual(reasonsInWords("news", []), []);
});

test("a badge takes the node's own sentence where that says more, and its own words elsewhere", () => {
  const said = "Popular in Norway";
  assert.deepEqual(badgeOf("shop", [{ source: "context", weight: 1, because: [] }], () => undefined, said), {
    text: said,
  });
  assert.deepEqual(badgeOf("news", [{ source: "steady", weight: 1, because: [] }], () => undefined, said), {
    text: "Still widely read",
  });
});
