// A shortcut's steps are those of the visitor who asked for it.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { createShortcuts } from "./shortcuts.ts";
import type { Shortcut } from "./site.ts";

const item = { item_id: "lamps-01", title: "Lamp", categories: ["lamps"], tags: [] };
const shortcut: Shortcut = { name: "", label: "", hint: "", steps: [{ event: "click" }, { event: "dwell" }, { event: "dwell" }] };
const STEP_MS = 420;

test("a shortcut that is stopped does no further step, says so at once, and leaves the way free for the next", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const done: string[] = [];
  const shortcuts = createShortcuts({
    items: () => [item],
    act: (eventType) => done.push(eventType),
    running: (which) => which ?? done.push("over"),
  });
  const first = shortcuts.run(shortcut);
  void shortcuts.run(shortcut);
  shortcuts.stop();
  deepEqual(done, ["click", "over"]);
  const second = shortcuts.run(shortcut);
  t.mock.timers.tick(STEP_MS);
  await first;
  deepEqual(done, ["click", "over", "click", "dwell"]);
  t.mock.timers.tick(STEP_MS);
  await Promise.resolve();
  t.mock.timers.tick(STEP_MS);
  await second;
  deepEqual(done, ["click", "over", "click", "dwell", "dwell", "over"]);
});
