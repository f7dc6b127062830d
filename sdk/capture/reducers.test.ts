import assert from "node:assert/strict";
import { test } from "node:test";
import { createDwellMeter, DWELL_MAX_S, TICK_GAP_MAX_MS } from "./dwell.ts";
import { createHoverWatch, HOVER_MAX_MS, HOVER_MIN_MS } from "./hover.ts";
import { createImpressions, SEEN_MS } from "./impressions.ts";
import { pageUrl } from "./page-url.ts";
import { createPointerPath } from "./pointer-path.ts";
import { createScrollDepth } from "./scroll-depth.ts";
import { createSearches, queryOf } from "./search.ts";
import { localTime } from "../../core/profile/local-time.ts";
import { utcOffset } from "./utc-offset.ts";

test("dwell counts only active time and reports it once", () => {
  const meter = createDwellMeter(0);
  const reports: { value: number; total_s: number }[] = [];
  const tick = (nowMs: number, active: boolean): void => {
    const report = meter.tick(nowMs, active);
    if (report) reports.push(report);
  };
  for (let s = 0; s < 40; s++) tick(s * 1_000, s < 10 || s >= 20); // away from 10 to 20
  assert.deepEqual(reports, [
    { value: 5, total_s: 5 },
    { value: 5, total_s: 10 },
    { value: 10, total_s: 20 },
  ]);
  for (let s = 40; s <= 125; s++) tick(s * 1_000, true);
  assert.deepEqual(
    reports.map(({ total_s }) => total_s),
    [5, 10, 20, 31, 45, 60, 90],
  );
  assert.deepEqual(meter.restart(125_000), { value: 25, total_s: 115 });
  assert.equal(
    reports.reduce((sum, { value }) => sum + value, 25),
    115,
  );
  assert.equal(meter.restart(125_000), undefined);
});

test("a computer asleep adds one tick at most; a forgotten window stops counting", () => {
  const meter = createDwellMeter(0);
  meter.tick(0, true);
  meter.tick(8 * 3_600_000, true);
  assert.deepEqual(meter.rest(8 * 3_600_000), undefined);
  assert.deepEqual(meter.rest(8 * 3_600_000 + 1), { value: 0.001, total_s: TICK_GAP_MAX_MS / 1_000 + 0.001 });
  const forgotten = createDwellMeter(0);
  let total = 0;
  for (let s = 0; s < 2 * DWELL_MAX_S; s++) total += forgotten.tick(s * 1_000, true)?.value ?? 0;
  assert.equal(total, DWELL_MAX_S);
});

test("a clock set back takes nothing away", () => {
  const meter = createDwellMeter(10_000);
  meter.tick(10_000, true);
  meter.tick(2_000, true);
  assert.deepEqual(meter.rest(4_000), { value: 2, total_s: 2 });
});

test("scroll depth tells each step once", () => {
  const depth = createScrollDepth();
  assert.deepEqual(
    [0.2, 0.3, 0.31, 0.1, 0.8, 0.6, 0.996, 1].map((each) => depth.scrolled(each)),
    [undefined, 0.25, undefined, undefined, 0.75, undefined, 1, undefined],
  );
});

test("a hover is a rest of 300 ms on one item; the same item counts again after a while", () => {
  const watch = createHoverWatch();
  assert.equal(watch.over("a", 0), undefined);
  assert.equal(watch.over("a", 100), undefined);
  assert.equal(watch.over("b", HOVER_MIN_MS - 1), undefined);
  assert.deepEqual(watch.over(undefined, 2 * HOVER_MIN_MS - 1), { item_id: "b", value: HOVER_MIN_MS / 1_000 });
  watch.over("b", 1_000);
  assert.equal(watch.over(undefined, 2_000), undefined);
  watch.over("b", 20_000);
  assert.deepEqual(watch.over("c", 21_500), { item_id: "b", value: 1.5 });
  assert.deepEqual(watch.over(undefined, 21_500 + HOVER_MAX_MS + 1), { item_id: "c", value: HOVER_MAX_MS / 1_000 });
});

