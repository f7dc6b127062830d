// Short forms of the rigs; `scripts/faults.ts` runs the long ones.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fillDisk, smallDiskMissing } from "./disk-full.ts";
import { ioErrors, slowSyncs } from "./io-errors.ts";
import { killRounds } from "./kills.ts";
import type { FaultTally } from "./ledger.ts";
import { readyNode, startNode } from "./node.ts";
import { memoryCapMissing, overload, overloadFaults } from "./overload.ts";
import { powerCuts, powerRigMissing } from "./power.ts";
import { rot } from "./rot.ts";
import { attachMissing, straceMissing } from "./strace.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-faults-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const SEED = Number(process.env["SEED"] ?? 1);

function assertNothingBroken(tally: FaultTally): void {
  const { lost, doubled, unknown } = tally;
  assert.deepEqual({ lost, doubled, unknown }, { lost: 0, doubled: 0, unknown: 0 }, JSON.stringify(tally));
  assert.ok(tally.acked > 0, "something was acknowledged");
}

test("kill -9 under load: nothing acknowledged is lost, nothing counts twice", async () => {
  const tally = await killRounds({ folder: join(folder, "kills"), rounds: 5, seed: SEED, roundsALife: 5 });
  assertNothingBroken(tally);
  const kinds = Object.keys(tally.by).filter((what) => what !== "time" && what !== "start");
  assert.ok(
    straceMissing() !== undefined || kinds.length > 0,
    `some died at a system call: ${JSON.stringify(tally.by)}`,
  );
});

const noPower = powerRigMissing(join(folder, "power-probe"));
test("a power cut takes nothing that was acknowledged", { skip: noPower }, async () => {
  const tally = await powerCuts({ folder: join(folder, "power"), cuts: 3, seed: SEED, cutsALife: 3 });
  assertNothingBroken(tally);
});

test("the power rig notices a log that is not synced", { skip: noPower }, async () => {
  const tally = await powerCuts({ folder: join(folder, "unsafe"), cuts: 1, seed: SEED, cutsALife: 1, unsafe: true });
  assert.ok(tally.lost > 0, `a cut without fdatasync must lose something: ${JSON.stringify(tally)}`);
});

test("a full disk refuses, answers reads, and goes on by itself", { skip: smallDiskMissing(folder) }, async () => {
  assertNothingBroken(await fillDisk({ folder: join(folder, "full"), seed: SEED }));
});

test("what has rotted is noticed or does not matter, and the rig sees a wrong value", async () => {
  const tally = await rot({ folder: join(folder, "rot"), flips: 14, truncations: 6, seed: SEED });
  assertNothingBroken(tally);
  const control = await rot({ folder: join(folder, "rot-control"), flips: 6, truncations: 0, seed: SEED, unnoticed: true });
  assert.ok(control.lost > 0, `a list that is not what it was must be seen: ${JSON.stringify(control)}`);
});

test("system calls that fail take nothing that was acknowledged", { skip: straceMissing() }, async () => {
  assertNothingBroken(await ioErrors({ folder: join(folder, "io"), rounds: 3, seed: SEED, roundsALife: 3 }));
  const control = await ioErrors({ folder: join(folder, "io-control"), rounds: 2, seed: SEED, roundsALife: 1, lying: true });
  assert.ok(control.lost > 0, `half of a log that is cut off must be noticed: ${JSON.stringify(control)}`);
});

test("syncs that take two seconds hold up senders and no readers", { skip: attachMissing() }, async () => {
  const tally = await slowSyncs({ folder: join(folder, "slow"), seed: SEED, forMs: 5_000 });
  assertNothingBroken(tally);
  assert.equal(tally.by["reads over 1 s"], undefined, JSON.stringify(tally));
});

test("overload in little memory: refusals say when to come again, and nothing is lost", { skip: memoryCapMissing() }, async () => {
  const options = { factor: 5, forMs: 2_000, seed: SEED };
  const memoryBytes = 512 << 20;
  const tally = await overload({ ...options, folder: join(folder, "overload"), memoryBytes });
  assert.deepEqual(overloadFaults(tally, memoryBytes), [], JSON.stringify(tally));
  // A node that cannot live in its memory must be seen to die.
  const control = overload({ ...options, folder: join(folder, "overload-control"), memoryBytes: 80 << 20 });
  await assert.rejects(control);
});

test("a second node on the same data folder is refused by the name of the first", async () => {
  const dataFolder = join(folder, "second");
  const first = await readyNode({ dataFolder });
  const second = startNode({ dataFolder });
  assert.equal(await second.ready, undefined);
  assert.equal(second.child.exitCode, 1);
  assert.match(second.stderr(), /^attune: \S+ is in use by process \d+\. Stop that process, .*ATTUNE_DATA/m);
  await first.stop();
  await (await readyNode({ dataFolder })).stop();
});
