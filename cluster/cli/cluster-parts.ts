// The parts of a cluster that are ours to run, by its plan.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureJars, jarsFolder } from "../install/jars.ts";
import { ensureRedis } from "../install/redis.ts";
import { clusterMissing, findProgram, InstallError } from "../install/tools.ts";
import { type FlinkOptions, jobManagerSpec, taskManagerSpec } from "../parts/flink.ts";
import { kafkaSpec } from "../parts/kafka.ts";
import { type Lifetime, Part, type PartSpec } from "../parts/part.ts";
import { redisSpec } from "../parts/redis.ts";
import { serverSpec } from "../parts/server.ts";
import { zookeeperSpec } from "../parts/zookeeper.ts";
import { storesOf } from "./kafka-properties.ts";
import { serverUrl, type ClusterSettings, type Plan } from "./settings.ts";

export interface ClusterParts {
  /** Kafka, Redis, and Flink with its ZooKeeper: those of them that are ours. */
  readonly installations: readonly Part[];
  readonly servers: readonly Part[];
  /** Starts what dies. */
  readonly supervisor: Part;
}

const SUPERVISOR_MAIN = join(import.meta.dirname, "supervise.ts");

/** The project's parts, whether they run or not. `generation` is the one that servers read at their start. */
export function partsOf(
  { folder, plan }: ClusterSettings,
  generation: number,
  lifetime: Lifetime = "own",
): ClusterParts {
  const own = (spec: PartSpec): Part => new Part(spec, lifetime);
  return {
    installations: installationSpecs(folder, plan).map(own),
    servers: plan.servers.ports.map((port, i) => own(serverOf(folder, plan, { index: i + 1, port, generation }))),
    supervisor: own({
      name: "supervisor",
      folder: join(folder, "supervisor"),
      program: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", SUPERVISOR_MAIN, folder],
      prepare: async () => undefined,
      isReady: async () => true,
    }),
  };
}

/** In the order in which they need each other. */
function installationSpecs(folder: string, plan: Plan): PartSpec[] {
  const { kafka, flink, redis, slots, taskManagers, stateBackend, flinkSettings } = plan;
  const specs: PartSpec[] = [];
  if (kafka.own !== undefined)
    specs.push(kafkaSpec({ folder: join(folder, "kafka"), jars: jarsFolder("kafka"), ...kafka.own }));
  if (redis.own !== undefined) {
    const program = findProgram("redis-server") ?? "redis-server";
    specs.push(redisSpec({ folder: join(folder, "redis"), program, port: redis.own.port }));
  }
  if (flink.own !== undefined) {
    const jars = jarsFolder("flink");
    const { restPort, rpcPort, zookeeperPort } = flink.own;
    const options: FlinkOptions = {
      folder: join(folder, "flink"),
      jars,
      restPort,
      rpcPort,
      slots,
      zookeeper: `127.0.0.1:${zookeeperPort}`,
      settings: { "state.backend.type": stateBackend, ...flinkSettings },
    };
    specs.push(zookeeperSpec({ folder: join(folder, "zookeeper"), jars, port: zookeeperPort }));
    specs.push(jobManagerSpec(options));
    for (let i = 1; i <= taskManagers; i++) specs.push(taskManagerSpec(options, i));
  }
  return specs;
}

function serverOf(
  folder: string,
  { kafka, redis, servers, projects, partitions, demo, clusterKey }: Plan,
  { index, port, generation }: { index: number; port: number; generation: number },
): PartSpec {
  const name = `server-${index}`;
  const { host, tls } = servers;
  const settings = {
    ...servers.settings,
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    demo,
    kafka: { brokers: kafka.brokers, properties: kafka.properties },
    redis: withoutOwn(redis),
    projects,
    partitions,
    generation,
    clusterKey,
    ...contentsOf([...storesOf(kafka.properties), redis.caFile, redis.certFile, redis.keyFile]),
  };
  return serverSpec({ folder: join(folder, name), name, url: serverUrl(servers, port), settings });
}

/** A certificate is renewed under its old name: a server reads these files at its start alone, so what they hold is one of its settings. */
function contentsOf(files: readonly (string | undefined)[]): { readonly filesHash?: string } {
  const named = files.filter((file) => file !== undefined);
  if (named.length === 0) return {};
  const hash = createHash("sha256");
  // One that is missing is named by whoever connects with it.
  for (const file of named) hash.update(existsSync(file) ? readFileSync(file) : "").update("\0");
  return { filesHash: hash.digest("base64url") };
}

/** Address and files; whether it is ours to run is nothing that a server need know. */
function withoutOwn({ own: _, ...redis }: Plan["redis"]): Omit<Plan["redis"], "own"> {
  return redis;
}

/** Installs what the parts need and is missing; says how long each took. */
export async function installParts(plan: Plan, report: (line: string) => void): Promise<void> {
  const isOurs = plan.kafka.own !== undefined || plan.flink.own !== undefined;
  const missing = isOurs ? clusterMissing() : undefined;
  if (missing !== undefined) throw new InstallError(missing);
  const timed = async (name: string, install: () => Promise<unknown>): Promise<void> => {
    const startMs = performance.now();
    await install();
    const seconds = (performance.now() - startMs) / 1_000;
    if (seconds > 1) report(`installed ${name} in ${seconds.toFixed(0)} s`);
  };
  await Promise.all([
    ...(plan.redis.own === undefined ? [] : [timed("Redis", ensureRedis)]),
    (async () => {
      // One Maven at a time: two would fetch the same jars into the same repository.
      if (plan.kafka.own !== undefined) await timed("Kafka", () => ensureJars("kafka"));
      if (plan.flink.own !== undefined) await timed("Flink", () => ensureJars("flink"));
    })(),
  ]);
}
