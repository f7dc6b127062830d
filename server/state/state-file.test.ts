import { deepEqual, equal, rejects } from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Worker } from "node:worker_threads";
import { StateFile } from "./state-file.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "attune-state-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("where the writer has stopped each commit fails, what was committed can be read, and the file can be closed", async (t) => {
  const folder = folderOf(t);
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

test("a file that has lost a page of its head is damaged, not the end of the process; one that holds nothing yet is not", async (t) => {
  const folder = folderOf(t);
  const path = join(folder, "state.mdb");
  const filled = async (): Promise<void> => {
    const file = StateFile.open(folder);
    for (let i = 0; i < 500; i++) file.write(`t:${i}`, Buffer.alloc(100, i));
    await file.commit();
    await file.close();
  };
  await filled();
  equal(StateFile.faultOf(folder, undefined), undefined);
  const pageBytes = readFileSync(path).readUInt32LE(48);
  for (const page of [0, 1]) {
    for (const byte of [0, 0xa5]) {
      const file = openSync(path, "r+");
      writeSync(file, Buffer.alloc(pageBytes, byte), 0, pageBytes, page * pageBytes);
      closeSync(file);
      equal(StateFile.faultOf(folder, undefined), "damaged", `page ${page} of ${byte}`);
      await filled();
      equal(StateFile.faultOf(folder, undefined), undefined);
    }
  }
  rmSync(`${path}.size`);
  writeFileSync(path, Buffer.alloc(pageBytes));
  equal(StateFile.faultOf(folder, undefined), "damaged", "only zeros were written");
  writeFileSync(path, "");
  equal(StateFile.faultOf(folder, undefined), undefined);
  await filled();
});
