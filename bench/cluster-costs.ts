// What an event and a person cost the cluster's parts: CPU time of each process, bytes that it writes, bytes in Kafka, in
// Flink's state and in Redis, and what it would take to close those at rest. What bench/scaling.ts and docs/guides/scaling.md reckon with. Every part is a real process of this machine.
import { createCipheriv, createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createClient } from "redis";
import { type ClusterSettings, resolveCluster } from "../cluster/cli/settings.ts";
import { bringUp } from "../cluster/cli/up.ts";
import { FlinkRest } from "../cluster/jobs/flink-rest.ts";
import { livingJob } from "../cluster/jobs/submit.ts";
import { lagOf } from "../cluster/kafka/lag.ts";
import type { Part } from "../cluster/parts/part.ts";
import { freePort } from "../cluster/parts/port.ts";
import { clusterMissing } from "../cluster/testing/servers.ts";
import { groupId, projectTopics } from "../cluster/wire/topics.ts";
import { sendAll } from "./load.ts";
import { printTable, round } from "./table.ts";
import { traffic } from "./traffic.ts";

const PERSONS = Number(process.env["PERSONS"] ?? 10_000);
const EVENTS = Number(process.env["EVENTS"] ?? 60_000);
const ITEMS = 5_000;
const EVENTS_A_REQUEST = 100;
const CONNECTIONS = 4;
const IDLE_MS = 10_000;
const PATIENCE_MS = 300_000;
const POLL_MS = 500;
/** Linux counts CPU time in hundredths of a second. */
const TICK_US = 10_000;
/** About an event in the log before it is compressed; a profile is two to three times as long. */
const RECORD_BYTES = 300;
const RECORDS = 200_000;
const VOLUME_BYTES = 1 << 20;
const VOLUMES = 400;

interface Sizes {
  logBytes: number;
  profilesBytes: number;
  stepsBytes: number;
  stateBytes: number;
  redisBytes: number;
}

export async function clusterCosts(): Promise<void> {
  const missing = clusterMissing();
  if (missing !== undefined) return console.log(missing);
  const folder = mkdtempSync(join(tmpdir(), "attune-costs-"));
  const settings = await resolveCluster({ data: folder, demo: "0", port: String(await freePort()) });
  const { installations, servers } = await bringUp(settings, () => undefined, "caller");
  const parts = [...installations, ...servers];
  try {
    const source = traffic({ seed: 1, persons: PERSONS, items: ITEMS });
    await load(settings, source, EVENTS);
    const before = await sizesOf(settings);
    const busy = await usedOver(parts, () => load(settings, source, EVENTS));
    const after = await sizesOf(settings);
    // Not before: a JVM that has just started compiles itself; nor at once: what was learnt is still being written.
    await setTimeout(IDLE_MS);
    const idle = await usedOver(parts, () => setTimeout(IDLE_MS));
    printCosts(parts, { idle, busy, before, after });
    printClosing(busy.writtenBytes.reduce((sum, bytes) => sum + bytes, 0) / EVENTS);
  } finally {
    await Promise.all(parts.map((part) => part.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends, and waits until the job has confirmed the last one. */
async function load(settings: ClusterSettings, source: ReturnType<typeof traffic>, count: number): Promise<void> {
  // All to the first server: what the second one does is what every server does for every event.
  const [port] = settings.plan.servers.ports;
  const body = (): Buffer => Buffer.from(JSON.stringify({ events: source.events(EVENTS_A_REQUEST) }));
  const requests = { method: "POST", path: "/v1/events", body } as const;
  const each = { count: count / EVENTS_A_REQUEST, connections: CONNECTIONS };
  const { failed } = await sendAll(`http://127.0.0.1:${port}`, requests, each);
  if (failed > 0) throw new Error(`${failed} requests were refused`);
  const deadline = performance.now() + PATIENCE_MS;
  const topics = projectTopics("default").log;
  for (;;) {
    const [lag] = await lagOf(settings.connection, groupId(1), topics);
    // Ticks are always a second or two behind.
    if (lag?.lag !== undefined && lag.lag < 4 * lag.partitions) return;
    if (performance.now() > deadline) throw new Error("the job did not catch up");
    await setTimeout(POLL_MS);
  }
}

interface Used {
  cpuUs: readonly number[];
  /** To disks, or to be written there soon. */
  writtenBytes: readonly number[];
  seconds: number;
}

async function usedOver(parts: readonly Part[], work: () => Promise<unknown>): Promise<Used> {
  const used = (of: (part: Part) => number, before?: readonly number[]): number[] =>
    parts.map((part, i) => of(part) - (before?.[i] ?? 0));
  const before = { cpu: used(cpuUs), written: used(writtenBytes) };
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  return { cpuUs: used(cpuUs, before.cpu), writtenBytes: used(writtenBytes, before.written), seconds };
}

function writtenBytes({ pid }: Part): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))![1]);
}

