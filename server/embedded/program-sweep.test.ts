import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { ProgramSweep } from "./program-sweep.ts";

test("a turn of the sweep ends after two milliseconds, however dear a person is, and everybody is looked at", async () => {
  const left = Array.from({ length: 120 }, (_, i) => `u:${i}`);
  const seen: string[] = [];
  /** Persons of each turn. */
  const turns: number[] = [];
  let isInTurn = false;
  let nowMs = 0;
  const look = (key: string): void => {
    if (!isInTurn) turns.push(0);
    isInTurn = true;
    queueMicrotask(() => (isInTurn = false));
    turns.push(turns.pop()! + 1);
    seen.push(key);
    nowMs += 0.5;
  };
  const everybody = [...left];
  const sweep = new ProgramSweep({ walk: () => ({ next: (limit) => left.splice(0, limit) }) }, look, () => nowMs);
  sweep.start(2);
  while (sweep.sweptVersion !== 2) await new Promise(setImmediate);
  deepEqual(seen.sort(), everybody.sort());
  equal(Math.max(...turns), 4);
});
