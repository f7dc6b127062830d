import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { openVault } from "../vault/vault.ts";
import { segmentKeys } from "../vault/segment-keys.ts";
import type { LogEntry, LogFault, SegmentLog } from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import { openLog } from "./segment-log.ts";

const root = mkdtempSync(join(tmpdir(), "attune-erase-"));
after(() => rmSync(root, { recursive: true, force: true }));
const isHis = ({ payload }: LogEntry): boolean => payload.includes("ada");
const bytesOf = (folder: string): Buffer =>
  Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));

for (const isClosed of [false, true]) {
  test(`erased records leave ${isClosed ? "closed" : "open"} segments; every other keeps its place`, async () => {
    const folder = join(root, String(isClosed));
    const vault = openVault({ dataFolder: join(folder, "vault"), kekFolder: join(folder, "kek") });
    const keys = segmentKeys(vault, "default");
    const options = { segmentBytesMax: 3_000, reserveBytes: 4096, ...(isClosed ? { keys } : {}) };
    const faults: LogFault[] = [];
    const opened = (): Promise<SegmentLog> =>
      openLog(join(folder, "log"), { ...options, onFault: (fault) => faults.push(fault) });
    let log = await opened();
    const rng = rngFrom(1);
    const written: [position: number, text: string][] = [];
    const append = async (): Promise<void> => {
      const batch = new RecordBatch();
      const start = log.end;
      for (let i = rng.between(1, 5); i > 0; i--) {
        const text = `${["ada", "bob", "cy"][rng.between(0, 2)]}-${"x".repeat(rng.between(0, 90))}`;
        written.push([start + batch.add(1, text), text]);
      }
      await log.append(batch);
    };
    for (let i = 0; i < 100; i++) await append();
    await log.close();
    log = await opened();
    const before = await log.roll();
    equal(await log.roll(), before, "an empty segment is rolled no further");
    const his = written.filter(([, text]) => text.startsWith("ada")).length;
    const oldKeys = vault.names();
    const erasing = log.erase(before, isHis);
    for (let i = 0; i < 5; i++) await append();
    const { records, segments } = await erasing;
    equal(records, his);
    ok(segments > 5);
    const kept = written.filter(([position, text]) => position >= before || !text.startsWith("ada"));
    const held = (): unknown => [...log.read(log.start)].map(({ position, payload }) => [position, payload.toString()]);
    deepEqual(held(), kept);
    deepEqual(await log.erase(before, isHis), { records: 0, segments: 0 }, "again changes nothing");
    await log.close();
    log = await opened();
    deepEqual(held(), kept, "after a restart");
    deepEqual(faults, []);
    deepEqual([...log.read(kept[60]![0])].length, kept.length - 60, "read from within");
    if (isClosed) ok(oldKeys.filter((name) => vault.find(name) === undefined).length >= segments, "old keys are destroyed");
    await log.erase(await log.roll(), isHis);
    equal(bytesOf(join(folder, "log")).includes("ada"), false);
    equal(bytesOf(join(folder, "log")).includes("bob"), !isClosed);
    await log.close();
  });
}
