// `attune cluster status`: parts, the job with its checkpoints, lag, throughput. Exit code 1 where something is missing.
import { readFileSync } from "node:fs";
import { FlinkRest } from "../jobs/flink-rest.ts";
import { type JobState, readJobState } from "../jobs/job-state.ts";
import { livingJob } from "../jobs/submit.ts";
import { lagOf, type TopicLag } from "../kafka/lag.ts";
import { sayWrittenAgain, writtenAgain } from "../kafka/written-again.ts";
import { checkTopics } from "../kafka/topics.ts";
import type { Part } from "../parts/part.ts";
import { groupId, projectTopics } from "../wire/topics.ts";
import { checkGroup, checkReadable, checkRedis, checkWritable, withoutPassword } from "./checks.ts";
import { partsOf } from "./cluster-parts.ts";
import { openDisk } from "./open-disk.ts";
import { plainly } from "./plain-faults.ts";
import { sayEarlierSettings } from "./up.ts";
import { clusterTopics, sayPartitions } from "./topics.ts";
import { type ClusterFlags, type ClusterSettings, readCluster, serverUrl } from "./settings.ts";

export interface PartStatus {
  name: string;
  state: "ready" | "starting" | "dead" | "running";
  pid?: number;
  memoryMb?: number;
}

export interface JobStatus {
  id: string;
  state: string;
  generation: number;
  parallelism: number;
  restarts: number;
  /** Why it does not run, or has saved nothing since. */
  failure?: string;
  checkpoints: number;
  failedCheckpoints: number;
  checkpointMs?: number;
  checkpointBytes?: number;
  checkpointAgeMs?: number;
  /** Records a second, over the last minute: into the job, and out of it. */
  inPerSecond: number;
  outPerSecond: number;
}

export interface ClusterStatus {
  parts: PartStatus[];
  addresses: { servers: string[]; kafka: string; flink: string; redis: string };
  job?: JobStatus;
  /** Of the topics that the job reads. */
  lag: TopicLag[];
  /** What an operator should know of: things that run, but not as they should. */
  warnings: string[];
  /** What could not be asked. */
  faults: string[];
}

export async function statusCommand(flags: ClusterFlags & { json?: boolean | undefined }): Promise<number> {
  const settings = await readCluster(flags);
  const status = await clusterStatus(settings);
  process.stdout.write(flags.json === true ? `${JSON.stringify(status, undefined, 2)}\n` : tableOf(status));
  return isWhole(status) ? 0 : 1;
}

/** Every part serves, the job runs and saves, and everything could be asked. A part that stands still is "starting" for ever. */
export function isWhole({ parts, job, faults }: ClusterStatus): boolean {
  const goesOn = job?.state === "RUNNING" && job.failure === undefined;
  return parts.every(({ state }) => state === "ready" || state === "running") && goesOn && faults.length === 0;
}

async function clusterStatus(settings: ClusterSettings): Promise<ClusterStatus> {
  const { folder, plan, connection } = settings;
  const state = await readJobState(folder);
  const { generation } = state;
  const { installations, servers, supervisor } = partsOf(settings, generation);
  const faults = new Set<string>();
  const noted = <T>(promise: Promise<T>): Promise<T | undefined> =>
    promise.catch((error: Error) => void faults.add(plainly(error) ?? error.message));
  // Our own, where it is dead, is a part that says so itself; one that runs may be full.
  const isAsked = plan.redis.own === undefined || installations.some(({ name, pid }) => name === "redis" && pid !== undefined);
  const redis = isAsked ? noted(checkRedis(plan.redis)) : [];
  // An administrator may have changed them since "up" looked.
  const needs = clusterTopics(plan.projects, generation);
  const checked = noted(checkTopics(connection, needs));
  const readable = noted(checkReadable(connection, needs.map(({ name }) => name)));
  const confirmed = noted(checkGroup(connection, groupId(generation)));
  // Into a log that waits for a restore nothing may be written.
  const isWritten = servers.some(({ pid }) => pid !== undefined);
  const topics = Object.keys(plan.projects).flatMap((name) => projectTopics(name, { generation }).log);
  const [parts, job, lag, again] = await Promise.all([
    Promise.all([...installations, ...servers, supervisor].map((part) => statusOf(part, part === supervisor))),
    noted(jobStatus(new FlinkRest(plan.flink.url), generation)),
    noted(lagOf(connection, groupId(generation), topics)),
    noted(writtenAgain(connection, generation)),
  ]);
  const refused = isWritten ? await checkWritable(connection, topics) : [];
  for (const fault of [...((await redis) ?? []), ...((await readable) ?? []), ...((await confirmed) ?? []), ...refused]) faults.add(fault);
  const partitions = sayPartitions(needs, (await checked) ?? new Map(), plan.partitions);
  return {
    parts,
    addresses: {
      servers: plan.servers.ports.map((port) => serverUrl(plan.servers, port)),
      kafka: plan.kafka.brokers.join(","),
      flink: plan.flink.url,
      redis: withoutPassword(plan.redis.url),
    },
    ...(job === undefined ? {} : { job }),
    lag: lag ?? [],
    warnings: [openDisk(settings), ...earlier(settings, state, job), partitions, sayWrittenAgain(again ?? [])].filter((warning) => warning !== undefined),
    faults: [...faults],
  };
}

