// More than the node can take, in open loop, while its memory is capped: whoever is refused is told when to come again, what
// was accepted is there, the node stays up, and it is well again soon after.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { auditLog, compareState } from "./kills.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally, type SentEvent } from "./ledger.ts";
import { settle } from "./load.ts";
import { putProgram, readyNode } from "./node.ts";

const MEMORY_GROUPS = "/sys/fs/cgroup/memory";
const BATCH = 50;
const PERSONS = 200;
const CONNECTIONS_MAX = 6_000;
/** In closed loop, to learn what the node takes; more clients than that make it no faster. */
const CLIENTS = 16;
const WARM_UP_MS = 1_500;
const CALM_MS_MAX = 10_000;
/** So many accepted in a row, each within `CALM_ANSWER_MS`, are calm. */
const CALM_ANSWERS = 10;
const CALM_ANSWER_MS = 500;
const MEASURE_MS = 2_500;
/** Of what the node takes in peace: to refuse many must not keep it from its work. */
const TAKEN_SHARE_MIN = 0.25;

export interface OverloadOptions {
  folder: string;
  /** How much is sent beyond what the node takes. */
  factor: number;
  forMs: number;
  seed: number;
  memoryBytes: number;
}

export interface OverloadTally extends FaultTally {
  /** Events a second that it took when it was left to set the pace. */
  capacity: number;
  offered: number;
  /** While overloaded. */
  taken: number;
  healthMsP99: number;
  memoryBytesMax: number;
  calmAfterMs: number;
}

