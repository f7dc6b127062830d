// A short run of the simulation, and its negative controls: each planted bug must be found.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { BUGS } from "./bugs.ts";
import { runSeeds } from "./seeds.ts";

const SEEDS = 60;
const SEEDS_TO_FIND_A_BUG = 25;

test(`${SEEDS} seeds hold every promise, and meet every kind of fault`, async () => {
  const report = await runSeeds(1, SEEDS);
  deepEqual(report.broken, []);
  const kinds = ["kill", "power_cut", "failed_sync", "disk_full", "checkpoint_failed", "clock_jump", "suspended"];
  kinds.push("request_lost", "answer_lost", "request_doubled", "flipped_state_byte", "slow_disk", "clean_restart");
  for (const kind of kinds) ok((report.faults[kind] ?? 0) > 0, `no seed met ${kind}`);
});

for (const [name, { breaks, seed }] of Object.entries(BUGS)) {
  test(`a planted bug is found: ${name} (${breaks})`, async () => {
    const { broken } = await runSeeds(seed ?? 1, seed === undefined ? SEEDS_TO_FIND_A_BUG : 1, name);
    ok(broken.length > 0, `${SEEDS_TO_FIND_A_BUG} seeds did not find it`);
    if (seed !== undefined) deepEqual((await runSeeds(seed, 1)).broken, []);
  });
}

test("a seed breaks the same way each time", async () => {
  const [first, again] = [await runSeeds(1, 8, "ack-before-sync"), await runSeeds(1, 8, "ack-before-sync")];
  deepEqual(again.broken, first.broken);
  deepEqual([again.events, again.simulatedMs, again.faults], [first.events, first.simulatedMs, first.faults]);
});
