import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clusterMissing } from "../../cluster/testing/servers.ts";
import { clusterErasureScan } from "./erasure.ts";

const options = { skip: clusterMissing() ?? false, timeout: 600_000 };

test("erased persons are in no byte of a cluster, and nobody comes back", options, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-cluster-erasure-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tally = await clusterErasureScan({ folder, persons: 24, erased: 3 });
  t.diagnostic(JSON.stringify(tally));
  equal(tally.foundBefore, tally.planted, "every canary is found before: the search can find");
  for (const place of ["topic attune.default.events", "flink/checkpoints", "kafka/data", "redis keys", "backup"])
    ok(tally.placesBefore[place]! > 0, place);
  deepEqual(tally.left, []);
  deepEqual([tally.foundAfter, tally.othersLost, tally.recreated, tally.differences], [0, 0, 0, 0]);
});