function cpuUs(part: Part): number {
  const stat = readFileSync(`/proc/${part.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

async function sizesOf({ folder, plan }: ClusterSettings): Promise<Sizes> {
  const bytesOf = (topic: string): number => {
    const data = join(folder, "kafka/data");
    const folders = readdirSync(data).filter((name) => name.startsWith(`${topic}-`));
    const files = folders.flatMap((name) => readdirSync(join(data, name)).map((file) => join(data, name, file)));
    const segments = files.filter((file) => file.endsWith(".log"));
    return segments.reduce((sum, file) => sum + statSync(file).size, 0);
  };
  const flink = new FlinkRest(plan.flink.url);
  const job = await livingJob(flink, 1);
  const { lastSizeBytes = 0 } = await flink.checkpoints(job!.jid);
  const client = await createClient({ url: plan.redis.url }).connect();
  const redisBytes = Number(/used_memory:(\d+)/.exec(await client.info("memory"))![1]);
  client.destroy();
  const topics = projectTopics("default");
  return {
    logBytes: bytesOf(topics.log[0]!),
    profilesBytes: bytesOf(topics.profiles),
    stepsBytes: bytesOf(topics.steps),
    stateBytes: lastSizeBytes,
    redisBytes,
  };
}

function printCosts(
  parts: readonly Part[],
  { idle, busy, before, after }: { idle: Used; busy: Used; before: Sizes; after: Sizes },
): void {
  const rows = parts.map(({ name }, i) => {
    const anEvent = [busy.cpuUs[i]!, busy.writtenBytes[i]!].map((used) => round(used / EVENTS));
    return [name, round(idle.cpuUs[i]! / idle.seconds / 1e6), ...anEvent];
  });
  const rate = round(EVENTS / busy.seconds);
  console.log(`\n${EVENTS} events of ${PERSONS} persons after as many before, ${rate} a second\n`);
  printTable(["part", "cores while idle", "CPU µs an event", "bytes written an event"], rows);
  const perEvent = (field: keyof Sizes): number => (after[field] - before[field]) / EVENTS;
  console.log("");
  printTable(
    ["bytes", ""],
    [
      ["log, an event", perEvent("logBytes")],
      ["profiles, an event before compaction", perEvent("profilesBytes")],
      ["steps, an event", perEvent("stepsBytes")],
      ["Flink's state, an event more of the same persons", perEvent("stateBytes")],
      ["Flink's state, a person with all of it", after.stateBytes / PERSONS],
      ["Redis, a person", after.redisBytes / PERSONS],
    ],
  );
}

/** The two ways to close at rest: the disk below (dm-crypt ciphers sectors so), or each record, by whoever writes and reads it. */
function printClosing(writtenBytes: number): void {
  const volumeKey = randomBytes(64);
  const volume = randomBytes(VOLUME_BYTES);
  const volumeUs = cpuUsOf(VOLUMES, () => void createCipheriv("aes-256-xts", volumeKey, randomBytes(16)).update(volume));
  const recordKey = createSecretKey(randomBytes(32));
  const record = randomBytes(RECORD_BYTES);
  const recordUs = cpuUsOf(RECORDS, () => {
    const cipher = createCipheriv("aes-256-gcm", recordKey, randomBytes(12));
    Buffer.concat([cipher.update(record), cipher.final(), cipher.getAuthTag()]);
  });
  console.log("");
  printTable(
    ["closing at rest, CPU µs an event", ""],
    [
      ["all that is written, as sectors (AES-256-XTS)", round((writtenBytes * volumeUs) / VOLUME_BYTES)],
      [`one record of ${RECORD_BYTES} bytes, once (AES-256-GCM in Node)`, round(recordUs)],
    ],
  );
}

/** Of one turn. */
function cpuUsOf(turns: number, work: () => void): number {
  for (let i = 0; i < turns / 10; i++) work();
  const before = process.cpuUsage();
  for (let i = 0; i < turns; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / turns;
}
