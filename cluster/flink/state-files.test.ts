// What RocksDB's files keep of whoever was erased, where next to nobody else is there: their files overlap no others, which
// compactions then would leave as they are.
import { ok } from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { shopProgram } from "../../core/program/shop.ts";
import { START_MS } from "../../server/embedded/testing.ts";
import { clusterMissing } from "../testing/servers.ts";
import { Rig } from "./testing/rig.ts";

const NEVER_MS = 3_600_000;
const GONE = ["gone-first", "gone-then", "gone-last"];
const SETTINGS = { "state.backend.type": "rocksdb", "state.backend.rocksdb.compression.per.level": "NO_COMPRESSION" };

test("the id of whoever comes and is erased between two checkpoints is in no file", { skip: clusterMissing() ?? false }, async () => {
  const rig = await Rig.start({ partitions: 1 });
  after(() => rig.stop());
  await rig.putProgram({ version: 1, at: START_MS, document: shopProgram });
  const jobId = await rig.submit({ settings: SETTINGS, args: { "checkpoint-interval-ms": NEVER_MS } });
  rig.startTicking();
  const come = async (id: string): Promise<void> => {
    const event = { event_id: `of ${id}`, event_type: "view", timestamp: Date.now(), user_id: id };
    await rig.write([{ key: `u:${id}`, record: { kind: "event", event } }]);
    await rig.until(() => `the profile of ${id}`, () => rig.outputs.profiles.has(`u:${id}`));
  };
  const checkpoint = async (): Promise<void> => {
    const { completed } = await rig.rest.checkpoints(jobId);
    await rig.checkpoint(jobId);
    await rig.until(() => "a checkpoint", async () => (await rig.rest.checkpoints(jobId)).completed > completed);
  };
  await come("stays");
  for (const id of GONE) {
    await come(id);
    await rig.erase([`u:${id}`]);
    await rig.until(() => `the end of ${id}`, () => !rig.outputs.profiles.has(`u:${id}`));
    await checkpoint();
  }
  let found = "";
  await rig.until(
    () => `the files without them: ${found}`,
    async () => {
      await checkpoint();
      found = filesWith(rig.flink.folder, GONE).join(", ");
      return found === "";
    },
  );
  ok(filesWith(rig.flink.folder, ["stays"]).length > 0, "who stays is found");
});

function filesWith(folder: string, names: readonly string[]): string[] {
  const paths = readdirSync(folder, { recursive: true }).map((path) => join(folder, String(path)));
  return paths.filter((path) => {
    // Files go while they are looked at.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    const bytes = readFileSync(path);
    return names.some((name) => bytes.includes(name));
  });
}
