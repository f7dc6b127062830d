// Brings the job of a generation to run, once: from where it stopped, or from its newest checkpoint.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { setTimeout } from "node:timers/promises";
import { ensureJobJar } from "../install/job.ts";
import { properties } from "../parts/jvm.ts";
import type { ClusterSettings } from "../cli/settings.ts";
import { lagOf } from "../kafka/lag.ts";
import { offsetsOf } from "../kafka/offsets.ts";
import { groupId, projectTopics } from "../wire/topics.ts";
import { newestCheckpoint } from "./checkpoints.ts";
import { faultsOf, FlinkError, FlinkRest, isLiving, type JobOverview } from "./flink-rest.ts";
import { type JobSettings, type JobState, lastJob, readJobState, type SubmittedJob, writeJobState } from "./job-state.ts";

const RUNNING_PATIENCE_MS = 120_000;
const POLL_MS = 200;

/** The name that Flink lists the job under. */
const jobName = (generation: number): string => (generation === 1 ? "attune" : `attune.g${generation}`);

/** The job of a generation that runs, or will again by itself. */
export async function livingJob(flink: FlinkRest, generation: number): Promise<JobOverview | undefined> {
  return (await flink.jobs()).find((job) => job.name === jobName(generation) && isLiving(job));
}

/** Jobs of ours of earlier generations that live: who is interrupted when a backfill takes over leaves one. */
export async function earlierJobs(flink: FlinkRest, { jobs, generation }: JobState): Promise<SubmittedJob[]> {
  const earlier = jobs.filter((job) => job.generation < generation);
  if (earlier.length === 0) return [];
  const living = new Set((await flink.jobs()).filter(isLiving).map(({ jid }) => jid));
  return earlier.filter(({ jobId }) => living.has(jobId));
}

/** Whether the last job was submitted with another plan. */
export function hasEarlierSettings(settings: ClusterSettings, state: JobState): boolean {
  const { generation } = state;
  const submitted = lastJob(state, generation)?.settings;
  if (submitted === undefined) return false;
  return !isDeepStrictEqual(submitted, jobSettings(settings, { generation }, state)) || hasEarlierSecrets(settings);
}

/** Kafka's properties went into the job when it was submitted: it goes on with a password that was changed since. */
function hasEarlierSecrets({ folder, plan }: ClusterSettings): boolean {
  const file = secretsFile(folder);
  return plan.jobPropertiesFile === undefined && existsSync(file) && readFileSync(file, "utf8") !== properties(plan.kafka.properties);
}

export interface SubmitOptions {
  generation: number;
  /** A savepoint or checkpoint of the operator's choice. */
  from?: string;
  exactlyOnce?: boolean;
}

/**
 * Submits the job where none of its generation lives; its id. It goes on from `from`, else from the savepoint that it
 * was stopped with, else from its newest checkpoint, else, as the first one, it reads the log from the start.
 * @throws FlinkError also where what the one before has written would be written a second time.
 */
export async function submitJob(settings: ClusterSettings, options: SubmitOptions): Promise<string> {
  const { folder, plan } = settings;
  const { generation } = options;
  const flink = new FlinkRest(plan.flink.url);
  const living = await livingJob(flink, generation);
  if (living !== undefined) return living.jid;
  const jar = await ensureJobJar();
  const state = await readJobState(folder);
  const from = options.from === undefined ? await startingPoint(settings, flink, state, generation) : { path: options.from, isOurs: false };
  const jobId = randomBytes(16).toString("hex");
  const { parallelism, arguments: named } = jobSettings(settings, options, state);
  await writeSecrets(settings);
  const job: SubmittedJob = {
    jobId,
    generation,
    hash: jar.hash,
    settings: { parallelism, arguments: named },
    at: Date.now(),
    ...(from === undefined ? {} : { from: from.path }),
  };
  await startJob(flink, folder, job, async () => {
    const jarId = await flink.uploadJar(jar.path);
    try {
      await flink.run(jarId, {
        jobId,
        args: Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]),
        parallelism,
        ...(from === undefined ? {} : { from }),
      });
    } catch (error) {
      if (from === undefined || !(error instanceof FlinkError)) throw error;
      throw new FlinkError(`${error.message}\n${sayUnread(from.path)}`, { cause: error });
    } finally {
      await flink.deleteJar(jarId);
    }
  });
  return jobId;
}

/**
 * Starts a job that is written down before: whoever is interrupted meanwhile finds it again, or where it was to start from.
 * One that Flink refused is forgotten, and the next one goes on from where the last one ended, not from what was refused.
 */
export async function startJob(flink: FlinkRest, folder: string, job: SubmittedJob, start: () => Promise<void>): Promise<void> {
  const before = await readJobState(folder);
  await writeJobState(folder, { ...before, jobs: [...before.jobs, job] });
  try {
    await start();
  } catch (error) {
    const isRefused = await flink.jobs().then(
      (jobs) => !jobs.some((one) => one.jid === job.jobId && isLiving(one)),
      // Without an answer nobody knows.
      () => false,
    );
    if (isRefused) await writeJobState(folder, before);
    throw error;
  }
}

/** Waits until every subtask runs. @throws FlinkError with the job's own words where it does not come to that. */
export async function untilRunning(flink: FlinkRest, jobId: string): Promise<void> {
  const deadline = performance.now() + RUNNING_PATIENCE_MS;
  for (;;) {
    const job = (await flink.jobs()).find(({ jid }) => jid === jobId);
    if (job?.state === "RUNNING" && job.tasks.running === job.tasks.total) return;
    const isOver = job !== undefined && !isLiving(job);
    if (isOver || performance.now() > deadline) {
      const failure = await flink.lastFailure(jobId);
      throw new FlinkError(`the job is ${job?.state ?? "gone"}${failure === undefined ? "" : `:\n${faultsOf(failure.stackTrace)}`}`);
    }
    await setTimeout(POLL_MS);
  }
}

