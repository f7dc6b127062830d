// What a cluster consists of: from flags, `attune.config.ts` and what `cluster up` chose before (the plan, in the data
// folder). A plan keeps ports, so that everything comes back where it was.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readConfigFile, readSettings, retentionOf, SettingError, type ClusterConfig, type NodeSettings } from "../../server/cli/config.ts";
import { environmentOf } from "../../server/cli/environment.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { newClusterKey } from "../access/cluster-key.ts";
import { freePort } from "../parts/port.ts";
import { KAFKA_KINDS, type KafkaRetention } from "../kafka/topic-retention.ts";
import { PERSON_KINDS, type PersonAges } from "../kafka/person-ages.ts";
import type { RedisFiles } from "../redis/tls-files.ts";
import { parseProperties, toConnection, type KafkaProperties } from "./kafka-properties.ts";

/** Everything about one cluster that must not change by itself. Holds passwords: its file is for its owner only. */
export interface Plan {
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly properties: KafkaProperties;
    /** Ours to run; absent where the address is of an existing installation. */
    readonly own?: { port: number; controllerPort: number };
  };
  readonly flink: { readonly url: string; readonly own?: { restPort: number; rpcPort: number; zookeeperPort: number } };
  readonly redis: { readonly url: string; readonly own?: { port: number } } & RedisFiles;
  readonly servers: {
    readonly host: string;
    readonly ports: readonly number[];
    /** HTTPS in the place of HTTP: files of the certificate and its key. */
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Of `attune.config.ts`, as one node takes them. */
    readonly settings?: Pick<NodeSettings, (typeof SERVER_SETTINGS)[number]>;
  };
  /** What the servers close secrets, sessions and names in the audit trail with; base64. */
  readonly clusterKey: string;
  /** Name → the program that it starts with. */
  readonly projects: Readonly<Record<string, string>>;
  readonly demo: boolean;
  readonly partitions: number;
  readonly replicas: number;
  readonly taskManagers: number;
  readonly slots: number;
  readonly parallelism: number;
  readonly checkpointMs: number;
  readonly stateBackend: "rocksdb" | "hashmap";
  /** Longer than any time that the whole job may be away: what it leaves open longer Kafka takes back. */
  readonly transactionTimeoutMs: number;
  /** Where an existing Flink's JobManager finds the Kafka properties, if not where `up` writes them. */
  readonly jobPropertiesFile?: string;
  /**
   * How long what is kept, as the configuration says it; of what it does not name topics stay as they were made, and persons
   * have the ages of the embedded host.
   */
  readonly retention?: Readonly<Record<string, string>>;
  /** Of our own Flink, above our settings. */
  readonly flinkSettings?: Readonly<Record<string, string>>;
}

const SERVER_SETTINGS = ["trustedProxies", "botAddresses", "webhooks", "limits", "oidc"] as const;

const DEFAULT_SERVERS = 2;
const DEFAULTS = {
  partitions: 4,
  replicas: 1,
  taskManagers: 2,
  slots: 2,
  checkpointMs: 1_000,
  stateBackend: "rocksdb",
  transactionTimeoutMs: 900_000,
} as const;

/** The flags of every `cluster` command: which cluster is meant, and what it consists of. */
export const CLUSTER_FLAGS = {
  data: { type: "string" },
  config: { type: "string" },
  demo: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  servers: { type: "string" },
  kafka: { type: "string" },
  "kafka-property": { type: "string", multiple: true },
  flink: { type: "string" },
  redis: { type: "string" },
  "redis-ca": { type: "string" },
  "redis-cert": { type: "string" },
  "redis-key": { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "cluster-key-file": { type: "string" },
  partitions: { type: "string" },
  replicas: { type: "string" },
  "task-managers": { type: "string" },
  slots: { type: "string" },
  parallelism: { type: "string" },
  "checkpoint-ms": { type: "string" },
  "state-backend": { type: "string" },
  "transaction-timeout-ms": { type: "string" },
  "job-properties-file": { type: "string" },
} as const;

export type ClusterFlags = {
  [K in keyof typeof CLUSTER_FLAGS]?: (K extends "kafka-property" ? string[] : string) | undefined;
};

export interface ClusterSettings {
  /** `<data>/cluster`: the plan, logs, and the data of what is ours to run. */
  readonly folder: string;
  readonly plan: Plan;
  readonly connection: KafkaConnection;
}

/** The plan of the cluster in this folder; undefined where `up` was never called. */
export async function planAt(folder: string): Promise<Plan | undefined> {
  const path = planFile(folder);
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Plan) : undefined;
}

