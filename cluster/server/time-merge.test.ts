import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../core/testing/seeds.ts";
import { type Places, type Timed, TimeMerge } from "./time-merge.ts";

const PATIENCE_MS = 250;

interface Named extends Timed {
  readonly name: string;
}

const record = (name: string, offset: number, timeMs: number, cameMs = 0): Named => ({
  ...{ name, offset, timeMs, cameMs, patienceMs: PATIENCE_MS },
});

test("who catches up hands out every record in the order of time, however it was read", () => {
  forEachSeed(50, (rng) => {
    const logs = Array.from({ length: rng.between(1, 5) }, (_, i) => {
      let timeMs = 0;
      return Array.from({ length: rng.between(0, 30) }, (_, offset) => record(`p${i}`, offset, (timeMs += rng.between(1, 9))));
    });
    const merge = new TimeMerge<Named>();
    const read = logs.map(() => 0);
    logs.forEach((log, i) => {
      merge.open(`p${i}`);
      if (log.length === 0) merge.setAtEnd(`p${i}`, PATIENCE_MS);
    });
    const taken: Named[] = [];
    while (!merge.isDrained) {
      const i = rng.between(0, logs.length - 1);
      const count = rng.between(0, 4);
      const some = logs[i]!.slice(read[i]!, read[i]! + count);
      read[i]! += some.length;
      if (some.length > 0) merge.add(`p${i}`, some, read[i]!);
      merge.setAtEnd(`p${i}`, read[i] === logs[i]!.length ? PATIENCE_MS : undefined);
      for (let next = merge.take(); next !== undefined; next = merge.take()) taken.push(next);
      // Whoever starts from the offsets now hands out the rest and nothing twice.
      const rest = Object.values(merge.places).length === 0 ? 0 : taken.length;
      const handed = logs.reduce((sum, _, at) => sum + (merge.places[`p${at}`] ?? 0), 0);
      equal(handed, rest);
    }
    deepEqual(
      taken.map(({ timeMs }) => timeMs),
      logs.flat().map(({ timeMs }) => timeMs).sort((a, b) => a - b),
    );
  });
});

test("at the end of the log a record waits for older ones of other partitions, and not for ever", () => {
  const merge = new TimeMerge<Named>();
  merge.open("a");
  merge.open("b");
  equal(merge.take(), undefined);
  merge.add("a", [record("a", 0, 20, 1_000)], 1);
  equal(merge.take(), undefined, "nothing is known of the other yet");
  merge.setAtEnd("b", 1_000 + PATIENCE_MS - 1);
  equal(merge.take(), undefined, "it was asked too early");
  merge.add("b", [record("b", 0, 10, 1_100)], 1);
  equal(merge.take()!.timeMs, 10, "both have something: no need to wait");
  equal(merge.take(), undefined);
  merge.setAtEnd("b", 1_000 + PATIENCE_MS);
  equal(merge.take()!.timeMs, 20);
  merge.setAtEnd("a", 2_000);
  equal(merge.isDrained, true);
  deepEqual(merge.places, { a: 1, b: 1 });
});

test("of one log time the key decides, in and across partitions, and a key keeps its own order", () => {
  const keyed = (name: string, offset: number, timeMs: number, thenBy: string): Named => ({ ...record(name, offset, timeMs), thenBy });
  const merge = new TimeMerge<Named>({ windowMs: 0 });
  merge.open("a");
  merge.open("b");
  merge.add("a", [keyed("a", 0, 5, "k2"), keyed("a", 1, 5, "k4"), keyed("a", 2, 5, "k2")], 3);
  merge.add("b", [keyed("b", 0, 5, "k3"), keyed("b", 1, 6, "k1")], 2);
  equal(merge.take(), undefined, "`a` may have more of that time");
  merge.add("a", [keyed("a", 3, 5, "k1"), keyed("a", 4, 7, "k1")], 5);
  const taken: string[] = [];
  const wholeAt: number[] = [];
  for (let next = merge.take(); next !== undefined; next = merge.take()) {
    taken.push(`${next.name}${next.offset}`);
    if (merge.isBetweenTimes) wholeAt.push(taken.length);
  }
  deepEqual(taken, ["a3", "a0", "a2", "b0", "a1"]);
  deepEqual(wholeAt, [5]);
  deepEqual(merge.places, { a: 4, "a/read": 5, "a/taken": 5, b: 1, "b/read": 2, "b/taken": 5 });
});

