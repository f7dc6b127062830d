// What an event costs a TaskManager: CPU time of its process, by state backend, sink and number of persons. Every variant
// reads the same log from the start; the first third warms the JVM and V8 up and is not counted, nor are the JIT's own
// threads, which work for the first minutes of a process only.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Rig } from "../cluster/flink/testing/rig.ts";
import { clusterMissing } from "../cluster/testing/servers.ts";
import type { ClusterRecord } from "../cluster/wire/record.ts";
import type { Rng } from "../core/math/rng.ts";
import { rngFrom } from "../core/math/rng.ts";
import { shopProgram } from "../core/program/shop.ts";
import { printTable } from "./table.ts";

const PERSONS = (process.env["FLINK_PERSONS"] ?? "10000,100000").split(",").map(Number);
const EVENTS = Number(process.env["FLINK_EVENTS"] ?? 150_000);
/** Records of one person that lie together in the log, on average: a page sends what happened on it at once. */
const BURST = Number(process.env["FLINK_BURST"] ?? 3);
/** Memory for all that RocksDB caches, MB. */
const MANAGED_MB = Number(process.env["FLINK_MANAGED_MB"] ?? 256);
const BATCH = 1_000;
const START_MS = 1_760_000_000_000;
const POLL_MS = 300;
const PATIENCE_MS = 600_000;
/** Linux counts CPU time in hundredths of a second. */
const TICK_US = 10_000;
const TYPES = ["page_view", "view", "view", "click", "dwell", "add_to_cart", "purchase", "like"];

interface Variant {
  name: string;
  backend: "hashmap" | "rocksdb";
  args: Record<string, string | number>;
}

const SINKS = ["none", "at-least-once", "exactly-once"];
const VARIANTS: readonly Variant[] = (["hashmap", "rocksdb"] as const)
  .flatMap((backend) => SINKS.map((sink) => ({ name: `${backend}, ${sink}`, backend, args: { sink } })))
  .filter(({ name }) => name.includes(process.env["FLINK_ONLY"] ?? ""));

/**
 * `npm run bench -- flink`; FLINK_PERSONS, FLINK_EVENTS, FLINK_BURST and FLINK_MANAGED_MB change the sizes, FLINK_ONLY
 * takes the variants whose name has that text ("rocksdb, exactly-once").
 */
export async function flink(): Promise<void> {
  const missing = clusterMissing();
  if (missing !== undefined) return console.log(missing);
  for (const persons of PERSONS) await measure(persons);
}

async function measure(persons: number): Promise<void> {
  const memory = { taskHeapMb: persons >= 1_000_000 ? 1_400 : 700, managedMb: MANAGED_MB, networkMb: 48 };
  const rig = await Rig.start({
    keepsOutputs: false,
    memory,
    settings: { "metrics.fetcher.update-interval": 200, "execution.checkpointing.incremental": "true" },
  });
  try {
    await rig.putProgram({ version: 1, at: START_MS, document: shopProgram });
    const next = burstsOf(rngFrom(persons), persons);
    for (let written = 0; written < EVENTS; written += BATCH) await rig.write(Array.from({ length: BATCH }, next));
    const rows: (string | number)[][] = [];
    let generation = 1;
    for (const variant of VARIANTS) {
      await rig.addGeneration(++generation);
      const { cpuUs, wallUs } = await run(rig, variant, generation);
      rows.push([variant.name, cpuUs, Math.round(1_000_000 / wallUs)]);
      console.error(`${persons} persons, ${variant.name}: ${cpuUs.toFixed(1)} µs`);
    }
    const sizes = `${EVENTS.toLocaleString("en")} events of ${persons.toLocaleString("en")} persons`;
    console.log(`\n${sizes}, ${BURST} together, one subtask\n`);
    printTable(["state, sink", "CPU µs an event", "events/s"], rows);
  } finally {
    await rig.stop();
  }
}

async function run(
  rig: Rig,
  { backend, args }: Variant,
  generation: number,
): Promise<{ cpuUs: number; wallUs: number }> {
  const jobId = await rig.submit({
    args: { generation, "checkpoint-interval-ms": 2_000, "pass-on-after-ms": 0, ...args },
    settings: { "state.backend.type": backend },
  });
  const { pid } = rig.flink.taskManagers[0]!;
  const deadline = performance.now() + PATIENCE_MS;
  let first: { records: number; cpuUs: number; atMs: number } | undefined;
  for (;;) {
    const records = await rig.counter(jobId, "records");
    const now = { records, cpuUs: cpuUsOf(pid!), atMs: performance.now() };
    if (records >= EVENTS / 3) first ??= now;
    if (records >= EVENTS && first !== undefined) {
      await rig.rest.cancel(jobId);
      const counted = EVENTS - first.records;
      return { cpuUs: (now.cpuUs - first.cpuUs) / counted, wallUs: ((now.atMs - first.atMs) * 1_000) / counted };
    }
    if (performance.now() > deadline) throw new Error(`${records} of ${EVENTS} events in time`);
    await setTimeout(POLL_MS);
  }
}

/** Makes one event after the other: some of one person, then some of another. */
function burstsOf(rng: Rng, persons: number): () => { key: string; record: ClusterRecord } {
  let user = "";
  let left = 0;
  let serial = 0;
  return () => {
    if (left-- <= 0) {
      user = `u${rng.between(1, persons)}`;
      left = rng.between(0, 2 * BURST - 2);
    }
    return eventOf(rng, { user, serial: serial++ });
  };
}

function eventOf(rng: Rng, { user, serial }: { user: string; serial: number }): { key: string; record: ClusterRecord } {
  const type = TYPES[rng.between(0, TYPES.length - 1)]!;
  const item = rng.between(1, 20_000);
  const event = {
    event_id: `event-${serial}`,
    user_id: user,
    event_type: type,
    timestamp: START_MS + serial * 20,
    session_id: `${user}-${Math.floor(serial / 20_000)}`,
    ...(type === "page_view"
      ? {}
      : { item_id: `i${item}`, item: { categories: [`c${item % 30}`], tags: [`t${item % 9}`], price: 10.5 } }),
    ...(type === "dwell" || type === "purchase" ? { value: rng.between(1, 90) } : {}),
    context: { country: "DE", device: "mobile" },
  };
  return { key: `u:${user}`, record: { kind: "event", event } };
}

/** User and system time of a JVM so far, without its compilers. */
function cpuUsOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  let cpuUs = timesIn(`/proc/${pid}/stat`).cpuUs;
  for (const task of readdirSync(folder)) {
    const thread = timesIn(`${folder}/${task}/stat`);
    if (/^C[12] Compiler/.test(thread.name)) cpuUs -= thread.cpuUs;
  }
  return cpuUs;
}

function timesIn(file: string): { name: string; cpuUs: number } {
  const stat = readFileSync(file, "utf8");
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  return { name: stat.slice(stat.indexOf("(") + 1, end), cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US };
}
