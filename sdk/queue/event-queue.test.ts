import assert from "node:assert/strict";
import { test } from "node:test";
import { simulatedStore } from "../testing/simulation.ts";
import type { SdkError, SentEvent } from "../types.ts";
import { ENTRY_AGE_MAX_MS, openEventQueue, QUEUE_ENTRIES_MAX, type Entry } from "./event-queue.ts";

const NOW_MS = 1_790_000_000_000;

function queueOn(store: ReturnType<typeof simulatedStore>) {
  const dropped: SdkError[] = [];
  const queue = openEventQueue({ store, prefix: "q:", nowMs: () => NOW_MS, onDrop: (error) => dropped.push(error) });
  return { queue, dropped };
}

function entry(number: number, fields: Partial<SentEvent> = {}): Entry & { event: SentEvent } {
  const id = String(number).padStart(6, "0");
  return {
    id,
    event: { event_id: id, anonymous_id: "a", session_id: "s", event_type: "click", timestamp: NOW_MS, ...fields },
  };
}

const ids = (entries: readonly Entry[]): string[] => entries.map(({ id }) => id);

test("an empty queue gives nothing", () => {
  const { queue } = queueOn(simulatedStore());
  assert.deepEqual([queue.size, queue.oldest(10)], [0, []]);
});

test("tabs share one queue and see it in order of time", () => {
  const store = simulatedStore();
  const [one, two] = [queueOn(store).queue, queueOn(store).queue];
  one.put(entry(2), "kept");
  two.put(entry(1), "expendable");
  assert.deepEqual(ids(one.oldest(10)), ["000001", "000002"]);
  assert.deepEqual(ids(two.oldest(1)), ["000001"]);
  assert.deepEqual(ids(two.oldest(10, ({ id }) => id === "000001")), ["000002"]);
  two.remove(["000001", "000002"]);
  assert.equal(one.size, 0);
});

test("full + 1: the oldest expendable entry goes first, then the oldest of all, each reported", () => {
  const { queue, dropped } = queueOn(simulatedStore());
  for (let i = 0; i < QUEUE_ENTRIES_MAX; i++) queue.put(entry(i), i === 500 ? "expendable" : "kept");
  assert.deepEqual([queue.size, dropped.length], [QUEUE_ENTRIES_MAX, 0]);
  queue.put(entry(QUEUE_ENTRIES_MAX), "kept");
  queue.put(entry(QUEUE_ENTRIES_MAX + 1), "kept");
  assert.deepEqual(
    dropped.map(({ code, event }) => [code, event?.event_id]),
    [
      ["queue_full", "000500"],
      ["queue_full", "000000"],
    ],
  );
  assert.equal(queue.size, QUEUE_ENTRIES_MAX);
});

test("an entry of the greatest age is sent, an older one is dropped and reported", () => {
  const { queue, dropped } = queueOn(simulatedStore());
  queue.put(entry(1, { timestamp: NOW_MS - ENTRY_AGE_MAX_MS - 1 }), "kept");
  queue.put(entry(2, { timestamp: NOW_MS - ENTRY_AGE_MAX_MS }), "kept");
  assert.deepEqual(ids(queue.oldest(10)), ["000002"]);
  assert.deepEqual(
    dropped.map(({ code }) => code),
    ["too_old"],
  );
  assert.equal(queue.size, 1);
});

test("bytes that are no entry are removed and never stop the queue", () => {
  for (const bytes of ["{ broken", "null", "12", "[]", "{}", '{"id":"000000","event":null}', '{"id":"000000","set":{}}']) {
    const store = simulatedStore();
    const { queue } = queueOn(store);
    store.set("q:000000", bytes);
    queue.put(entry(1), "kept");
    assert.deepEqual(ids(queue.oldest(10)), ["000001"], bytes);
    assert.equal(queue.size, 1, bytes);
  }
});

test("an entry whose bytes have another id, or none, is removed by its key", () => {
  const store = simulatedStore();
  const { queue } = queueOn(store);
  store.set("q:000000~", JSON.stringify({ event: entry(1).event }));
  assert.deepEqual(ids(queue.oldest(10)), ["000000"]);
  queue.remove(["000000"]);
  assert.equal(queue.size, 0);
});