test("who has no patience, or stands in too long a row, waits only for what there is", () => {
  const merge = new TimeMerge<Named>({ hurriedFrom: 3 });
  merge.open("a");
  merge.open("b");
  merge.setAtEnd("b", 1_000);
  merge.add("a", [{ ...record("a", 0, 20, 1_000), patienceMs: 0 }], 1);
  equal(merge.take()!.timeMs, 20);
  merge.add("a", [1, 2, 3].map((offset) => record("a", offset, 20 + offset, 1_000)), 4);
  equal(merge.take()!.timeMs, 21, "three are a row");
  equal(merge.take(), undefined);
  merge.add("a", [record("a", 4, 24, 1_000)], 5);
  merge.setAtEnd("b", undefined);
  equal(merge.take(), undefined, "what a partition has must be read, however long the row");
});

test("a partition that shows nothing keeps the offset that it was opened with", () => {
  const merge = new TimeMerge<Named>();
  merge.open("a", { a: 7 });
  merge.open("b");
  deepEqual(merge.places, { a: 7 });
});

test("partitions that several write to are sorted as far as the window goes, and whoever goes on hands out nothing twice", () => {
  const WINDOW_MS = 50;
  forEachSeed(100, (rng) => {
    // Each writer is on time within itself, and late by up to half the window.
    const logs = Array.from({ length: rng.between(1, 4) }, (_, i) => {
      const lateMs = Array.from({ length: 3 }, () => rng.between(0, WINDOW_MS / 2));
      const written = Array.from({ length: rng.between(0, 60) }, (_, n) => {
        const timeMs = 1_000 + 3 * n + rng.between(0, 2);
        return { timeMs, atMs: timeMs + lateMs[rng.between(0, 2)]!, thenBy: `k${rng.between(1, 3)}` };
      }).sort((a, b) => a.atMs - b.atMs);
      return written.map(({ timeMs, thenBy }, offset): Named => ({ ...record(`p${i}`, offset, timeMs), thenBy }));
    });
    const taken: Named[] = [];
    let [merge, read] = [new TimeMerge<Named>({ windowMs: WINDOW_MS }), logs.map(() => 0)];
    const open = (places: Places): void => logs.forEach((_, i) => merge.open(`p${i}`, places));
    open({});
    while (read.some((count, i) => count < logs[i]!.length) || !merge.isDrained) {
      const i = rng.between(0, logs.length - 1);
      const some = logs[i]!.slice(read[i]!, read[i]! + rng.between(0, 9));
      read[i]! += some.length;
      if (some.length > 0) merge.add(`p${i}`, some, read[i]!);
      merge.setAtEnd(`p${i}`, read[i] === logs[i]!.length ? PATIENCE_MS : undefined);
      for (let next = merge.take(); next !== undefined; next = merge.take()) {
        taken.push(next);
        if (!merge.isBetweenTimes || rng.between(0, 9) > 0) continue;
        const { places } = merge;
        merge = new TimeMerge<Named>({ windowMs: WINDOW_MS });
        open(places);
        read = logs.map((_, at) => places[`p${at}`] ?? 0);
        break;
      }
    }
    const order = ({ timeMs, thenBy }: Named): string => `${timeMs} ${thenBy}`;
    deepEqual(taken.map(order), logs.flat().map(order).sort());
    equal(new Set(taken.map(({ name, offset }) => `${name}/${offset}`)).size, logs.flat().length);
  });
});

test("what is later than the window goes at once, and is not handed out twice", () => {
  const merge = new TimeMerge<Named>({ windowMs: 10 });
  merge.open("a");
  merge.add("a", [record("a", 0, 100), record("a", 1, 120), record("a", 2, 140)], 3);
  equal(merge.take()!.timeMs, 100);
  equal(merge.take()!.timeMs, 120);
  equal(merge.take(), undefined, "nothing shows yet that the last one is not late");
  merge.add("a", [record("a", 3, 50)], 4);
  equal(merge.isBetweenTimes, false);
  equal(merge.take()!.timeMs, 50);
  deepEqual(merge.places, { a: 2, "a/read": 4, "a/taken": 120 });
  const next = new TimeMerge<Named>({ windowMs: 10 });
  next.open("a", merge.places);
  next.add("a", [record("a", 2, 140)], 3);
  equal(next.isBetweenTimes, false, "what is to be skipped is not read yet");
  next.add("a", [record("a", 3, 50), record("a", 4, 60), record("a", 5, 160)], 6);
  deepEqual([next.take()!.timeMs, next.take()!.timeMs], [60, 140]);
});

test("a partition in which too many wait has no window until half of them are gone", () => {
  const merge = new TimeMerge<Named>({ windowMs: 1_000, hurriedFrom: 4 });
  merge.open("a");
  merge.add("a", [0, 1, 2].map((offset) => record("a", offset, 20 + offset)), 3);
  equal(merge.take(), undefined);
  merge.add("a", [record("a", 3, 23)], 4);
  // Nobody reads on where so many wait: if the window came back at once, they would wait for ever.
  deepEqual([merge.take()!.timeMs, merge.take()!.timeMs, merge.take()!.timeMs], [20, 21, 22]);
  equal(merge.take(), undefined);
});