async function readPlan(flags: ClusterFlags): Promise<{ folder: string; plan: Plan | undefined }> {
  const { data } = await readSettings(flags, process.env);
  const folder = join(data, "cluster");
  return { folder, plan: await planAt(folder) };
}

/**
 * The settings of a cluster that was up before, for commands that only look or act on it.
 * @throws SettingError where there is none, or flags say that it is another one than it is
 */
export async function readCluster(flags: ClusterFlags): Promise<ClusterSettings> {
  const { folder, plan } = await readPlan(flags);
  if (plan === undefined)
    throw new SettingError(`there is no cluster in ${folder}: "attune cluster up" first, or name it with --data`);
  await refuseOthers(flags);
  return { folder, plan, connection: toConnection(plan.kafka.brokers, plan.kafka.properties) };
}

/** One set of flags may go to every command; what would have "up" change the cluster and is not heeded here would mislead. */
async function refuseOthers({ data, config, ...said }: ClusterFlags): Promise<void> {
  const names = Object.keys(CLUSTER_FLAGS).filter((name) => said[name as keyof typeof said] !== undefined);
  if (names.length === 0) return;
  const [as, asked] = await Promise.all([resolveCluster({ data, config }), resolveCluster({ data, config, ...said })]);
  if (isDeepStrictEqual(as.plan, asked.plan)) return;
  const flags = names.map((name) => `--${name}`);
  throw new SettingError(`${flags.join(", ")}: this cluster has other settings, which "attune cluster up ${flags[0]} …" changes`);
}

/**
 * The settings to bring a cluster up with: flags win over the configuration file, that over the plan, that over us.
 * @param copied - of the cluster that a backup was taken of, where there is no plan yet.
 */
