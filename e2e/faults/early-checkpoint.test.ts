// A checkpoint that comes early, because very many rows changed, falls between two groups of the log: a crash after it
// makes nothing count twice.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { EmbeddedProject } from "../../server/embedded/project.ts";
import { FAULTS_PROGRAM } from "./ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-early-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Such that the checkpoint falls due late in a group: a person knows his latest events again by himself. */
const GROUP_EVENTS = 990;
/** More persons than may wait for a checkpoint. */
const PERSONS = 42_000;
const WAIT_MS_MAX = 20_000;
const NOW_MS = 1_760_000_000_000;

test("an early checkpoint and a crash: every event counts once", async (t) => {
  const options = { name: "default", firstProgram: FAULTS_PROGRAM, now: () => NOW_MS, checkpointEveryMs: 3_600_000 };
  const path = join(folder, "running");
  const project = await EmbeddedProject.open({ ...options, folder: path });
  t.after(() => project.close());
  let sent = 0;
  // Every second event is of one person, so that half a group folded twice shows in his count.
  const newEvent = () => {
    const user = sent % 2 === 0 ? "regular" : `visitor-${sent}`;
    const event = { event_id: `e-${sent++}`, user_id: user, event_type: "click", item_id: "i", value: 1 };
    return { ...event, timestamp: NOW_MS, received_at: NOW_MS };
  };
  while (sent < 2 * PERSONS) {
    await project.submit({ events: Array.from({ length: GROUP_EVENTS }, newEvent), deadLetters: [] });
  }
  const startMs = performance.now();
  while (project.stats().checkpointPosition === 0) {
    assert.ok(performance.now() - startMs < WAIT_MS_MAX, "so many changes call for a checkpoint");
    await setImmediate();
  }
  const crashed = join(folder, "crashed");
  cpSync(path, crashed, { recursive: true });
  const recovered = await EmbeddedProject.open({ ...options, folder: crashed });
  t.after(() => recovered.close());
  const profile = await recovered.profile({ user_id: "regular" });
  assert.equal(profile?.features["hits"], Math.ceil(sent / 2));
});
