// What the node does by itself is in the trail: what it did before the trail was open too, and without a trail nothing fails.
import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { OwnAct } from "../ports.ts";
import { openNodeAudit, verifyNodeAudit } from "./open.ts";
import { ownActs } from "./own-acts.ts";

const act = (id: number): OwnAct => ({ project: "default", action: "erasure done", details: { job_id: `j${id}`, records_found: 0 } });

test("acts from before and after the trail is opened stand in it, in order, as the system's", async (t) => {
  const dataFolder = mkdtempSync(join(tmpdir(), "attune-acts-"));
  t.after(() => rmSync(dataFolder, { recursive: true, force: true }));
  const failures: Error[] = [];
  const acts = ownActs((error) => failures.push(error));
  acts.note(act(1));
  const place = { dataFolder, kekFolder: join(dataFolder, "kek") };
  const audit = openNodeAudit(place, () => 1_000);
  acts.attach(audit);
  acts.note(act(2));
  const entries = await audit.list({ project: "default", limit: 10 });
  deepEqual(entries.map(({ actor, action, details }) => [actor, action, details?.["job_id"]]), [
    ["system", "erasure done", "j2"],
    ["system", "erasure done", "j1"],
  ]);
  audit.close();
  deepEqual(verifyNodeAudit(place).fault, undefined);
  equal(failures.length, 0);
});

test("an act that cannot be taken down is told of", async () => {
  const failures: string[] = [];
  const acts = ownActs(({ message }) => failures.push(message));
  acts.attach(undefined);
  acts.note(act(1));
  const dataFolder = mkdtempSync(join(tmpdir(), "attune-acts-"));
  const audit = openNodeAudit({ dataFolder, kekFolder: join(dataFolder, "kek") }, () => 1_000);
  acts.attach({ ...audit, change: () => Promise.reject(new Error("no room")) });
  acts.note(act(2));
  await new Promise(setImmediate);
  deepEqual(failures, ["no room"]);
  audit.close();
  rmSync(dataFolder, { recursive: true, force: true });
});