test("hovers and pointer paths of a page are bounded", () => {
  const watch = createHoverWatch();
  let hovers = 0;
  for (let i = 0; i <= 200; i++) if (watch.over(`item-${i}`, i * 1_000)) hovers++;
  assert.equal(hovers, 60);
  const path = createPointerPath();
  let events = 0;
  for (let ms = 0; ms < 600_000; ms += 10) if (path.moved(0.5, 0.5, ms)) events++;
  assert.equal(events, 30);
});

test("a pointer path is twenty points, at most ten a second, in thousandths of the viewport", () => {
  const path = createPointerPath();
  const paths: string[] = [];
  for (let ms = 0; ms <= 2_000; ms += 20) {
    const done = path.moved(ms / 2_000, 0.25, ms);
    if (done) paths.push(done);
  }
  assert.equal(paths.length, 1);
  const points = paths[0]!.split(";");
  assert.deepEqual([points.length, points[0], points[1], points[19]], [20, "0,250,0", "50,250,100", "950,250,1900"]);
});

test("an impression needs a second on screen, and comes once a page", () => {
  const seen = createImpressions();
  const show = (nowMs: number, ...ids: string[]): void => seen.visible(new Set(ids), nowMs);
  assert.equal(seen.nextMs(), Infinity);
  show(0, "a");
  assert.equal(seen.nextMs(), SEEN_MS);
  show(500, "a", "b"); // whoever comes later keeps nobody waiting
  assert.deepEqual(seen.due(SEEN_MS - 1), []);
  assert.deepEqual(seen.due(SEEN_MS), ["a"]);
  show(SEEN_MS, "a", "b"); // seen before: there is nothing to wait for
  assert.equal(seen.nextMs(), 500 + SEEN_MS);
  show(1_400);
  show(1_500, "b");
  assert.deepEqual(seen.due(1_500 + SEEN_MS - 1), []);
  assert.deepEqual(seen.due(1_500 + SEEN_MS), ["b"]);
  assert.equal(seen.nextMs(), Infinity);
});

test("of a page's impressions the first 500 count", () => {
  const seen = createImpressions();
  seen.visible(new Set(Array.from({ length: 501 }, (_, i) => `item-${i}`)), 0);
  const due = seen.due(SEEN_MS);
  assert.deepEqual([due.length, due.at(-1), seen.due(2 * SEEN_MS)], [500, "item-499", []]);
});

test("typing, submitting and the results page are one search", () => {
  const searches = createSearches();
  assert.deepEqual(
    ["l", " red  lamp ", "Red lamp", "red", "x".repeat(300)].map((text) => searches.searched(text)?.length),
    [undefined, 8, undefined, 3, 200],
  );
  assert.equal(queryOf("https://shop.example/find?page=2&q=red+lamp"), "red lamp");
  assert.equal(queryOf("https://shop.example/find?q="), undefined);
});

test("an address leaves without credentials, fragment and unknown parameters, within its limit", () => {
  assert.equal(
    pageUrl("https://me:pw@shop.example/a?utm_source=x&reset_token=abc&email=a@b.c#part"),
    "https://shop.example/a?utm_source=x",
  );
  assert.equal(pageUrl(`https://shop.example/a?x=${"y".repeat(3_000)}`), "https://shop.example/a");
  assert.equal(pageUrl(`https://shop.example/${"y".repeat(3_000)}`).length, 2_048);
});

test("a time zone is sent as an offset from which the visitor's hour is told, in summer and winter", () => {
  const zone = process.env["TZ"];
  try {
    for (const name of ["UTC", "Europe/Vienna", "America/Los_Angeles", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"]) {
      process.env["TZ"] = name;
      for (const date of [new Date(Date.UTC(2026, 0, 5, 22)), new Date(Date.UTC(2026, 6, 5, 2))]) {
        assert.match(utcOffset(date), /^[+-]\d{4}$/, name);
        assert.deepEqual(localTime(utcOffset(date), date.getTime()), { hour: date.getHours(), weekday: date.getDay() }, name);
      }
    }
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
});
