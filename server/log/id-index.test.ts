import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { rngFrom, type Rng } from "../../core/math/rng.ts";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { openIdIndex } from "./id-index.ts";
import { IdIndexDamagedError } from "./ids.ts";

const root = mkdtempSync(join(tmpdir(), "attune-ids-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, String(folders++));

const WORD_MAX = 0xffff_ffff;
type Id = readonly [hi: number, lo: number];
/** (0, 0) marks an empty slot, so the index takes it for (0, 1). */
const keyOf = ([hi, lo]: Id): string => `${hi}:${hi === 0 && lo === 0 ? 1 : lo}`;

/** Ids that sit close together, so that clusters, equal highs and both ends of the range come up. */
function idFrom(rng: Rng): Id {
  const word = (): number => {
    const kind = rng.between(0, 3);
    if (kind === 0) return rng.between(0, 3);
    if (kind === 1) return WORD_MAX - rng.between(0, 3);
    return rng.between(0, WORD_MAX - 1);
  };
  return [word(), word()];
}

test("an empty index knows nothing and seals to nothing", async () => {
  const index = openIdIndex(newFolder(), { runs: [] });
  assert.deepEqual([index.count, index.has(0, 0), await index.seal(0)], [0, false, { runs: [] }]);
  index.close();
});

test("the ids at both ends of the range are ids like others", async () => {
  const folder = newFolder();
  const index = openIdIndex(folder, { runs: [] });
  const ends: Id[] = [[0, 0], [0, 2], [WORD_MAX, WORD_MAX], [WORD_MAX, 0], [0, WORD_MAX]];
  for (const [hi, lo] of ends) assert.deepEqual([index.add(hi, lo), index.add(hi, lo)], [true, false]);
  const { runs } = await index.seal(1);
  for (const [hi, lo] of ends) assert.deepEqual([index.has(hi, lo), index.add(hi, lo)], [true, false]);
  assert.equal(index.has(WORD_MAX, 1), false);
  index.close();
  const again = openIdIndex(folder, { runs });
  assert.ok(ends.every(([hi, lo]) => again.has(hi, lo)));
  again.close();
});

test("adds, seals, sweeps and crashes agree with a Set", () =>
  forEachSeedAsync(12, async (rng) => {
    const folder = newFolder();
    let index = openIdIndex(folder, { runs: [] });
    let known = new Map<string, Id>();
    let checkpoint = { runs: [] as string[], known: new Map<string, Id>() };
    for (let step = 0; step < 60; step++) {
      const what = rng.between(0, 9);
      if (what < 6) {
        for (let i = rng.between(0, 400); i > 0; i--) {
          const id = idFrom(rng);
          const isNew = !known.has(keyOf(id));
          if (isNew && rng.between(0, 1) === 0) index.addNew(...id);
          else assert.equal(index.add(...id), isNew);
          known.set(keyOf(id), id);
        }
      } else if (what < 8) {
        const before = new Map(known);
        const sealing = index.seal(step);
        const id: Id = [rng.between(5, WORD_MAX - 5), step];
        assert.equal(index.add(...id), !known.has(keyOf(id)));
        known.set(keyOf(id), id);
        for (const other of known.values()) assert.ok(index.has(...other), `${other} is known while it is sealed`);
        const { runs } = await sealing;
        checkpoint = { runs, known: before };
        if (what === 7) await index.sweep(runs);
      } else if (what === 8) {
        index.close();
        index = openIdIndex(folder, { runs: checkpoint.runs });
        known = new Map(checkpoint.known);
      }
      for (let i = 0; i < 50; i++) {
        const id = idFrom(rng);
        assert.equal(index.has(...id), known.has(keyOf(id)));
      }
    }
    for (const id of known.values()) assert.ok(index.has(...id), `${id} is known`);
    assert.equal(index.count, known.size);
    index.close();
  }));

test("runs stay few, memory under 2 bytes an id, and the files after a sweep are the runs", async () => {
  const folder = newFolder();
  const index = openIdIndex(folder, { runs: [] });
  const rng = rngFrom(3);
  let runs: string[] = [];
  let runsMax = 0;
  for (let i = 0; i < 60; i++) {
    const word = (): number => rng.between(0, WORD_MAX - 1);
    for (let k = rng.between(1, 12_000); k > 0; k--) index.add(word(), word());
    ({ runs } = await index.seal(i + 1));
    await index.sweep(runs);
    runsMax = Math.max(runsMax, index.runCount);
  }
  assert.ok(runsMax <= 6, `${runsMax} runs`);
  assert.deepEqual(readdirSync(folder).sort(), [...runs].sort());
  const count = index.count;
  index.close();
  const again = openIdIndex(folder, { runs });
  assert.equal(again.count, count);
  const tableBytes = (2 ** 16 + 512) * 8;
  assert.ok((again.memoryBytes - tableBytes) / count < 2, `${(again.memoryBytes - tableBytes) / count} bytes an id`);
  again.close();
});

test("a lookup that finds nothing goes to the file at most once in 100", async () => {
  const { bloomAdd, bloomBytes, bloomHas } = await import("./bloom.ts");
  const rng = rngFrom(9);
  const word = (): number => rng.between(0, WORD_MAX - 1);
  const count = 50_000;
  const bits = new Uint8Array(bloomBytes(count));
  const ids = Array.from({ length: count }, (): Id => [word(), word()]);
  for (const id of ids) bloomAdd(bits, ...id);
  assert.ok(ids.every((id) => bloomHas(bits, ...id)));
  let falsePositives = 0;
  for (let i = 0; i < 20_000; i++) if (bloomHas(bits, word(), word())) falsePositives++;
  assert.ok(falsePositives < 200, `${falsePositives} of 20,000`);
});

test("a run whose filter spends another number of bits is read as it is", () => {
  const folder = newFolder();
  mkdirSync(folder);
  const ids = new Uint32Array([7, 8, 9, 10]);
  const tables = new Uint8Array(2 * 64 + 8).fill(0xff);
  new Uint32Array(tables.buffer, 2 * 64).set([7, crc32(new Uint8Array(ids.buffer))]);
  const footer = Buffer.alloc(28);
  footer.writeUInt32LE(1, 0);
  footer.writeDoubleLE(2, 4);
  footer.writeDoubleLE(1, 12);
  footer.writeUInt32LE(crc32(tables), 20);
  footer.writeUInt32LE(crc32(footer.subarray(0, 24)), 24);
  writeFileSync(join(folder, "ids-1.run"), Buffer.concat([new Uint8Array(ids.buffer), tables, footer]));
  const index = openIdIndex(folder, { runs: ["ids-1.run"] });
  assert.deepEqual([index.count, index.has(7, 8), index.has(9, 10), index.has(7, 10)], [2, true, true, false]);
  index.close();
});

test("any flipped byte and any cut of a run file is found at open", async () => {
  const folder = newFolder();
  const index = openIdIndex(folder, { runs: [] });
  const rng = rngFrom(4);
  for (let i = 0; i < 30; i++) index.add(rng.between(0, WORD_MAX - 1), i);
  const { runs } = await index.seal(1);
  index.close();
  const path = join(folder, runs[0]!);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << rng.between(0, 7);
    writeFileSync(path, flipped);
    assert.throws(() => openIdIndex(folder, { runs }), IdIndexDamagedError, `byte ${at}`);
    writeFileSync(path, bytes.subarray(0, at));
    assert.throws(() => openIdIndex(folder, { runs }), IdIndexDamagedError, `cut at ${at}`);
  }
  rmSync(path);
  assert.throws(() => openIdIndex(folder, { runs }), IdIndexDamagedError);
});

test("a seal that the disk refuses forgets nothing, and the next one works", async () => {
  const folder = newFolder();
  const index = openIdIndex(folder, { runs: [] });
  assert.ok(index.add(1, 2));
  rmSync(folder, { recursive: true });
  await assert.rejects(index.seal(1), { code: "ENOENT" });
  assert.ok(index.add(3, 4));
  assert.deepEqual([index.add(1, 2), index.add(3, 4), index.count], [false, false, 2]);
  const again = openIdIndex(folder, { runs: [] });
  again.close();
  const { runs } = await index.seal(2);
  index.close();
  const reopened = openIdIndex(folder, { runs });
  assert.deepEqual([reopened.count, reopened.has(1, 2), reopened.has(3, 4)], [2, true, true]);
  reopened.close();
});

test("names of an unfinished checkpoint are never given again while its files are there", async () => {
  const folder = newFolder();
  const index = openIdIndex(folder, { runs: [] });
  index.add(1, 1);
  const first = await index.seal(1);
  index.close();
  const crashed = openIdIndex(folder, { runs: [] });
  crashed.add(2, 2);
  const second = await crashed.seal(1);
  assert.notDeepEqual(second.runs, first.runs);
  await crashed.sweep(second.runs);
  assert.deepEqual(readdirSync(folder), second.runs);
  crashed.close();
});

test("ids go with the part of the log that retention dropped, once all ids of their run lie in it", async () => {
  const index = openIdIndex(newFolder(), { runs: [] });
  const rng = rngFrom(8);
  const old: Id[] = Array.from({ length: 300_000 }, () => [rng.between(0, WORD_MAX - 1), rng.between(0, WORD_MAX - 1)]);
  for (const id of old) index.add(...id);
  await index.seal(1_000);
  index.add(1, 1);
  assert.equal((await index.seal(2_000)).runs.length, 2);
  index.dropBefore(999);
  assert.equal((await index.seal(2_000)).runs.length, 2);
  index.dropBefore(1_000);
  assert.equal((await index.seal(2_000)).runs.length, 1);
  assert.deepEqual([index.has(...old[0]!), index.has(1, 1), index.count], [false, true, 1]);
  index.close();
});
