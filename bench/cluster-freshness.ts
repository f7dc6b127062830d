// The cluster's consistency window: from an event's arrival at one server to its profile in Redis and to the push from
// another server, under a steady load. Kafka, Redis, Flink and both servers are real processes of this machine; so the
// figures hold for a machine that does nothing else.
import { setTimeout as pause } from "node:timers/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { newClusterKey } from "../cluster/access/cluster-key.ts";
import { sharedNeeds } from "../cluster/cli/topics.ts";
import { ensureJobJar } from "../cluster/install/job.ts";
import { FlinkRest } from "../cluster/jobs/flink-rest.ts";
import { untilRunning } from "../cluster/jobs/submit.ts";
import { createTopics, needsOf } from "../cluster/kafka/topics.ts";
import { Part } from "../cluster/parts/part.ts";
import { freePort } from "../cluster/parts/port.ts";
import { serverSpec } from "../cluster/parts/server.ts";
import { RedisLink } from "../cluster/redis/link.ts";
import { decodeChange } from "../cluster/redis/profile-store.ts";
import { startFlink, startKafka, startRedis } from "../cluster/testing/servers.ts";
import { projectTopics } from "../cluster/wire/topics.ts";
import { agentOf, percentile, send, sendPaced } from "./load.ts";
import { printTable } from "./table.ts";
import { traffic } from "./traffic.ts";

const PARTITIONS = 2;
const EVENTS_A_SECOND = Number(process.env["EVENTS_A_SECOND"] ?? 500);
const EVENTS_A_REQUEST = 20;
const CHECKPOINT_MS = Number(process.env["CHECKPOINT_MS"] ?? 1_000);
const CLICKS = 300;
const CLICK_EVERY_MS = 60;
const WARM_MS = 5_000;
const PATIENCE_MS = 10_000;

interface Times {
  sentMs: number;
  acceptedMs?: number;
  storedMs?: number;
  pushedMs?: number;
}

export async function clusterFreshness(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "attune-freshness-"));
  const [kafka, redis, flink] = await Promise.all([startKafka(), startRedis(), startFlink({ slots: 2 })]);
  const connection = { brokers: [kafka.bootstrap] };
  const topics = projectTopics("default");
  await createTopics(connection, [...needsOf(topics), ...sharedNeeds()], { partitions: PARTITIONS, replicas: 1 });
  const servers: { url: string; part: Part }[] = [];
  const clusterKey = newClusterKey();
  for (const name of ["one", "two"]) {
    const port = await freePort();
    const settings = {
      host: "127.0.0.1",
      port,
      demo: false,
      kafka: { brokers: connection.brokers },
      redis: { url: redis.url },
      projects: { default: "shop" },
      clusterKey,
    };
    const url = `http://127.0.0.1:${port}`;
    const part = new Part(serverSpec({ folder: join(folder, name), name, url, settings }), "caller");
    await part.start();
    servers.push({ url, part });
  }
  const rest = new FlinkRest(flink.url);
  const jobId = await rest.run(await rest.uploadJar((await ensureJobJar()).path), {
    args: Object.entries({
      brokers: kafka.bootstrap,
      projects: "default",
      "checkpoint-interval-ms": CHECKPOINT_MS,
      "transaction-timeout-ms": 60_000,
    }).flatMap(([name, value]) => [`--${name}`, String(value)]),
    parallelism: 2,
  });
  await untilRunning(rest, jobId);
  const times = await measure(servers.map(({ url }) => url) as [string, string], redis.url);
  for (const { part } of servers) await part.stop();
  await flink.stop();
  await Promise.all([kafka.stop(), redis.stop()]);
  rmSync(folder, { recursive: true, force: true });
  print(times);
}

async function measure([one, two]: [string, string], redisUrl: string): Promise<Times[]> {
  const byEvent = new Map<string, Times>();
  const link = await RedisLink.open({ urls: [redisUrl] });
  await link.listen("attune:{default}:g1:changes", (message) => {
    const told = decodeChange(message);
    if (!("changes" in told)) return;
    for (const { event } of told.changes) {
      const known = byEvent.get(event?.event_id ?? "");
      if (known !== undefined) known.storedMs ??= performance.now();
    }
  });
  const socket = new WebSocket(`${two.replace("http", "ws")}/v1/live`);
  await new Promise((resolve) => socket.once("open", resolve));
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as { type: string; caused_by?: { event_id: string } };
    const known = message.type === "profile" ? byEvent.get(message.caused_by?.event_id ?? "") : undefined;
    if (known !== undefined) known.pushedMs ??= performance.now();
  });
  socket.send(JSON.stringify({ subscribe: { user_id: "watched", placements: ["home"] } }));
  const shop = traffic({ seed: 3, persons: 5_000, items: 2_000 });
  const body = (): Buffer => Buffer.from(JSON.stringify({ events: shop.events(EVENTS_A_REQUEST) }));
  const background = sendPaced(
    one,
    { method: "POST", path: "/v1/events", body },
    { perSecond: EVENTS_A_SECOND / EVENTS_A_REQUEST, seconds: (WARM_MS + CLICKS * CLICK_EVERY_MS) / 1_000 },
  );
  await pause(WARM_MS);
  const agent = agentOf(2);
  for (let n = 0; n < CLICKS; n++) {
    const event = { event_id: `click-${n}`, user_id: "watched", event_type: "click", item_id: `item-${1 + n}`, timestamp: Date.now() };
    const known: Times = { sentMs: performance.now() };
    byEvent.set(event.event_id, known);
    const request = { method: "POST" as const, path: "/v1/events", body: () => Buffer.from(JSON.stringify(event)) };
    void send(one, agent, request, 0).then(({ status }) => {
      if (status === 202) known.acceptedMs = performance.now();
    });
    await pause(CLICK_EVERY_MS);
  }
  await background;
  const deadlineMs = performance.now() + PATIENCE_MS;
  const all = [...byEvent.values()];
  while (all.some(({ storedMs }) => storedMs === undefined) && performance.now() < deadlineMs) await pause(50);
  socket.close();
  link.close();
  return all;
}

/** Two clicks that come close together may be pushed as one: the newer one's push is then both's. */
function print(times: readonly Times[]): void {
  const spans = (from: "sentMs" | "acceptedMs", to: Exclude<keyof Times, "sentMs">): number[] =>
    times.flatMap((one) => (one[to] === undefined || one[from] === undefined ? [] : [one[to]! - one[from]!])).sort((a, b) => a - b);
  const rows = (
    [
      ["sent → accepted", spans("sentMs", "acceptedMs")],
      ["accepted → profile in Redis", spans("acceptedMs", "storedMs")],
      ["accepted → pushed by the other server", spans("acceptedMs", "pushedMs")],
    ] as const
  ).map(([name, ms]) => [name, ms.length, percentile(ms, 0.5), percentile(ms, 0.99)]);
  const refused = times.filter(({ acceptedMs }) => acceptedMs === undefined).length;
  console.log(`${CLICKS} clicks under ${EVENTS_A_SECOND} events/s, a checkpoint every ${CHECKPOINT_MS} ms; ${refused} refused`);
  printTable(["from → to", "events", "p50 ms", "p99 ms"], rows);
}
