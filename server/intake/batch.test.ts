import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { admission } from "./admission.ts";
import { BATCH_EVENTS_MAX, readBatch } from "./batch.ts";

test("one event, an array, and {events} are batches", () => {
  const event = { event_type: "view" };
  deepEqual(readBatch(event), { raws: [event] });
  deepEqual(readBatch([event, event]), { raws: [event, event] });
  deepEqual(readBatch({ events: [], sent_at: null }), { raws: [] });
  deepEqual(readBatch({ events: [event], sent_at: "2026-01-01T00:00:00Z" }), {
    raws: [event],
    sentAtMs: 1_767_225_600_000,
  });
  deepEqual(readBatch(7), { raws: [7] });
});

test("a batch has a limit, and its clock must be a time", () => {
  equal(readBatch(new Array(BATCH_EVENTS_MAX).fill(1)).raws.length, BATCH_EVENTS_MAX);
  throws(() => readBatch(new Array(BATCH_EVENTS_MAX + 1).fill(1)), { code: "too_many_events" });
  throws(() => readBatch({ events: {} }), { code: "bad_parameter" });
  throws(() => readBatch({ events: [], sent_at: "yesterday" }), { code: "bad_parameter" });
  throws(() => readBatch({ events: [], sent_at: "2026-01-01T00:00:00" }), { code: "bad_parameter" });
});

test("admission counts bytes: full, full + 1, and empty again", () => {
  const queue = admission({ bytesMax: 100 });
  const leave = queue.enter(60);
  const leaveToo = queue.enter(40);
  throws(() => queue.enter(1), { code: "overloaded" });
  leave();
  leaveToo();
  equal(queue.waitingBytes, 0);
  queue.enter(101)(); // larger than the queue, but alone
});