export async function resolveCluster(
  flags: ClusterFlags,
  copied?: Pick<Plan, "clusterKey" | "demo" | "partitions">,
): Promise<ClusterSettings> {
  const { folder, plan: before } = await readPlan(flags);
  const known = before ?? copied;
  const said = await readConfigFile(flags.config);
  const demo = (said.demo ?? known?.demo ?? true) ? "1" : "0";
  const host = said.host ?? before?.servers.host;
  const variables = { ATTUNE_DEMO: demo, ...(host === undefined ? {} : { ATTUNE_HOST: host }), ...environmentOf() };
  const node = await readSettings(flags, variables);
  // Called from a folder without the file, it takes nothing back that the file has said.
  const kept = Object.keys(said).length === 0 ? before : undefined;
  const file: ClusterConfig = node.cluster ?? {};
  const kafka = await kafkaOf(flags, file, before);
  const taskManagers =
    count(flags, "task-managers") ?? file.taskManagers ?? before?.taskManagers ?? DEFAULTS.taskManagers;
  const slots = count(flags, "slots") ?? file.slots ?? before?.slots ?? DEFAULTS.slots;
  const jobPropertiesFile = flags["job-properties-file"] ?? file.jobPropertiesFile ?? before?.jobPropertiesFile;
  const flinkSettings = file.flinkSettings ?? before?.flinkSettings;
  const retention = node.retention ?? before?.retention;
  clusterRetention(retention);
  const plan: Plan = {
    kafka,
    flink: await flinkOf(flags, file, before),
    redis: await redisOf(flags, file, before),
    servers: {
      host: node.host,
      ports: await serverPorts(count(flags, "servers") ?? file.servers, flags.port === undefined, node.port, before),
      ...tlsOf(node.tls ?? before?.servers.tls),
      settings: {
        ...kept?.servers.settings,
        ...Object.fromEntries(SERVER_SETTINGS.flatMap((name) => (node[name] === undefined ? [] : [[name, node[name]]]))),
      },
    },
    clusterKey: await clusterKeyOf(flags["cluster-key-file"] ?? file.clusterKeyFile, known),
    // Whoever was there stays: without anybody's ticks in its log time would stand still for all others.
    projects: { ...before?.projects, default: "shop", ...(node.demo ? { news: "news" } : {}), ...node.projects },
    demo: node.demo,
    partitions: count(flags, "partitions") ?? file.partitions ?? known?.partitions ?? DEFAULTS.partitions,
    replicas: count(flags, "replicas") ?? file.replicas ?? before?.replicas ?? DEFAULTS.replicas,
    taskManagers,
    slots,
    // Half of the slots stay free, so that the job goes on at once on the others when a TaskManager dies.
    parallelism:
      count(flags, "parallelism") ??
      file.parallelism ??
      before?.parallelism ??
      Math.max(1, Math.floor((taskManagers * slots) / 2)),
    checkpointMs: count(flags, "checkpoint-ms") ?? file.checkpointMs ?? before?.checkpointMs ?? DEFAULTS.checkpointMs,
    stateBackend: backendOf(flags["state-backend"] ?? file.stateBackend ?? before?.stateBackend),
    transactionTimeoutMs:
      count(flags, "transaction-timeout-ms") ??
      file.transactionTimeoutMs ??
      before?.transactionTimeoutMs ??
      DEFAULTS.transactionTimeoutMs,
    ...(jobPropertiesFile === undefined ? {} : { jobPropertiesFile }),
    ...(flinkSettings === undefined ? {} : { flinkSettings }),
    ...(retention === undefined ? {} : { retention }),
  };
  if (before !== undefined && before.partitions !== plan.partitions)
    throw new SettingError(
      `the topics have ${before.partitions} partitions: another number would send a person's events elsewhere`,
    );
  if (before?.kafka.own !== undefined && kafka.own === undefined)
    throw new SettingError(
      `--kafka names another Kafka, and the log lies in the cluster's own (${join(folder, "kafka")}): ` +
        '"attune cluster backup", then "restore" there with another --data folder',
    );
  if (plan.flink.own !== undefined && taskManagers * slots < plan.parallelism)
    throw new SettingError(
      `--parallelism is ${plan.parallelism}, and ${taskManagers} TaskManagers with ${slots} slots each have ` +
        `${taskManagers * slots}: set --task-managers or --slots as well`,
    );
  return { folder, plan, connection: toConnection(plan.kafka.brokers, plan.kafka.properties) };
}

export interface ClusterRetention {
  /** Those ages of topics that are given. */
  readonly topics: KafkaRetention;
  readonly persons: PersonAges;
}

/** What a plan says on retention. @throws SettingError for an age that a cluster cannot keep to. */
export function clusterRetention(retention: Plan["retention"] = {}): ClusterRetention {
  const policy = retentionOf({ retention });
  const kinds: readonly string[] = [...KAFKA_KINDS, ...PERSON_KINDS];
  for (const [kind, text] of Object.entries(retention)) {
    if (kinds.includes(kind) || text === "forever") continue;
    throw new SettingError(
      `retention.${kind} is ${text}: a cluster keeps that for ever, so leave it out or say "forever"; ` +
        `it has ages for ${kinds.join(", ")}`,
    );
  }
  const given = KAFKA_KINDS.filter((kind) => retention[kind] !== undefined);
  const { profiles, visitors } = policy;
  return { topics: Object.fromEntries(given.map((kind) => [kind, policy[kind]])), persons: { profiles, visitors } };
}

export async function writePlan({ folder, plan }: ClusterSettings): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(`${planFile(folder)}.tmp`, `${JSON.stringify(plan, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${planFile(folder)}.tmp`, planFile(folder));
}

const planFile = (folder: string): string => join(folder, "plan.json");