/**
 * Stops the job with a savepoint that the next one of its generation goes on from. One that does not run cannot write any: it
 * is cancelled, and the next one goes on from its newest checkpoint. What became of it, in words.
 */
export async function stopJob(settings: ClusterSettings, generation: number): Promise<string> {
  const { folder, plan } = settings;
  const flink = new FlinkRest(plan.flink.url);
  const job = await livingJob(flink, generation);
  if (job === undefined) return "no job runs";
  if (job.state !== "RUNNING") {
    await flink.cancel(job.jid);
    while ((await livingJob(flink, generation)) !== undefined) await setTimeout(POLL_MS);
    return `the job was ${job.state} and is cancelled; the next one goes on from its newest checkpoint`;
  }
  const path = await flink.stop(job.jid);
  await writeJobState(folder, { ...(await readJobState(folder)), savepoint: { path, jobId: job.jid } });
  return `the job has stopped with savepoint ${path}`;
}

/** A savepoint or checkpoint; what is not ours is never deleted. */
interface StartingPoint {
  readonly path: string;
  readonly isOurs: boolean;
}

/**
 * Where the last job of the generation was when it ended; undefined for the first one, which reads the log.
 * @throws FlinkError where neither is so.
 */
export async function startingPoint(
  settings: ClusterSettings,
  flink: FlinkRest,
  state: JobState,
  generation: number,
): Promise<StartingPoint | undefined> {
  const { folder, plan } = settings;
  const last = lastJob(state, generation);
  if (last !== undefined) {
    if (state.savepoint?.jobId === last.jobId) return { path: state.savepoint.path, isOurs: true };
    const newest = plan.flink.own && (await newestCheckpoint(join(folder, "flink/checkpoints", last.jobId)));
    if (newest !== undefined) return { path: newest, isOurs: true };
    const known = await flink.startingPoint(last.jobId);
    if (known !== undefined) return { path: known.path, isOurs: !known.isSavepoint };
    if (last.from !== undefined) return { path: last.from, isOurs: false };
  }
  if (await hasWritten(settings, generation)) throw new FlinkError(sayLost(generation));
  return undefined;
}

/** Whether a job of the generation has confirmed what it wrote, and that is still there. */
async function hasWritten({ plan, connection }: ClusterSettings, generation: number): Promise<boolean> {
  const topics = Object.keys(plan.projects).map((name) => projectTopics(name, { generation }));
  const log = await lagOf(connection, groupId(generation), topics.flatMap(({ log }) => log));
  if (log.every(({ lag }) => lag === undefined)) return false;
  const written = await offsetsOf(connection, topics.map(({ profiles }) => profiles));
  return [...written.values()].some(({ starts, ends }) => ends.some((end, i) => end > starts[i]!));
}

function sayLost(generation: number): string {
  return (
    `a job of generation ${generation} has confirmed what it wrote, and neither its checkpoint nor a savepoint of it can be found: ` +
    `with the log read anew into the same topics slots and experiments would count everything twice. ${WITHOUT_ONE}`
  );
}

function sayUnread(path: string): string {
  return `the job was to go on from ${path}. Where that is gone or damaged: ${WITHOUT_ONE}`;
}

const WITHOUT_ONE =
  '"attune cluster submit --from PATH" goes on from a copy of one, "attune cluster submit --backfill" builds everything anew from the log';

/** What the plan says of a generation's job, for Flink. */
export function jobSettings(
  { folder, plan }: ClusterSettings,
  { generation, exactlyOnce = true }: SubmitOptions,
  state: JobState,
): JobSettings {
  const { kafka, partitions, checkpointMs, transactionTimeoutMs, parallelism } = plan;
  const given = {
    ...(hasSecrets(plan) ? { "kafka-properties": plan.jobPropertiesFile ?? secretsFile(folder) } : {}),
    brokers: kafka.brokers.join(","),
    projects: projectsInPlace(plan, lastJob(state, generation)).join(","),
    partitions,
    generation,
    "checkpoint-interval-ms": checkpointMs,
    "transaction-timeout-ms": transactionTimeoutMs,
    "exactly-once": exactlyOnce,
    // Not the moment of this submission: what the stopped job had not passed on yet is still to be.
    "pass-on-after-ms": state.passOnAfterMs?.[generation] ?? 0,
  };
  return { parallelism, arguments: Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])) };
}

/** The job keeps a person by his project's place in the list, so each project keeps the place that it has, and new ones come behind. */
function projectsInPlace({ projects }: ClusterSettings["plan"], before: SubmittedJob | undefined): string[] {
  const placed = before?.settings?.arguments["projects"]?.split(",") ?? [];
  return [...new Set([...placed, ...Object.keys(projects)])];
}

/** Kafka's properties for the job: in a file, because everybody who may look at Flink sees the arguments. */
async function writeSecrets({ folder, plan }: ClusterSettings): Promise<void> {
  if (!hasSecrets(plan) || plan.jobPropertiesFile !== undefined) return;
  await writeFile(secretsFile(folder), properties(plan.kafka.properties), { mode: 0o600 });
}

const hasSecrets = ({ kafka }: ClusterSettings["plan"]): boolean => Object.keys(kafka.properties).length > 0;
const secretsFile = (folder: string): string => join(folder, "job-kafka.properties");
