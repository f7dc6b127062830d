// The state's file under checkpoints that write the same rows again: what one frees a later one uses.
import { ok } from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { StateFile } from "./state-file.ts";

const ROWS = 2_000;
const COMMITS = 20;

test("a file whose rows are all written anew, and read, by each checkpoint stays within four times its first size", async () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-state-"));
  const file = StateFile.open(folder, createSecretKey(Buffer.alloc(32, 1)));
  const rng = rngFrom(1);
  const sizes: number[] = [];
  for (let commit = 0; commit < COMMITS; commit++) {
    for (let i = 0; i < ROWS; i++) file.write(`p:u:${i}`, Buffer.alloc(rng.between(300, 1_200), commit));
    const committed = file.commit();
    ok(file.get("p:u:1") !== undefined || commit === 0, "who reads meanwhile keeps no page from being used again");
    await committed;
    sizes.push(statSync(join(folder, "state.mdb")).size);
  }
  ok(sizes.at(-1)! <= 4 * sizes[0]!, sizes.join(" "));
  await file.close();
  rmSync(folder, { recursive: true });
});
