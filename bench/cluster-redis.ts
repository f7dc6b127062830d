// What a person costs in Redis: CPU of Redis and of a server for a write and a read, and memory. CPU time, so that a busy
// machine does not show in it.
import { readFileSync } from "node:fs";
import { RedisLink } from "../cluster/redis/link.ts";
import { changeOf, ProfileStore } from "../cluster/redis/profile-store.ts";
import { startRedis } from "../cluster/testing/servers.ts";
import type { ProfileValue } from "../cluster/wire/profile.ts";
import { printTable } from "./table.ts";

const PERSONS = 100_000;
const PIPELINE = 500;
/** As the shop's program makes them. */
const PERSON_BYTES = 1_300;
const SEGMENTS = ["browsing", "new_visitor", "on_the_phone"];
const CLOCK_TICK_MS = 10;
const RETRY_MS = 50;

export async function clusterRedis(): Promise<void> {
  const redis = await startRedis({ memoryMb: 1_000 });
  const link = await RedisLink.open({ urls: [redis.url] });
  const store = new ProfileStore(link, { project: "bench", generation: 1, shards: 4 });
  const person = Buffer.alloc(PERSON_BYTES, 7);
  const keyOf = (i: number): string => `u:visitor-${i + 1e8}`;
  const valueOf = (i: number, sequence: number): ProfileValue => ({
    sequence,
    asOfMs: 1e12 + sequence,
    version: sequence,
    programVersion: 1,
    nextCheckMs: Infinity,
    memberships: SEGMENTS,
    person,
    changes: [{ version: sequence, atMs: 1e12, event: eventOf(i, sequence), entered: [], left: [], triggers: [] }],
  });
  const cpuOfRedisMs = (): number => {
    const fields = readFileSync(`/proc/${redis.part.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  };
  const memoryBytes = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(String(await link.write("x", ["INFO", "memory"])))![1]);
  const rows: (string | number)[][] = [];
  const measure = async (name: string, one: (i: number) => Promise<unknown>): Promise<void> => {
    const redisMs = cpuOfRedisMs();
    const cpu = process.cpuUsage();
    for (let start = 0; start < PERSONS; start += PIPELINE) {
      await Promise.all(Array.from({ length: PIPELINE }, (_, i) => untilAnswered(() => one(start + i))));
    }
    const { user, system } = process.cpuUsage(cpu);
    rows.push([name, ((cpuOfRedisMs() - redisMs) * 1_000) / PERSONS, (user + system) / PERSONS]);
  };
  const emptyBytes = await memoryBytes();
  const put = (sequence: number) => (i: number) => {
    const value = valueOf(i, sequence);
    return store.put(changeOf(keyOf(i), value), value);
  };
  await measure("a new person is written", put(1));
  await measure("he changes", put(2));
  await measure("the same once more", put(2));
  await measure("he is read", (i) => store.get(keyOf(i)));
  const bytes = ((await memoryBytes()) - emptyBytes) / PERSONS;
  link.close();
  await redis.stop();
  printTable(["", "Redis µs", "server µs"], rows.map(([name, ...us]) => [name!, ...us.map((one) => Number(one).toFixed(1))]));
  console.log(`${bytes.toFixed(0)} bytes a person of ${PERSON_BYTES} in ${SEGMENTS.length} segments`);
}

/** On a busy machine an answer may come too late for a visitor; here only what it costs counts. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let isAnswered = false; !isAnswered; ) {
    isAnswered = await ask().then(
      () => true,
      () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), RETRY_MS)),
    );
  }
}

function eventOf(i: number, sequence: number) {
  return {
    event_id: `0199a1b2-3333-7333-8333-${String(i * 4 + sequence).padStart(12, "0")}`,
    event_type: "view",
    timestamp: 1e12,
    received_at: 1e12,
    item_id: "item-1234",
    user_id: `visitor-${i + 1e8}`,
  };
}
