// A short run of the simulation, and its negative controls: each planted bug must be found.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { BUGS } from "./bugs.ts";
import { FAULT_KINDS } from "./disk.ts";
import { runSeeds } from "./seeds.ts";

const SEEDS = 60;
const SEEDS_TO_FIND_A_BUG = 25;

test(`${SEEDS} seeds hold every promise, and meet every kind of fault`, async () => {
  const report = await runSeeds(1, SEEDS);
  deepEqual(report.broken, []);
  for (const kind of FAULT_KINDS) ok((report.faults[kind] ?? 0) > 0, `no seed met ${kind}`);
});

for (const [name, { breaks, seed }] of Object.entries(BUGS)) {
  test(`a planted bug is found: ${name} (${breaks})`, async () => {
    const [first, count] = seed === undefined ? [1, SEEDS_TO_FIND_A_BUG] : [seed, 1];
    const { broken } = await runSeeds(first, count, name);
    ok(broken.length > 0, `not found by ${count === 1 ? `seed ${first}` : `seeds ${first} to ${first + count - 1}`}`);
    if (seed !== undefined) deepEqual((await runSeeds(seed, 1)).broken, []);
  });
}

test("a seed breaks the same way each time", async () => {
  const [first, again] = [await runSeeds(1, 8, "ack-before-sync"), await runSeeds(1, 8, "ack-before-sync")];
  deepEqual(again.broken, first.broken);
  deepEqual([again.events, again.simulatedMs, again.faults], [first.events, first.simulatedMs, first.faults]);
});
