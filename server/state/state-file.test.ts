import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { StateFile } from "./state-file.ts";

test("where the writer has stopped each commit fails, what was committed can be read, and the file can be closed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-state-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let writer: Worker | undefined;
  process.once("worker", (worker) => (writer = worker));
  const file = StateFile.open(folder);
  file.write("t:a", Uint8Array.of(1));
  await file.commit();
  const ended = writer!.terminate();
  for (let i = 0; i < 2; i++) {
    file.write("t:b", Uint8Array.of(2));
    await rejects(file.commit(), { code: "checkpoint_failed" });
    await ended;
  }
  deepEqual([...file.get("t:a")!], [1]);
  equal(file.get("t:b"), undefined);
  await file.close();
});
