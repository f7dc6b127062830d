import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { DirtyRows } from "./dirty-rows.ts";

test("only what changed since the last checkpoint is written, deleted rows as null", () => {
  const rows = new Map([["a", 1], ["b", 2]]);
  const dirty = new DirtyRows<string>((key) => (rows.has(key) ? Uint8Array.of(rows.get(key)!) : null));
  dirty.touch("a");
  dirty.touch("b");
  rows.delete("b");
  equal(dirty.dirtyCount, 2);
  dirty.begin();
  const written = new Map<string, Uint8Array | null>();
  ok(dirty.take(10, (key, bytes) => written.set(key, bytes)));
  deepEqual(written, new Map([["a", Uint8Array.of(1)], ["b", null]]));
  equal(dirty.dirtyCount, 0);
  dirty.begin();
  ok(dirty.take(10, () => ok(false, "nothing changed")));
});

test("a checkpoint taken in slices shows every row as it was at begin, whatever changes in between", () => {
  forEachSeed(300, (rng) => {
    const rows = new Map<number, number>();
    const stored = new Map<number, number>();
    const dirty = new DirtyRows<number>((key) => (rows.has(key) ? Uint8Array.of(rows.get(key)!) : null));
    const change = (): void => {
      const key = rng.between(0, 9);
      dirty.touch(key);
      if (rng.between(0, 3) === 0) rows.delete(key);
      else rows.set(key, rng.between(0, 255));
    };
    for (let round = 0; round < 5; round++) {
      for (let i = rng.between(0, 12); i > 0; i--) change();
      dirty.begin();
      const expected = new Map(rows);
      const store = (key: number, bytes: Uint8Array | null): void => {
        if (bytes === null) stored.delete(key);
        else stored.set(key, bytes[0]!);
      };
      while (!dirty.take(rng.between(1, 3), store)) change();
      deepEqual(new Map([...stored].sort()), new Map([...expected].sort()));
    }
  });
});