async function kafkaOf(flags: ClusterFlags, file: ClusterConfig, before: Plan | undefined): Promise<Plan["kafka"]> {
  const brokers = flags.kafka?.split(",") ?? file.kafka;
  const given = { ...file.kafkaProperties, ...parseProperties(flags["kafka-property"] ?? []) };
  const properties = Object.keys(given).length > 0 ? given : (before?.kafka.properties ?? {});
  if (brokers !== undefined) {
    const bad = brokers.find((broker) => !/^\S+:\d+$/.test(broker));
    if (bad !== undefined) throw new SettingError(`--kafka: "${bad}" is no HOST:PORT`);
    return { brokers, properties };
  }
  if (before !== undefined) return { ...before.kafka, properties };
  const own = { port: await freePort(), controllerPort: await freePort() };
  return { brokers: [`127.0.0.1:${own.port}`], properties: {}, own };
}

async function flinkOf(flags: ClusterFlags, file: ClusterConfig, before: Plan | undefined): Promise<Plan["flink"]> {
  const url = flags.flink ?? file.flink;
  if (url !== undefined) return { url: urlOf(url, "--flink", ["http:", "https:"]) };
  if (before !== undefined) return before.flink;
  const own = { restPort: await freePort(), rpcPort: await freePort(), zookeeperPort: await freePort() };
  return { url: `http://127.0.0.1:${own.restPort}`, own };
}

async function redisOf(flags: ClusterFlags, file: ClusterConfig, before: Plan | undefined): Promise<Plan["redis"]> {
  const url = flags.redis ?? file.redis;
  const caFile = flags["redis-ca"] ?? file.redisCaFile;
  const certFile = flags["redis-cert"] ?? file.redisCertFile;
  const keyFile = flags["redis-key"] ?? file.redisKeyFile;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new SettingError("--redis-cert and --redis-key go together");
  const files = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  if (url !== undefined) return { url: urlOf(url, "--redis", ["redis:", "rediss:"]), ...files };
  // A certificate's new file, for the Redis that is known.
  if (before !== undefined && before.redis.own === undefined) return { ...before.redis, ...files };
  if (Object.keys(files).length > 0)
    throw new SettingError("--redis-ca, --redis-cert and --redis-key go with --redis: the cluster's own Redis has no certificates");
  if (before !== undefined) return before.redis;
  const own = { port: await freePort() };
  return { url: `redis://127.0.0.1:${own.port}`, own };
}

function tlsOf(tls: Plan["servers"]["tls"]): Pick<Plan["servers"], "tls"> {
  return tls === undefined ? {} : { tls };
}

/** Where a server answers. */
export function serverUrl({ host, tls }: Plan["servers"], port: number): string {
  return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Servers on several machines must be given one key; on one machine it is made, and kept in the plan. */
async function clusterKeyOf(path: string | undefined, before: Pick<Plan, "clusterKey"> | undefined): Promise<string> {
  if (path === undefined) return before?.clusterKey ?? newClusterKey();
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SettingError(`--cluster-key-file: ${path} cannot be read`, { cause });
  });
  return text.trim();
}

/** The first server has the port that `npm start` would have, the others every second one behind: between is gRPC. */
async function serverPorts(
  wanted: number | undefined,
  mayKeep: boolean,
  first: number,
  before: Plan | undefined,
): Promise<number[]> {
  const kept = mayKeep ? (before?.servers.ports ?? []) : [];
  const number = wanted ?? (before === undefined ? DEFAULT_SERVERS : before.servers.ports.length);
  const ports = kept.slice(0, number);
  while (ports.length < number) {
    const next = first === 0 ? await freePort() : (ports[0] ?? first) + 2 * ports.length;
    ports.push(next);
  }
  return ports;
}

function count(flags: ClusterFlags, name: Exclude<keyof ClusterFlags, "kafka-property">): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new SettingError(`--${name} is "${text}": a whole number above zero`);
}

function backendOf(text: string | undefined): Plan["stateBackend"] {
  if (text === undefined) return DEFAULTS.stateBackend;
  if (text === "rocksdb" || text === "hashmap") return text;
  throw new SettingError(`--state-backend is "${text}": rocksdb or hashmap`);
}

function urlOf(text: string, name: string, protocols: readonly string[]): string {
  const url = URL.parse(text);
  if (url !== null && protocols.includes(url.protocol)) return text;
  throw new SettingError(`${name} is "${text}": a URL that begins with ${protocols.join(" or ")}//`);
}
