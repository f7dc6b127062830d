// The overlay table against a plain Map: whatever was set, checkpointed or not, is what a reader sees, also after a reopen.
import { deepEqual, equal } from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { OverlayTable } from "./overlay-table.ts";
import { StateCorruptError, StateFile } from "./state-file.ts";

const folderOf = (): string => mkdtempSync(join(tmpdir(), "attune-state-"));

async function checkpoint(file: StateFile, table: OverlayTable, between: () => void): Promise<void> {
  table.begin();
  between();
  while (!table.take(3, (key, bytes) => file.write(`${table.table}:${key}`, bytes))) between();
  await file.commit();
  table.committed();
}

for (const [seed, key] of [[1], [2], [3], [4, createSecretKey(Buffer.alloc(32, 1))], [5, createSecretKey(Buffer.alloc(32, 2))]] as const) {
  test(`reads equal a map's, through checkpoints and changes during them (${key ? "closed" : "open"}, seed ${seed})`, async () => {
    const folder = folderOf();
    let file = StateFile.open(folder, key);
    let table = new OverlayTable(file, "m");
    const other = new OverlayTable(file, "u");
    other.set("a", Uint8Array.of(9));
    await checkpoint(file, other, () => {});
    const rng = rngFrom(seed);
    const oracle = new Map<string, number>();
    const change = (): void => {
      const key = `${["a/", "b/", "ø/", "b/x"][rng.between(0, 3)]}${rng.between(0, 12)}`;
      const value = rng.between(0, 4);
      if (value === 0) oracle.delete(key);
      else oracle.set(key, value);
      table.set(key, value === 0 ? null : Uint8Array.of(value));
    };
    const nameOf = (key: string): string => file.nameOf(`m:${key}`);
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 15; i++) change();
      await checkpoint(file, table, change);
      change();
      for (const [key, value] of oracle) equal(table.get(key)?.[0], value);
      const expected = [...oracle].sort(([a], [b]) => (nameOf(a) < nameOf(b) ? -1 : 1));
      const read = (options: { prefix: string; limit: number; after?: string; reverse?: boolean }) =>
        table.page(options).map(([key, bytes]) => [key, bytes[0]!]);
      for (const prefix of ["a/", "b/", "ø/"]) {
        const prefixed = expected.filter(([key]) => key.startsWith(prefix));
        deepEqual(read({ prefix, limit: 1_000 }), prefixed);
        deepEqual(read({ prefix, limit: 4 }), prefixed.slice(0, 4));
        deepEqual(read({ prefix, limit: 4, reverse: true }), prefixed.toReversed().slice(0, 4));
        const after = prefixed[Math.floor(prefixed.length / 2)]?.[0] ?? `${prefix}0`;
        const [before, behind] = [prefixed.filter(([key]) => nameOf(key) < nameOf(after)), prefixed.filter(([key]) => nameOf(key) > nameOf(after))];
        deepEqual(read({ prefix, limit: 5, after }), behind.slice(0, 5));
        deepEqual(read({ prefix, limit: 5, after, reverse: true }), before.toReversed().slice(0, 5));
      }
      if (round % 4 === 3) {
        await checkpoint(file, table, () => {});
        await file.close();
        file = StateFile.open(folder, key);
        table = new OverlayTable(file, "m");
      }
    }
    if (key === undefined) deepEqual(table.page({ limit: 1_000 }).map(([name]) => name), [...oracle.keys()].sort());
    await file.close();
    rmSync(folder, { recursive: true });
  });
}

test("a value that rotted on disk is refused, not returned", async () => {
  const folder = folderOf();
  const file = StateFile.open(folder);
  const secret = Buffer.from("a value that is easy to find in the file");
  file.write("t:key", secret);
  await file.commit();
  await file.close();
  const path = join(folder, "state.mdb");
  const bytes = readFileSync(path);
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) bytes[at + 5]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = StateFile.open(folder);
  let caught: unknown;
  try {
    damaged.get("t:key");
  } catch (error) {
    caught = error;
  }
  equal(caught instanceof StateCorruptError, true);
  await damaged.close();
  rmSync(folder, { recursive: true });
});
