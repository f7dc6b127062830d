// The whole cluster broken part by part; the short form. `npm run test:cluster` runs the long one.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { clusterMissing } from "../../cluster/testing/servers.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { type FaultName, faultRounds } from "./faults.ts";
import { ClusterRig } from "./rig.ts";

const HEALED_WITHIN_MS = 60_000;
const SEED = Number(process.env["SEED"] ?? 1);

describe("a cluster under faults", { skip: clusterMissing() ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-cluster-"));
  const rng = rngFrom(SEED);
  let rig: ClusterRig;
  before(async () => (rig = await ClusterRig.start({ folder, rng })), { timeout: 230_000 });
  after(async () => {
    await rig?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const survives = (fault: FaultName): void =>
    void test(fault, async () => {
      const { healMs, lost, doubled, acked } = await faultRounds(rig, fault, { rounds: 1, rng });
      assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 }, `of ${acked} events, seed ${SEED}`);
      assert.ok(acked > 0);
      assert.ok(Math.max(...healMs) < HEALED_WITHIN_MS, `healed in ${Math.max(...healMs)} ms`);
    });

  for (const fault of ["TaskManager killed", "server killed", "Redis killed", "Redis flushed"] as const)
    survives(fault);
  for (const fault of ["broker killed", "JobManager killed", "checkpoint cut"] as const) survives(fault);

  test("a record whose code throws is set aside, and the job goes on", async () => {
    const runningSince = await rig.runningSince();
    await rig.poison("u:poisoned", Buffer.from("no record of ours"));
    await rig.untilVisible();
    assert.equal((await rig.audit()).quarantined, 1);
    assert.equal(await rig.runningSince(), runningSince, "no restart");
  });

  test("after all of it: every event once in the committed output, every profile the fold of the log", async () => {
    const { logged, missing, doubled, outputs } = await rig.audit();
    assert.ok(outputs > logged.size);
    assert.deepEqual({ missing, doubled }, { missing: 0, doubled: 0 });
    const notLogged = rig.ledger.ackedIds().filter((id) => !logged.has(id));
    assert.deepEqual(notLogged, []);
    assert.deepEqual((await rig.verify()).differences, []);
  });

  test("the rig notices an output that is written at least once only", async () => {
    await rig.resubmit({ exactlyOnce: false });
    const report = await faultRounds(rig, "TaskManager killed", { rounds: 1, rng });
    assert.equal(report.lost + report.doubled, 0, "profiles are versioned, so they stay right");
    const { doubled } = await rig.audit();
    assert.ok(doubled > 0, "what was written since the last checkpoint was written again");
  });
});
