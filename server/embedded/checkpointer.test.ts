import { equal, rejects } from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openProject, START_MS, testFolder } from "./testing.ts";
import { verifyProject } from "./verify.ts";

const VISITORS = 50;

test("a checkpoint whose index of ids cannot be written fails, the node goes on, and the next one holds it all", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  // A row a turn: the index has failed long before the last row is taken.
  const options = { checkpointSlice: { ms: 0, rows: 1 } };
  const project = await openProject(folder, clock, options);
  const visit = (serial: number) => {
    const events = Array.from({ length: VISITORS }, (_, i) => ({
      event_id: `${serial}-${i}`, event_type: "view", user_id: `u${i}`, item_id: `i${i}`, timestamp: START_MS, received_at: START_MS,
    }));
    return project.submit({ events, deadLetters: [] });
  };
  await visit(1);
  await project.checkpoint();
  await visit(2);
  const [ids, aside] = [join(folder.path, "ids"), join(folder.path, "aside")];
  renameSync(ids, aside);
  await rejects(project.checkpoint(), { code: "checkpoint_failed" });
  await rejects(project.checkpoint(), { code: "checkpoint_failed" });
  renameSync(aside, ids);
  await visit(3);
  await project.checkpoint();

  const again = await openProject(folder.crashed(), clock, options);
  equal((await again.profile({ user_id: "u7" }))!.features["interactions"], 3);
  const { differences } = await verifyProject(again, { now: () => clock.nowMs });
  equal(differences.length, 0);
});
