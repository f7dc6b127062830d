import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { DirtySlots } from "./dirty-slots.ts";

/** Rows of any length, encoded into memory that the next row is written to. */
function encoder(rows: ReadonlyMap<number, readonly number[]>): (slot: number) => Uint8Array | null {
  const memory = new Uint8Array(600_000);
  return (slot) => {
    const row = rows.get(slot);
    if (row === undefined) return null;
    memory.set(row);
    return memory.subarray(0, row.length);
  };
}

test("only what changed since the last checkpoint is written, deleted rows as null", () => {
  const rows = new Map([[1, [1]], [2, [2]]]);
  const dirty = new DirtySlots(encoder(rows));
  dirty.touch(1);
  dirty.touch(2);
  rows.delete(2);
  equal(dirty.dirtyCount, 2);
  dirty.begin();
  const written = new Map<number, number[] | null>();
  ok(dirty.take(10, (slot, bytes) => written.set(slot, bytes && [...bytes])));
  deepEqual(written, new Map([[2, null], [1, [1]]]));
  dirty.begin();
  ok(dirty.take(10, () => ok(false, "nothing changed")));
});

test("a checkpoint taken in slices shows every row as it was at begin, whatever changes in between", () => {
  forEachSeed(300, (rng) => {
    const rows = new Map<number, number[]>();
    const stored = new Map<number, number[]>();
    const dirty = new DirtySlots(encoder(rows));
    const change = (): void => {
      const slot = rng.between(0, 9);
      dirty.touch(slot);
      if (rng.between(0, 3) === 0) rows.delete(slot);
      // Now and then a row that fills a page of early rows, or more than one.
      else rows.set(slot, Array.from({ length: rng.between(0, 99) === 0 ? 300_000 : rng.between(0, 9) }, (_, i) => (i * 7 + slot) % 256));
    };
    for (let round = 0; round < 5; round++) {
      for (let i = rng.between(0, 12); i > 0; i--) change();
      dirty.begin();
      const expected = new Map(rows);
      const store = (slot: number, bytes: Uint8Array | null): void => {
        if (bytes === null) stored.delete(slot);
        else stored.set(slot, [...bytes]);
      };
      while (!dirty.take(rng.between(1, 3), store)) change();
      deepEqual(new Map([...stored].sort()), new Map([...expected].sort()));
    }
  });
});

test("all rows can be written anew: those of earlier checkpoints, those that were loaded, and those that are gone", () => {
  const rows = new Map([[1, [1]], [2, [2]], [2_000, [9]]]);
  const dirty = new DirtySlots(encoder(rows));
  const written = new Map<number, number[] | null>();
  const checkpoint = (): void => {
    written.clear();
    dirty.begin();
    ok(dirty.take(10, (slot, bytes) => written.set(slot, bytes && [...bytes])));
  };
  dirty.touch(1);
  dirty.touch(2);
  checkpoint();
  dirty.loaded(2_000);
  dirty.touch(2);
  rows.delete(2);
  checkpoint();
  deepEqual(written, new Map([[2, null]]));
  dirty.touch(1);
  dirty.touchAll();
  equal(dirty.dirtyCount, 3);
  checkpoint();
  deepEqual(new Map([...written].sort()), new Map([[1, [1]], [2, null], [2_000, [9]]]));
  checkpoint();
  equal(written.size, 0);
});
