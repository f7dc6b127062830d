import { ok } from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { StateFile } from "./state/state-file.ts";

test("the thread that writes checkpoints goes after those that serve", { skip: process.platform !== "linux" && "Linux alone tells threads apart" }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-priority-"));
  const file = StateFile.open(folder);
  file.write("p:someone", new Uint8Array(8));
  await file.commit();
  const priorities = readdirSync("/proc/self/task").map((thread) => getPriority(Number(thread)));
  ok(priorities.some((priority) => priority > getPriority()));
  await file.close();
  rmSync(folder, { recursive: true });
});
