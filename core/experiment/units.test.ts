import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Units, type UnitRows } from "./units.ts";

const UNIT = { variant: 1, exposedMs: 5, lastMs: 6, x: 0.5, isMixed: false, values: [1] };

function rowsOf(): UnitRows & { readonly kept: Map<string, Uint8Array>; pages: number } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    pages: 0,
    get: (key) => kept.get(key),
    set: (key, bytes) => void (bytes === null ? kept.delete(key) : kept.set(key, bytes)),
    page({ prefix, limit }) {
      this.pages++;
      return [...kept].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
    },
  };
}

test("a run is forgotten a few persons at a time, in the order of its rows, and hardly ever looked through", () => {
  const rows = rowsOf();
  const units = new Units(rows);
  const keyOf = (person: number): string => `u:${String(person).padStart(4, "0")}`;
  for (let person = 0; person < 2_500; person++) units.put("gone", keyOf(person), UNIT);
  units.put("stays", keyOf(7), UNIT);
  let sweeps = 1;
  for (; !units.sweep("gone", 16); sweeps++) {
    equal(rows.kept.size, 2_501 - 16 * sweeps);
    equal(rows.kept.has(`gone/${keyOf(16 * sweeps - 1)}`), false);
    if (sweeps < 156) equal(rows.kept.has(`gone/${keyOf(16 * sweeps)}`), true);
  }
  equal(sweeps, 157, "the last one finds four");
  equal(rows.pages <= 5, true, `${rows.pages} pages`);
  deepEqual([...rows.kept.keys()], [`stays/${keyOf(7)}`]);
  equal(units.get("gone", keyOf(3)), undefined);
  deepEqual(units.get("stays", keyOf(7)), UNIT);
  equal(units.sweep("gone", 16), true);
});
