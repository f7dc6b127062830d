// A folder that a later release has written to: what this one cannot read it refuses, or builds anew, and says so.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { RecordBatch } from "../log/record-batch.ts";
import { openLog } from "../log/segment-log.ts";
import { StateFile } from "../state/state-file.ts";
import { META_KEY, readMeta } from "./checkpointer.ts";
import { openProject, START_MS, testFolder } from "./testing.ts";

const clock = { nowMs: START_MS };
const ada = { event_id: "1", user_id: "ada", event_type: "view", item_id: "i1", timestamp: START_MS } as never;

test("a record of a kind that only a later release knows is not passed over", async () => {
  const folder = testFolder();
  await (await openProject(folder, clock)).close();
  const log = await openLog(join(folder.path, "log"), { onFault: () => {} });
  const batch = new RecordBatch();
  batch.add(200, "{}");
  await log.append(batch);
  await log.close();
  await rejects(openProject(folder, clock), {
    name: "LogFailedError",
    message: /^the record at log position \d+ is of kind 200, which a newer version of attune wrote; start that version$/,
  });
});

for (const [what, change] of Object.entries({
  "a checkpoint of a later form": (file: StateFile) =>
    file.write(META_KEY, Buffer.from(JSON.stringify({ ...readMeta(file), version: 3 }))),
  "models' rows of a later version": (file: StateFile) => {
    for (const [rest, bytes] of [...file.rows("t:")]) file.write(`t:${rest}`, Buffer.concat([Buffer.of(200), bytes.subarray(1)]));
  },
})) {
  test(`${what}: the state is built anew from the log, and that is told`, async () => {
    const folder = testFolder();
    const project = await openProject(folder, clock);
    await project.submit({ events: [ada], deadLetters: [] });
    await project.close();
    const file = StateFile.open(join(folder.path, "state"));
    change(file);
    await file.commit();
    await file.close();
    const told: string[] = [];
    const again = await openProject(folder, clock, { onStateRebuilt: (fault) => told.push(fault) });
    deepEqual(told, ["damaged"]);
    equal((await again.profile({ user_id: "ada" }))?.recent.length, 1);
  });
}
