import assert from "node:assert/strict";
import { test } from "node:test";
import { demoIndexes, demoPictures } from "./pictures.ts";
import { demoCatalogue, demoVisits } from "./warm.ts";

const NOW_MS = Date.UTC(2026, 4, 20, 15, 30);
const TYPES = new Set([
  "page_view",
  "view",
  "click",
  "dwell",
  "scroll",
  "search",
  "add_to_cart",
  "remove_from_cart",
  "purchase",
  "like",
  "dismiss",
]);

for (const [site, items, events] of [
  ["shop", 320, 6_000],
  ["news", 120, 5_000],
] as const) {
  test(`${site}: the catalogue is large, unique, dated in the past, and every item has a picture`, () => {
    const catalogue = demoCatalogue(site, NOW_MS);
    assert.ok(catalogue.length >= items);
    assert.equal(new Set(catalogue.map((item) => item.item_id)).size, catalogue.length);
    assert.equal(new Set(catalogue.map((item) => item.title)).size, catalogue.length);
    const pictures = demoPictures();
    for (const item of catalogue) {
      assert.ok(Date.parse(item.published_at) <= NOW_MS, item.item_id);
      assert.ok(pictures.has(item.image_url.replace("/demo/", "")), item.image_url);
      assert.ok(item.tags.length >= 2 && item.categories.length === 1, item.item_id);
    }
  });

  test(`${site}: visitors are the same for the same seed, in order, in the past, and touch only the catalogue`, () => {
    const visits = demoVisits(site, { seed: 7, nowMs: NOW_MS, visitors: 400 });
    assert.deepEqual(demoVisits(site, { seed: 7, nowMs: NOW_MS, visitors: 400 }), visits);
    assert.ok(visits.length >= events, `${visits.length} events`);
    const known = new Map(demoCatalogue(site, NOW_MS).map((item) => [item.item_id, item]));
    assert.equal(new Set(visits.map((visit) => visit.event_id)).size, visits.length);
    let before = 0;
    for (const visit of visits) {
      assert.ok(visit.timestamp >= before && visit.timestamp <= NOW_MS && TYPES.has(visit.event_type));
      before = visit.timestamp;
      if (visit.item_id)
        assert.ok(Date.parse(known.get(visit.item_id)!.published_at) <= visit.timestamp, visit.item_id);
    }
  });
}

test("pictures are self-contained SVG without scripts, and the search index has no times", () => {
  for (const [path, svg] of demoPictures()) {
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>$/, path);
    assert.doesNotMatch(svg, /<script|href|NaN|undefined/, path);
  }
  for (const index of demoIndexes().values()) assert.doesNotMatch(index, /published_at/);
});
