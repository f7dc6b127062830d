// The format of a cluster's backups, and that nothing is restored from one that is not whole.
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { userKeyOf } from "../../core/identity/identity.ts";
import { BoxError } from "../../server/backup/box.ts";
import { BackupError, boxKey, boxPath, openBackup, writeManifest } from "../../server/backup/place.ts";
import { encodeDocument } from "../wire/documents.ts";
import { encodeErasure, type ErasureValue } from "../wire/erasure.ts";
import { recordKey } from "../wire/record-key.ts";
import { projectTopics } from "../wire/topics.ts";
import { bookOf, checkGrown, isErased, restoredLedger } from "./ledger.ts";
import { type ClusterManifest, openClusterBackup } from "./manifest.ts";
import { openRecords, type RecordBlock, sealRecords, type StoredRecord } from "./records.ts";
import { restoreLog } from "./restore.ts";

/** No broker listens there: what is refused is refused before anybody is asked. */
const NOWHERE = { brokers: ["127.0.0.1:1"] };
const AT = 1_760_000_000_000;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "attune-cluster-backup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function* given(blocks: readonly RecordBlock[]): AsyncGenerator<RecordBlock> {
  yield* blocks;
}

/** By partition. */
async function read(blocks: AsyncIterable<RecordBlock>): Promise<Map<number, StoredRecord[]>> {
  const found = new Map<number, StoredRecord[]>();
  for await (const { partition, records } of blocks) found.set(partition, [...(found.get(partition) ?? []), ...records]);
  return found;
}

const stored = (text: string, timestampMs = AT): StoredRecord => ({
  timestampMs,
  key: Buffer.from(`key ${text}`),
  value: Buffer.from(text),
});

test("records come back from a box in their order, with their times; without key or value, empty, and larger than a block", async (t) => {
  const path = join(folderOf(t), "1.box");
  const key = createSecretKey(randomBytes(32));
  const odd: StoredRecord[] = [
    { timestampMs: 0, key: null, value: null },
    { timestampMs: AT, key: Buffer.alloc(0), value: Buffer.alloc(0) },
    { timestampMs: 2 ** 52, key: Buffer.from("tombstone"), value: null },
    { timestampMs: AT, key: null, value: randomBytes(3 << 20) },
  ];
  const many = Array.from({ length: 20_000 }, (_, i) => stored(`record ${i} `.repeat(20), AT + i));
  await sealRecords(given([{ partition: 2, records: odd }, { partition: 0, records: many }, { partition: 2, records: [odd[1]!] }]), path, key);
  ok(statSync(path).size < (3 << 20) + many.length * 20, "compressed");
  deepEqual(await read(openRecords(path, key)), new Map([[2, [...odd, odd[1]!]], [0, many]]));
  ok(!readFileSync(path).includes("tombstone"), "closed");

  await sealRecords(given([]), path, key);
  deepEqual(await read(openRecords(path, key)), new Map());
});

test("a source that fails makes no box that opens", async (t) => {
  const path = join(folderOf(t), "1.box");
  const key = createSecretKey(randomBytes(32));
  const failing = async function* (): AsyncGenerator<RecordBlock> {
    yield { partition: 0, records: [stored("a")] };
    throw new Error("the broker is gone");
  };
  await rejects(sealRecords(failing(), path, key), /the broker is gone/);
  await rejects(read(openRecords(path, key)), BoxError);
});

/** A finished backup of two topics. */
async function backedUp(t: TestContext): Promise<{ path: string; keys: string; boxes: string[] }> {
  const root = folderOf(t);
  const [path, keys] = [join(root, "backup"), join(root, "keys")];
  const backup = await openClusterBackup(path, keys, "write");
  const topics = projectTopics("default");
  const names = [topics.log[0]!, topics.control];
  for (const box of [1, 2]) {
    const records = Array.from({ length: 100 }, (_, i) => stored(`${box}/${i}`));
    await sealRecords(given([{ partition: 0, records }]), boxPath(backup, box), boxKey(backup, box));
  }
  const manifest: ClusterManifest = {
    format: 1,
    host: "cluster",
    at: new Date(AT).toISOString(),
    settings: { clusterKey: "", demo: false, partitions: 1 },
    erasuresDone: 0,
    topics: names.map((name, i) => ({
      name,
      kind: i === 0 ? "log" : "control",
      id: name,
      ends: [100],
      boxes: [{ box: i + 1, records: 100, sizeBytes: 1, ends: { 0: 100 } }],
    })),
  };
  await writeManifest(backup, manifest);
  return { path, keys, boxes: [boxPath(backup, 1), boxPath(backup, 2)] };
}

