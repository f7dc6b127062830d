// The background model in the embedded host: trained aside, written into the log, and the same after a crash, from the
// last checkpoint as from the log alone.
import { deepEqual, equal, ok } from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import { openProject, START_MS, testFolder } from "../embedded/testing.ts";
import type { EmbeddedProject } from "../embedded/project.ts";

const clock = { nowMs: START_MS };

/** `persons` visitors who click two items of one pair, and one item that pairs with none. */
function clicks(persons: number): LoggedEvent[] {
  return Array.from({ length: persons }, (_, i) =>
    [`left-${i % 9}`, `right-${i % 9}`, "alone"].map((itemId, k): LoggedEvent => ({
      event_id: `e${i}-${k}`,
      anonymous_id: `visitor-${i}`,
      event_type: "click",
      timestamp: START_MS + i * 10 + k,
      received_at: START_MS + i * 10 + k,
      item_id: itemId,
    })),
  ).flat();
}

async function reasons(project: EmbeddedProject): Promise<unknown> {
  const ref = { anonymous_id: "visitor-1" };
  const list = await project.recommend({ ref, placement: "home", limit: 10, explain: true, exclude: ["right-1"] });
  return list!.items.map((item) => [item.item_id, item.reasons]);
}

test("a training reaches the lists through the log; a crash and a replay change nothing", { timeout: 120_000 }, async () => {
  const folder = testFolder();
  const project = await openProject(folder, clock);
  equal(await project.trainBackground(), false);
  await project.submit({ events: clicks(200), deadLetters: [] });
  clock.nowMs = START_MS + 10_000;
  equal(await project.trainBackground(), true);
  const expected = await reasons(project);
  ok(JSON.stringify(expected).includes('"background"'), JSON.stringify(expected));
  await project.checkpoint();
  deepEqual(await reasons(await openProject(folder.crashed(), clock)), expected);
  const bare = folder.crashed();
  rmSync(join(bare.path, "state"), { recursive: true });
  rmSync(join(bare.path, "ids"), { recursive: true });
  deepEqual(await reasons(await openProject(bare, clock)), expected);
});
