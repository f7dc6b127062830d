// When a cluster counts as whole, for scripts that go by the exit code.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { type ClusterStatus, isWhole, type JobStatus, type PartStatus, rootOf } from "./status.ts";

const job: JobStatus = {
  ...{ id: "j", state: "RUNNING", generation: 1, parallelism: 1, restarts: 0 },
  ...{ checkpoints: 1, failedCheckpoints: 0, inPerSecond: 0, outPerSecond: 0 },
};

function statusWith({ states = [], ...change }: Partial<ClusterStatus> & { states?: PartStatus["state"][] }): ClusterStatus {
  const parts = states.map((state, i) => ({ name: `part-${i}`, state }));
  return { parts, addresses: { servers: [], kafka: "", flink: "", redis: "" }, job, lag: [], warnings: ["a disk"], faults: [], ...change };
}

test("what does not serve is missing: dead, or there and without an answer", () => {
  const states: PartStatus["state"][][] = [["ready", "running"], ["ready", "dead"], ["ready", "starting", "running"]];
  deepEqual(states.map((each) => isWhole(statusWith({ states: each }))), [true, false, false]);
});

test("a job that restarts, and what could not be asked, are missing too", () => {
  deepEqual(isWhole(statusWith({ job: { ...job, state: "RESTARTING" } })), false);
  deepEqual(isWhole(statusWith({ job: { ...job, failure: "it failed, and has saved nothing since" } })), false);
  const { job: _, ...none } = statusWith({});
  deepEqual(isWhole(none), false);
  deepEqual(isWhole(statusWith({ faults: ["Redis does not answer"] })), false);
});

test("why a job fails is the last cause, and of checkpoints that cannot be written what to look at", () => {
  equal(rootOf("org.x.Outer: it failed\n\tat org.x.A\nCaused by: org.x.Inner: no right\n\tat org.x.B"), "org.x.Inner: no right");
  const unsaved = "org.x.FlinkRuntimeException: Exceeded checkpoint tolerable failure threshold. The latest checkpoint failed.\n\tat org.x.A";
  match(rootOf(unsaved), /threshold\. .* Is its folder \(execution\.checkpointing\.dir\) full, or not to be written to\?/);
});