/** Why no process can be capped here; undefined where one can. */
export function memoryCapMissing(): string | undefined {
  if (!existsSync(`${MEMORY_GROUPS}/memory.limit_in_bytes`)) return "no memory control groups (v1) here";
  try {
    memoryGroup(`attune-probe-${process.pid}`, 64 << 20).remove();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export async function overload(options: OverloadOptions): Promise<OverloadTally> {
  const group = memoryGroup(`attune-overload-${process.pid}`, options.memoryBytes);
  try {
    return await overloadIn(group, options);
  } finally {
    group.remove();
  }
}

async function overloadIn(group: MemoryGroup, options: OverloadOptions): Promise<OverloadTally> {
  const { factor, forMs } = options;
  const rng = rngFrom(options.seed);
  const ledger = new Ledger();
  ledger.newPersons(PERSONS);
  const node = await readyNode({ dataFolder: options.folder, memoryGroup: group.folder });
  const senders = sendersOf(node.url, ledger, rng);
  try {
    await putProgram(node.url, FAULTS_PROGRAM);
    await senders.closedLoop(WARM_UP_MS);
    const capacity = await senders.closedLoop(MEASURE_MS);
    const health = watchHealth(node.url);
    const { offered, taken } = await senders.openLoop((factor * capacity) / BATCH, forMs);
    const healthMs = await health.stop();
    const calmAfterMs = await untilCalm(senders);
    assert.ok(!node.isGone, "the node stays up");
    const memoryBytesMax = group.bytesMax();
    await settle(node.url, ledger, rng);
    const tally = newTally();
    for (const [what, times] of senders.answers) tally.by[what] = times;
    await compareState(node.url, ledger, tally);
    await node.stop();
    await auditLog(options.folder, ledger, tally);
    const { sentCount: sent, ackedCount: acked } = ledger;
    const healthMsP99 = healthMs[Math.floor(healthMs.length * 0.99)] ?? 0;
    return { ...tally, rounds: 1, sent, acked, capacity, offered, taken, healthMsP99, memoryBytesMax, calmAfterMs };
  } finally {
    senders.close();
    if (!node.isGone) await node.kill();
  }
}

/** What must hold of a tally. */
export function overloadFaults(tally: OverloadTally, memoryBytes: number): string[] {
  const kinds = Object.keys(tally.by).filter((what) => !/^(202|(429|503|507) with retry-after)$/.test(what));
  return [
    ...(tally.lost + tally.doubled + tally.unknown > 0 ? ["events lost, doubled or from nowhere"] : []),
    ...kinds.map((what) => `answers: ${what}`),
    ...(tally.calmAfterMs > CALM_MS_MAX ? [`calm only after ${tally.calmAfterMs} ms`] : []),
    ...(tally.taken < TAKEN_SHARE_MIN * tally.capacity ? ["less than a quarter taken of what it takes in peace"] : []),
    ...(tally.memoryBytesMax > memoryBytes ? ["more memory than allowed"] : []),
  ];
}

interface Batch {
  events: SentEvent[];
  body: Buffer;
}

interface Senders {
  /** Answers so far: `202`, `429 with retry-after`, `503 without retry-after`, `no answer`. */
  readonly answers: ReadonlyMap<string, number>;
  /** As many requests at a time as there are clients. Events a second. */
  closedLoop(forMs: number): Promise<number>;
  /** A request each 1/perS, whatever became of those before. Events a second. */
  openLoop(perS: number, forMs: number): Promise<{ offered: number; taken: number }>;
  /** One batch: whether it was accepted, and how long that took. */
  one(): Promise<{ isAccepted: boolean; tookMs: number }>;
  close(): void;
}

function sendersOf(url: string, ledger: Ledger, rng: Rng): Senders {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: "lifo" });
  const answers = new Map<string, number>();
  // What was refused goes again, so that the books hold what was taken and little else.
  const refused: Batch[] = [];
  let taken = 0;
  let underWay = 0;

  function newBatch(): Batch {
    const events = ledger.newEvents(rng, BATCH);
    return { events, body: Buffer.from(JSON.stringify({ events })) };
  }
  async function one(): Promise<{ isAccepted: boolean; tookMs: number }> {
    const batch = refused.pop() ?? newBatch();
    const startMs = performance.now();
    underWay++;
    const answer = await post(url, agent, batch.body);
    underWay--;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    const isAccepted = answer === "202";
    if (isAccepted) {
      ledger.acked(batch.events);
      taken += BATCH;
    } else refused.push(batch);
    return { isAccepted, tookMs: performance.now() - startMs };
  }
  return {
    answers,
    one,
    async closedLoop(forMs) {
      const [before, startMs] = [taken, performance.now()];
      const client = async (): Promise<void> => {
        while (performance.now() - startMs < forMs) await one();
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      return ((taken - before) * 1_000) / (performance.now() - startMs);
    },
    async openLoop(perS, forMs) {
      const [before, startMs] = [taken, performance.now()];
      let sent = 0;
      const all: Promise<unknown>[] = [];
      for (let atMs = 0; atMs < forMs; atMs = performance.now() - startMs) {
        for (const due = (atMs * perS) / 1_000; sent < due && underWay < CONNECTIONS_MAX; sent++) all.push(one());
        await setTimeout(1);
      }
      const seconds = (performance.now() - startMs) / 1_000;
      const during = taken - before;
      await Promise.all(all);
      return { offered: (sent * BATCH) / seconds, taken: during / seconds };
    },
    close: () => agent.destroy(),
  };
}

function post(url: string, agent: Agent, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const sent = request(`${url}/v1/events`, { method: "POST", agent, headers }, (response) => {
      const { statusCode, headers: said } = response;
      response.resume();
      response.on("end", () => {
        if (statusCode === 202) return resolve("202");
        resolve(`${statusCode} ${Number(said["retry-after"]) > 0 ? "with" : "without"} retry-after`);
      });
      response.on("error", () => resolve("no answer"));
    });
    sent.on("error", () => resolve("no answer"));
    sent.end(body);
  });
}

function watchHealth(url: string): { stop(): Promise<number[]> } {
  const took: number[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const startMs = performance.now();
      const answer = await fetch(`${url}/healthz`);
      assert.equal(answer.status, 200, "the node lives");
      await answer.arrayBuffer();
      took.push(performance.now() - startMs);
      await setTimeout(100);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return took.sort((a, b) => a - b);
    },
  };
}

async function untilCalm(senders: Senders): Promise<number> {
  const startMs = performance.now();
  for (let calm = 0; calm < CALM_ANSWERS;) {
    const { isAccepted, tookMs } = await senders.one();
    calm = isAccepted && tookMs < CALM_ANSWER_MS ? calm + 1 : 0;
    if (performance.now() - startMs > 6 * CALM_MS_MAX) break;
  }
  return Math.round(performance.now() - startMs);
}

interface MemoryGroup {
  readonly folder: string;
  bytesMax(): number;
  remove(): void;
}

function memoryGroup(name: string, bytes: number): MemoryGroup {
  const folder = `${MEMORY_GROUPS}/${name}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/memory.limit_in_bytes`, String(bytes));
  return {
    folder,
    bytesMax: () => Number(readFileSync(`${folder}/memory.max_usage_in_bytes`, "utf8")),
    remove: () => rmdirSync(folder),
  };
}
