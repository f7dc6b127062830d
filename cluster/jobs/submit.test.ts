// What a cluster remembers of a job that Flink would not start. Flink's side is a server that answers what Flink answers.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type ClusterSettings, resolveCluster } from "../cli/settings.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { createTopics, needsOf, withAdmin } from "../kafka/topics.ts";
import { properties } from "../parts/jvm.ts";
import { clusterMissing, startKafka } from "../testing/servers.ts";
import { groupId, projectTopics } from "../wire/topics.ts";
import { FlinkError, FlinkRest } from "./flink-rest.ts";
import { type JobState, readJobState, writeJobState } from "./job-state.ts";
import { earlierJobs, hasEarlierSettings, jobSettings, startingPoint, startJob, stopJob, submitJob } from "./submit.ts";

const STOPPED: JobState = {
  generation: 1,
  jobs: [{ jobId: "one", generation: 1, hash: "h", at: 1 }],
  savepoint: { path: "/savepoints/one", jobId: "one" },
};
const NEXT = { jobId: "two", generation: 1, hash: "h", at: 2, from: "/mistyped" };

/** Whether the job that could not be started is written down afterwards. */
async function isKept(t: TestContext, answer: { status: number; jobs: { jid: string; state: string }[] }): Promise<boolean> {
  const { settings, flink } = await clusterAt(t, "127.0.0.1:9", answers({ jobs: answer.jobs }, answer.status));
  const { folder } = settings;
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
  await mkdir(settings.folder, { recursive: true });
  const state: JobState = { generation: 1, jobs: [] };
  const job = { jobId: "one", generation: 1, hash: "h", at: 1, settings: jobSettings(settings, { generation: 1 }, state) };
  const isEarlier = (change: object, jobs: JobState["jobs"] = [job]): boolean =>
    hasEarlierSettings({ ...settings, plan: { ...settings.plan, ...change } }, { ...state, jobs });
  deepEqual([{}, { parallelism: 2 }, { checkpointMs: 7 }, { projects: { ...settings.plan.projects, outlet: "shop" } }, { slots: 9 }].map((change) => isEarlier(change)), [false, true, true, true, false]);
  const kafka = { ...settings.plan.kafka, properties: { "sasl.jaas.config": "the password of then" } };
  await writeFile(join(settings.folder, "job-kafka.properties"), properties(kafka.properties));
  const args = { ...job.settings.arguments, "kafka-properties": join(settings.folder, "job-kafka.properties") };
  const secret = { ...job, settings: { ...job.settings, arguments: args } };
  const changed = { ...kafka, properties: { "sasl.jaas.config": "another password" } };
  deepEqual([isEarlier({ kafka }, [secret]), isEarlier({ kafka: changed }, [secret])], [false, true], "a password went into the job");
  const { settings: _, ...ofEarlierRelease } = job;
  deepEqual(isEarlier({ parallelism: 2 }, [ofEarlierRelease]), false, "of what is not known nothing is said");
});

test("each project keeps its place in the job, whatever order the configuration names them in", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "attune-submit-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const settings = await resolveCluster({ data, kafka: "127.0.0.1:9" });
  const placesAfter = (projects: string, names: string[]): string | undefined => {
    const job = { jobId: "one", generation: 1, hash: "h", at: 1, settings: { parallelism: 1, arguments: { projects } } };
    const plan = { ...settings.plan, projects: Object.fromEntries(names.map((name) => [name, "shop"])) };
    return jobSettings({ ...settings, plan }, { generation: 1 }, { generation: 1, jobs: [job] }).arguments["projects"];
  };
  equal(placesAfter("default,alpha,zeta", ["default", "alpha", "beta", "zeta"]), "default,alpha,zeta,beta");
  equal(placesAfter("default,news", ["7", "news", "default"]), "default,news,7");
  equal(placesAfter("default,news,outlet", ["default", "outlet"]), "default,news,outlet", "a release before took the demo's out");
});