async function restore({ path, keys }: { path: string; keys: string }, project = "default"): Promise<unknown> {
  const backup = await openClusterBackup(path, keys, "read");
  const projects = { [project]: projectTopics(project) };
  return restoreLog({ connection: NOWHERE, backup, projects, replicas: 1, report: () => undefined });
}

test("a box that was changed, cut short, swapped or lost is named, before anything is written", async (t) => {
  const place = await backedUp(t);
  const [first, second] = place.boxes as [string, string];
  const bytes = readFileSync(second);
  const changed = Buffer.from(bytes);
  changed[40]! ^= 1;
  for (const wrong of [changed, bytes.subarray(0, -1), bytes.subarray(0, 12), readFileSync(first)]) {
    writeFileSync(second, wrong);
    await rejects(restore(place), (error: Error) => error instanceof BoxError && error.message.includes(second));
  }
  rmSync(second);
  await rejects(restore(place), (error: Error) => error instanceof BoxError && error.message.includes(second));
});

test("a backup that was not finished, is of another host, or whose keys are away is told of", async (t) => {
  const place = await backedUp(t);
  await rejects(restore({ ...place, keys: `${place.keys}-others` }), /is missing: bring the key back/);
  await rejects(restore(place, "other"), /no such project: name it in attune.config.ts/);
  await rejects(openBackup(place.path, place.keys, "read"), /a backup of a cluster, which "attune cluster restore" restores/);
  await rejects(openBackup(place.path, place.keys, "write"), BackupError);
  rmSync(join(place.path, "manifest.box"));
  await rejects(restore(place), /this backup was not finished/);
  await rejects(openClusterBackup(`${place.path}-none`, place.keys, "read"), /holds no backup/);

  const node = await openBackup(`${place.path}-node`, place.keys, "write");
  await writeManifest(node, { format: 1, at: "", keys: {}, files: [] } as { format: 1 });
  await rejects(openClusterBackup(node.path, place.keys, "read"), /a backup of a node, which "attune restore" restores/);
});

const ledgerOf = (values: readonly ErasureValue[]): StoredRecord[] =>
  values.map((value, i) => ({ timestampMs: AT + i, key: Buffer.from(String(i)), value: Buffer.from(encodeErasure(value)) }));

test("a ledger: who was to be erased when the copy began is erased again, and nobody whom it names comes back", () => {
  const salt: ErasureValue = { kind: "salt", salt: Buffer.alloc(32, 1).toString("base64url") };
  const keys = ["u:ada", "a:phone"];
  const running: ErasureValue = { kind: "erasure", job_id: "1", status: "running", at: AT, keys: ["u:ada"] };
  const known = bookOf(ledgerOf([salt]));
  const hashes = keys.map((key) => known.hashOf(key));
  const done: ErasureValue = {
    ...{ kind: "erasure", job_id: "1", status: "done", at: AT, hashes },
    proof: { erased_at: "", done_at: "" },
  };
  const other: ErasureValue = { ...done, job_id: "2", at: AT - 10, hashes: [known.hashOf("u:bob")] };
  const all = ledgerOf([salt, running, { ...running, keys }, { ...salt, salt: "later" }, other, done]);
  const restored = restoredLedger(all);
  deepEqual(restored.map(({ timestampMs }) => timestampMs - AT), [0, 2, 4], "the first salt, all devices, and who is done");

  const book = bookOf(restored.toReversed());
  const did = (key: string, timestampMs: number): StoredRecord => ({ timestampMs, key: recordKey(key), value: Buffer.from("x") });
  deepEqual(
    [did("u:ada", AT), did("a:phone", AT - 1), did("u:bob", AT - 10), did("u:ada", AT + 1), did("u:bob", AT), did("u:eve", AT)].map(
      (record) => isErased(book, "log", record),
    ),
    [true, true, true, false, false, false],
  );
  equal(isErased(book, "item", did("u:ada", AT)), false);
  const letter = { id: "l", at: AT - 5, code: "", path: "", message: "", source: "", body: { nested: [{ user: "ada" }] } };
  const refused = { ...stored("", AT - 5), value: Buffer.from(encodeDocument("deadLetters", letter)) };
  equal(isErased(book, "deadLetters", refused), true, `a letter names ${userKeyOf("ada")}`);

  const garbage = { ...stored("", AT - 5), value: Buffer.from("garbage") };
  equal(isErased(book, "deadLetters", garbage), true, "nobody knows whose it is");

  checkGrown("erasures", all, restored);
  checkGrown("erasures", [...all, garbage], restored);
  const foreign = ledgerOf([{ kind: "salt", salt: "foreign" }, done, other]);
  for (const standing of [foreign, all.slice(0, 3)]) throws(() => checkGrown("erasures", standing, restored), BackupError);
});
