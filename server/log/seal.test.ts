import assert from "node:assert/strict";
import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { LogFailedError, type LogFault, type LogOptions, type SegmentLog } from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import type { SegmentKeys } from "./seal.ts";
import { openLog } from "./segment-log.ts";

const root = mkdtempSync(join(tmpdir(), "attune-seal-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, String(folders++));

function keysInMemory(): SegmentKeys & { all: Map<string, KeyObject> } {
  const all = new Map<string, KeyObject>();
  return {
    all,
    find: (base, generation) => all.get(`${base}/${generation}`),
    make(base, generation) {
      const key = createSecretKey(randomBytes(32));
      all.set(`${base}/${generation}`, key);
      return key;
    },
    newest: (base) => (all.has(`${base}/1`) ? 1 : 0),
    retire: () => {},
    dropBefore: () => {},
  };
}

async function opened(folder: string, options: Partial<LogOptions>): Promise<{ log: SegmentLog; faults: LogFault[] }> {
  const faults: LogFault[] = [];
  const log = await openLog(folder, { reserveBytes: 4096, onFault: (fault) => faults.push(fault), ...options });
  return { log, faults };
}

async function append(log: SegmentLog, payloads: readonly string[]): Promise<number[]> {
  const batch = new RecordBatch(64);
  const start = log.end;
  const positions = payloads.map((payload) => start + batch.add(1, payload));
  assert.equal(await log.append(batch), log.end);
  return positions;
}

const texts = (log: SegmentLog, from = log.start): string[] =>
  [...log.read(from)].map(({ payload }) => payload.toString());
const files = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".seg"))
    .sort()
    .map((name) => join(folder, name));

test("a closed log reads back what was appended, and its files hold none of it", async () => {
  const folder = newFolder();
  const keys = keysInMemory();
  const { log } = await opened(folder, { keys, segmentBytesMax: 2_000 });
  const written: string[] = [];
  for (let i = 0; i < 50; i++) {
    const payloads = Array.from({ length: 1 + (i % 4) }, (_, k) => `canary-${i}.${k}`);
    await append(log, payloads);
    written.push(...payloads);
  }
  assert.deepEqual(texts(log), written);
  await log.close();
  const again = await opened(folder, { keys });
  assert.deepEqual(texts(again.log), written);
  await again.log.close();
  assert.ok(files(folder).length > 2);
  for (const file of files(folder)) assert.ok(!readFileSync(file).includes("canary"), file);
});

test("a reader may start at any record that the log gave", async () => {
  const { log } = await opened(newFolder(), { keys: keysInMemory() });
  const positions: number[] = [];
  for (let i = 0; i < 6; i++) positions.push(...(await append(log, [`${i}.a`, `${i}.b`, `${i}.c`])));
  const all = texts(log);
  for (const [index, position] of positions.entries()) assert.deepEqual(texts(log, position), all.slice(index));
  await log.close();
});

test("random appends, reopens and torn ends agree with an array", async () => {
  await forEachSeedAsync(30, async (rng) => {
    const folder = newFolder();
    const keys = keysInMemory();
    let written: string[] = [];
    let { log } = await opened(folder, { keys, segmentBytesMax: 600 });
    for (let step = 0; step < 25; step++) {
      const payloads = Array.from(
        { length: rng.between(1, 4) },
        (_, k) => `${step}.${k} ${"é".repeat(rng.between(0, 60))}`,
      );
      const before = log.end;
      await append(log, payloads);
      const what = rng.between(0, 5);
      if (what > 1) {
        written.push(...payloads);
        continue;
      }
      if (what === 0) {
        await log.close();
        written.push(...payloads);
      } else {
        // A crash in the middle of the last write.
        await log.abandon();
        const last = files(folder).at(-1)!;
        const cut = rng.between(1, log.end - before - 1);
        truncateSync(last, readFileSync(last).length - cut);
      }
      ({ log } = await opened(folder, { keys, segmentBytesMax: 600 }));
      assert.deepEqual(texts(log), written);
    }
    await log.close();
  });
});

test("each flipped byte costs its batch and is reported, and nothing wrong is ever given", async () => {
  const folder = newFolder();
  const keys = keysInMemory();
  const { log } = await opened(folder, { keys });
  const batches = Array.from({ length: 8 }, (_, i) => [`${i}.a some words`, `${i}.b`, `${i}.c more`]);
  for (const batch of batches) await append(log, batch);
  await log.close();
  const [path] = files(folder) as [string];
  const whole = readFileSync(path);
  copyFileSync(path, `${path}.whole`);
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1 << (at % 8);
    writeFileSync(path, bytes);
    const flipped = await opened(folder, { keys });
    const faults = [...flipped.faults];
    const read = [...flipped.log.read(0, { onCorrupt: (fault) => faults.push(fault) })].map(({ payload }) =>
      payload.toString(),
    );
    const kept = batches.filter((batch) => read.includes(batch[0]!));
    assert.deepEqual(read, kept.flat(), `byte ${at}: batches come whole or not at all`);
    assert.ok(kept.length >= batches.length - 1, `byte ${at} cost more than one batch`);
    if (kept.length < batches.length) assert.ok(faults.length > 0, `byte ${at} cost a batch in silence`);
    await flipped.log.abandon();
  }
});

test("a batch does not open at another place or in another log", async () => {
  const [folder, other] = [newFolder(), newFolder()];
  const keys = keysInMemory();
  for (const [path, text] of [
    [folder, "mine"],
    [other, "theirs"],
  ] as const) {
    const { log } = await opened(path, { keys: path === folder ? keys : keysInMemory() });
    await append(log, [text.padEnd(10)]);
    await log.close();
  }
  copyFileSync(files(other)[0]!, files(folder)[0]!);
  const { log } = await opened(folder, { keys });
  const faults: LogFault[] = [];
  assert.deepEqual([...log.read(0, { onCorrupt: (fault) => faults.push(fault) })], []);
  assert.equal(faults[0]!.kind, "damaged");
  await log.abandon();
});

test("a log that was open goes on closed, and a closed one does not open without its keys", async () => {
  const folder = newFolder();
  const first = await opened(folder, {});
  await append(first.log, ["open"]);
  await first.log.close();
  const keys = keysInMemory();
  const second = await opened(folder, { keys });
  await append(second.log, ["closed"]);
  assert.deepEqual(texts(second.log), ["open", "closed"]);
  await second.log.close();
  await assert.rejects(opened(folder, {}), LogFailedError);
  keys.all.clear();
  await assert.rejects(opened(folder, { keys }), /key is not in the vault/);
});