/** Of a job that runs: where none does, the next "up" submits one with the settings that are. */
function earlier(settings: ClusterSettings, state: JobState, job: JobStatus | undefined): (string | undefined)[] {
  return job === undefined ? [] : [sayEarlierSettings(settings, state)];
}

async function statusOf(part: Part, hasNoDoor: boolean): Promise<PartStatus> {
  const { name, pid } = part;
  if (pid === undefined) return { name, state: "dead" };
  const state = hasNoDoor ? "running" : (await part.isReady()) ? "ready" : "starting";
  return { name, state, pid, memoryMb: memoryMb(pid) };
}

/** Resident memory; 0 where the process ended meanwhile. */
function memoryMb(pid: number): number {
  try {
    return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024);
  } catch {
    // The process has just ended; the next look says so.
    return 0;
  }
}

async function jobStatus(flink: FlinkRest, generation: number): Promise<JobStatus | undefined> {
  const job = await livingJob(flink, generation);
  if (job === undefined) return undefined;
  const [checkpoints, vertices, restarts, last] = await Promise.all([
    flink.checkpoints(job.jid),
    flink.vertices(job.jid),
    flink.jobMetric(job.jid, "numRestarts"),
    flink.lastFailure(job.jid),
  ]);
  // A job that fails again and again runs for a moment in between.
  const isOver = job.state === "RUNNING" && (last === undefined || last.atMs < (checkpoints.lastAtMs ?? 0));
  const rates = await Promise.all(
    vertices.map(({ id }) => flink.metricSums(job.jid, id, ["numRecordsInPerSecond", "numRecordsOutPerSecond"])),
  );
  const sumOf = (name: string, isCounted: (index: number) => boolean): number =>
    Math.round(rates.reduce((sum, rate, i) => sum + (isCounted(i) ? (rate.get(name) ?? 0) : 0), 0));
  const { lastAtMs, lastDurationMs, lastSizeBytes } = checkpoints;
  return {
    id: job.jid,
    state: job.state,
    generation,
    parallelism: Math.max(...vertices.map(({ parallelism }) => parallelism)),
    restarts: restarts ?? 0,
    ...(last === undefined || isOver ? {} : { failure: rootOf(last.stackTrace) }),
    checkpoints: checkpoints.completed,
    failedCheckpoints: checkpoints.failed,
    ...(lastDurationMs === undefined ? {} : { checkpointMs: lastDurationMs }),
    ...(lastSizeBytes === undefined ? {} : { checkpointBytes: lastSizeBytes }),
    ...(lastAtMs === undefined ? {} : { checkpointAgeMs: Date.now() - lastAtMs }),
    inPerSecond: sumOf("numRecordsOutPerSecond", (i) => vertices[i]!.name.startsWith("Source")),
    outPerSecond: sumOf("numRecordsOutPerSecond", (i) => !vertices[i]!.name.startsWith("Source")),
  };
}

/** The last cause that a stack trace names: what it was at bottom. Why a checkpoint could not be written Flink's interface does not tell. */
export function rootOf(stackTrace: string): string {
  const [first = "", ...others] = stackTrace.split("\n");
  const root = (others.findLast((line) => line.startsWith("Caused by: ")) ?? first).replace("Caused by: ", "").trim();
  return root.includes("checkpoint tolerable failure threshold") ? `${root} ${UNSAVED}` : root;
}

const UNSAVED = "Is its folder (execution.checkpointing.dir) full, or not to be written to? The logs of the TaskManagers say so";

function tableOf({ parts, addresses, job, lag, warnings, faults }: ClusterStatus): string {
  const rows = parts.map(({ name, state, pid, memoryMb }) => [
    name,
    state,
    pid === undefined ? "" : `pid ${pid}`,
    memoryMb === undefined ? "" : `${memoryMb} MB`,
  ]);
  const lines = columns(rows);
  lines.push("", ...columns([["servers", addresses.servers.join(" ")], ["kafka", addresses.kafka]]));
  lines.push(...columns([["flink", addresses.flink], ["redis", addresses.redis]]), "");
  if (job === undefined) lines.push('job      none runs: "attune cluster up"');
  else {
    const { checkpoints, failedCheckpoints, checkpointMs, checkpointBytes, checkpointAgeMs } = job;
    lines.push(
      `job      ${job.state.toLowerCase()}, parallelism ${job.parallelism}, generation ${job.generation}, ` +
        `${job.restarts} restarts, ${job.id}`,
      `rate     ${job.inPerSecond} records/s in, ${job.outPerSecond} out`,
      `save     ${checkpoints} checkpoints, ${failedCheckpoints} failed` +
        (checkpointMs === undefined
          ? ""
          : `; the last ${seconds(checkpointAgeMs!)} ago, ${checkpointMs} ms, ${megabytes(checkpointBytes!)}`),
    );
  }
  if (job?.failure !== undefined) lines.push(`fails    ${job.failure}`);
  for (const one of lag) {
    const behind = one.lag === undefined ? "the job has confirmed nothing yet" : `${one.lag} behind`;
    lines.push(`log      ${one.topic}: ${one.end} records in ${one.partitions} partitions, ${behind}`);
  }
  lines.push(...warnings.map((warning) => `warning  ${warning}`));
  lines.push(...faults.map((fault) => `fault    ${fault}`));
  return `${lines.join("\n")}\n`;
}

function columns(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(8, ...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join(" ").trimEnd());
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MB`;
