// Short forms of the rigs; `scripts/faults.ts` runs the long ones.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fillDisk, smallDiskMissing } from "./disk-full.ts";
import { killRounds, straceMissing } from "./kills.ts";
import type { FaultTally } from "./ledger.ts";
import { readyNode, startNode } from "./node.ts";
import { powerCuts, powerRigMissing } from "./power.ts";

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
