// Both hosts on the same events: a real cluster with two servers, and the embedded host. The short form; `npm run test:cluster`
// runs the long one.
import { ok } from "node:assert/strict";
import { test } from "node:test";
import { clusterMissing } from "../../cluster/testing/servers.ts";
import { parityRuns } from "./parity-runs.ts";

const SIZES = { news: 0, generated: 1_500, asked: 50, parallelism: 2 };

test("every person is the same to the byte in both hosts", { skip: clusterMissing() ?? false }, async () => {
  for await (const line of parityRuns(SIZES, () => undefined)) {
    if (typeof line === "string") throw new Error(line);
    ok(line.isRight, `${line.name}: ${line.text}`);
    return;
  }
});
