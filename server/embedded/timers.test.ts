import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Timers } from "./timers.ts";

const START_MS = 1_790_000_000_000;
const PERSONS = 1_000;

/** Rows of a state file in which everybody is due, how many of them were read, and who was looked at in which turn of the event loop. */
function startTimers(
  t: TestContext,
  { apartMs = 0, takes = () => {} }: { apartMs?: number; takes?: () => void } = {},
): { timers: Timers; read: () => number; turns: string[][]; nextTurn: () => void } {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: START_MS });
  let waiting: (() => void)[] = [];
  t.mock.method(globalThis, "setImmediate", (task: () => void) => waiting.push(task));
  const turns: string[][] = [[]];
  const rows = Array.from({ length: PERSONS }, (_, i) => {
    const key = `u:${String(i).padStart(4, "0")}`;
    return { cursor: `${START_MS + 50 - (PERSONS - i) * apartMs}:${key}`, key };
  });
  let read = 0;
  const timers = new Timers({
    persons: {
      storedTimers: ({ after = "", limit }) => {
        const page = rows.filter(({ cursor }) => cursor > after).slice(0, limit);
        read += page.length;
        return page;
      },
    },
    now: () => Date.now(),
    look: (key) => {
      turns.at(-1)!.push(key);
      takes();
    },
  });
  const nextTurn = (): void => {
    const tasks = waiting;
    waiting = [];
    turns.push([]);
    for (const task of tasks) task();
  };
  timers.start();
  t.mock.timers.tick(100);
  return { timers, read: () => read, turns, nextTurn };
}

test("everybody who falls due is looked at, few in a turn", (t) => {
  const { timers, turns, nextTurn } = startTimers(t);
  for (let turn = 0; turn < PERSONS && turns.flat().length < PERSONS; turn++) nextTurn();
  assert.equal(new Set(turns.flat()).size, PERSONS);
  const most = Math.max(...turns.map((looked) => looked.length));
  assert.ok(most <= 100, `${most} in one turn`);
  timers.stop();
});

test("after a long sleep nobody is read from the state file before those who are due already were looked at", (t) => {
  const { timers, read, turns, nextTurn } = startTimers(t, { apartMs: 60_000 });
  let waitingMax = 0;
  for (let turn = 0; turn < PERSONS && turns.flat().length < PERSONS; turn++) {
    nextTurn();
    if (turn % 10 === 0) t.mock.timers.tick(100);
    waitingMax = Math.max(waitingMax, read() - turns.flat().length);
  }
  assert.equal(new Set(turns.flat()).size, PERSONS);
  assert.ok(waitingMax <= 100, `${waitingMax} wait in memory`);
  timers.stop();
});

test("where each takes long, one is looked at in a turn", (t) => {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const { timers, turns, nextTurn } = startTimers(t, { takes: () => (nowMs += 100) });
  for (let turn = 0; turn < 20; turn++) nextTurn();
  assert.deepEqual(new Set(turns.map((looked) => looked.length)), new Set([1]));
  timers.stop();
});

test("nobody is looked at after the end", (t) => {
  const { timers, turns, nextTurn } = startTimers(t);
  timers.stop();
  const before = turns.flat().length;
  for (let turn = 0; turn < 10; turn++) nextTurn();
  t.mock.timers.tick(1_000);
  assert.equal(turns.flat().length, before);
});