test("a job that does not run, and so can write no savepoint, is cancelled", async (t) => {
  const asked: string[] = [];
  let state = "RESTARTING";
  const { settings } = await clusterAt(t, "127.0.0.1:9", ({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    if (method === "PATCH") state = "CANCELED";
    response.end(JSON.stringify({ jobs: [{ jid: "one", name: "attune", state }] }));
  });
  equal(await stopJob(settings, 1), "the job was RESTARTING and is cancelled; the next one goes on from its newest checkpoint");
  deepEqual(asked, ["GET /jobs/overview", "PATCH /jobs/one?mode=cancel", "GET /jobs/overview"]);
});

/** Settings of a cluster with these brokers and a Flink that answers so. */
async function clusterAt(t: TestContext, kafka: string, answer: RequestListener): Promise<{ settings: ClusterSettings; flink: FlinkRest }> {
  const data = mkdtempSync(join(tmpdir(), "attune-submit-"));
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    rmSync(data, { recursive: true, force: true });
  });
  const { plan, ...settings } = await resolveCluster({ data, demo: "0", kafka, partitions: "2", parallelism: "1" });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await mkdir(settings.folder, { recursive: true });
  return { settings: { ...settings, plan: { ...plan, flink: { ...plan.flink, url } } }, flink: new FlinkRest(url) };
}

const answers = (answer: object, status = 200): RequestListener => (_, response) => response.writeHead(status).end(JSON.stringify(answer));

const JOB = { jobId: "one", generation: 1, hash: "h", at: 1 };

test("a job that somebody stopped in Flink itself goes on from the savepoint that was left, which stays", async (t) => {
  const completed = { id: 71, is_savepoint: false, discarded: true, external_path: "file:/checkpoints/one/chk-71" };
  const savepoint = { id: 72, is_savepoint: true, discarded: false, external_path: "file:/savepoints/savepoint-one" };
  const stopped = await clusterAt(t, "127.0.0.1:9", answers({ latest: { completed, savepoint } }));
  const state: JobState = { generation: 1, jobs: [{ ...JOB, from: "/savepoints/earlier" }] };
  deepEqual(await startingPoint(stopped.settings, stopped.flink, state, 1), { path: "/savepoints/savepoint-one", isOurs: false });
  const cancelled = await clusterAt(t, "127.0.0.1:9", answers({ latest: { completed: { ...completed, id: 73, discarded: false }, savepoint } }));
  deepEqual(await startingPoint(cancelled.settings, cancelled.flink, state, 1), { path: "/checkpoints/one/chk-71", isOurs: true }, "the newer one");
});

test("what a job has written and confirmed is not written again from the log's start", { skip: clusterMissing() ?? false }, async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const { settings, flink } = await clusterAt(t, kafka.bootstrap, answers({ errors: ["Job not found"] }, 404));
  const { connection } = settings;
  const topics = projectTopics("default");
  await createTopics(connection, needsOf(topics), { partitions: 2, replicas: 1 });
  const confirm = (partitionOffset: bigint): Promise<void> =>
    withAdmin(connection, (admin) =>
      admin.alterConsumerGroupOffsets({ groupId: groupId(1), topics: [{ name: topics.log[0]!, partitionOffsets: [{ partition: 0, offset: partitionOffset }] }] }),
    );
  const none: JobState = { generation: 1, jobs: [] };
  equal(await startingPoint(settings, flink, none, 1), undefined, "the first one");
  await confirm(1n);
  equal(await startingPoint(settings, flink, none, 1), undefined, "the topics were emptied since");
  const sender = new KafkaSender(connection);
  t.after(() => sender.close());
  await sender.send([{ topic: topics.profiles, partition: 1, key: Buffer.from("k"), value: Buffer.from("v") }]);
  await rejects(startingPoint(settings, flink, none, 1), /"attune cluster submit --backfill" builds everything anew/, "the folder of the job is new");
  await rejects(startingPoint(settings, flink, { ...none, jobs: [JOB] }, 1), /neither its checkpoint nor a savepoint/);
});

test("where a job cannot go on from its savepoint, what helps is said beside Flink's words", { skip: clusterMissing() ?? false }, async (t) => {
  const { settings } = await clusterAt(t, "127.0.0.1:9", ({ url }, response) => {
    if (url!.endsWith("/run")) response.writeHead(400).end(JSON.stringify({ errors: ["Caused by: java.io.EOFException"] }));
    else response.end(JSON.stringify({ jobs: [], filename: "job.jar" }));
  });
  const submitted = submitJob(settings, { generation: 1, from: "/savepoints/cut" });
  await rejects(submitted, /EOFException.*\n.*go on from \/savepoints\/cut\. Where that is gone or damaged: "attune cluster submit --from PATH"/);
});
