import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../core/testing/seeds.ts";
import { PATIENCE_MS, type Timed, TimeMerge } from "./time-merge.ts";

interface Named extends Timed {
  readonly name: string;
}

const record = (name: string, offset: number, timeMs: number, cameMs = 0): Named => ({ name, offset, timeMs, cameMs });

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
      const rest = Object.values(merge.offsets).length === 0 ? 0 : taken.length;
      const handed = logs.reduce((sum, _, at) => sum + (merge.offsets[`p${at}`] ?? 0), 0);
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
  deepEqual(merge.offsets, { a: 1, b: 1 });
});
