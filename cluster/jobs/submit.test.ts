// What a cluster remembers of a job that Flink would not start. Flink's side is a server that answers what Flink answers.
import { deepEqual, rejects } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { resolveCluster } from "../cli/settings.ts";
import { FlinkError, FlinkRest } from "./flink-rest.ts";
import { type JobState, readJobState, writeJobState } from "./job-state.ts";
import { earlierJobs, hasEarlierSettings, jobSettings, startJob } from "./submit.ts";

const STOPPED: JobState = {
  generation: 1,
  jobs: [{ jobId: "one", generation: 1, hash: "h", at: 1 }],
  savepoint: { path: "/savepoints/one", jobId: "one" },
};
const NEXT = { jobId: "two", generation: 1, hash: "h", at: 2, from: "/mistyped" };

/** Whether the job that could not be started is written down afterwards. */
async function isKept(t: TestContext, answer: { status: number; jobs: { jid: string; state: string }[] }): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "attune-submit-"));
  const server = createServer((_, response) => response.writeHead(answer.status).end(JSON.stringify({ jobs: answer.jobs }))).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const flink = new FlinkRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await writeJobState(folder, STOPPED);
  const start = async (): Promise<void> => {
    deepEqual((await readJobState(folder)).jobs.at(-1), NEXT, "written down before");
    throw new FlinkError("Flink answered 400");
  };
  await rejects(startJob(flink, folder, NEXT, start), FlinkError);
  const state = await readJobState(folder);
  if (state.jobs.length === 2) return true;
  deepEqual(state, STOPPED);
  return false;
}

test("a job that Flink refused is forgotten: the next one goes on from where the last one stopped", async (t) => {
  deepEqual(await isKept(t, { status: 200, jobs: [] }), false);
  deepEqual(await isKept(t, { status: 200, jobs: [{ jid: "two", state: "FAILED" }] }), false);
});

test("a job that runs all the same, or of which nobody knows, stays written down", async (t) => {
  deepEqual(await isKept(t, { status: 200, jobs: [{ jid: "two", state: "RUNNING" }] }), true);
  deepEqual(await isKept(t, { status: 503, jobs: [] }), true);
});

test("a job of an earlier generation that lives on is found; another's, or one that has ended, is not", async (t) => {
  const jobs = [{ jid: "old", state: "RUNNING" }, { jid: "older", state: "CANCELED" }, { jid: "new", state: "RUNNING" }, { jid: "theirs", state: "RUNNING" }];
  const server = createServer((_, response) => response.end(JSON.stringify({ jobs }))).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const flink = new FlinkRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const submitted = ["older", "old", "new"].map((jobId, i) => ({ jobId, generation: i + 1, hash: "h", at: i }));
  deepEqual(await earlierJobs(flink, { generation: 3, jobs: submitted }), [submitted[1]]);
});

test("a job that was submitted with another plan is told from one that was not", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "attune-submit-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const settings = await resolveCluster({ data, kafka: "127.0.0.1:9", partitions: "2", parallelism: "1" });
  const state: JobState = { generation: 1, jobs: [] };
  const job = { jobId: "one", generation: 1, hash: "h", at: 1, settings: jobSettings(settings, { generation: 1 }, state) };
  const isEarlier = (change: object, jobs: JobState["jobs"] = [job]): boolean =>
    hasEarlierSettings({ ...settings, plan: { ...settings.plan, ...change } }, { ...state, jobs });
  deepEqual([{}, { parallelism: 2 }, { checkpointMs: 7 }, { projects: { ...settings.plan.projects, outlet: "shop" } }, { slots: 9 }].map((change) => isEarlier(change)), [false, true, true, true, false]);
  const { settings: _, ...ofEarlierRelease } = job;
  deepEqual(isEarlier({ parallelism: 2 }, [ofEarlierRelease]), false, "of what is not known nothing is said");
});
