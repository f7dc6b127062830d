// Where settings come from: flags win over environment variables, which win over `attune.config.ts`.
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ipaddr from "ipaddr.js";
import { oidcFault, type OidcConfig } from "../access/oidc-settings.ts";
import type { LimitConfig } from "../access/limits.ts";
import type { AuditPlace } from "../audit/open.ts";
import {
  DEFAULT_RETENTION,
  RETENTION_KINDS,
  retentionFault,
  type RetentionKind,
  type RetentionPolicy,
} from "../privacy/retention.ts";
import {
  ANYTHING, COUNT, FLAG, type Kinds, RANGES, RATE, SECTION, sectionFault, TEXT, TEXT_BY_NAME, TEXTS, TIMER_MS,
} from "./config-values.ts";
import { durationMs } from "./duration.ts";
import { environmentOf } from "./environment.ts";

/** What `attune.config.ts` may export as its default. */
export interface AttuneConfig {
  host?: string;
  port?: number;
  /** For gRPC; one above `port` where it is not set and that one is free. `off`: none. */
  grpcPort?: number | "off";
  data?: string;
  demo?: boolean;
  /** Projects beside `default`, each with the program it starts with: `shop` or `news`. */
  projects?: Record<string, string>;
  /** Proxies (CIDR) whose `X-Forwarded-For` is believed. */
  trustedProxies?: string[];
  /** Address ranges (CIDR) whose events are marked as bot traffic. */
  botAddresses?: string[];
  /** Persons held in memory, decoded; about 3 kB each. */
  personsCachedMax?: number;
  /** How often the state is checkpointed; default 10,000. Seldom: longer starts after a crash. Often: more writes. */
  checkpointEveryMs?: number;
  /** File of the audit trail's head, best on another volume; by default beside the key-encryption keys. */
  auditAnchor?: string;
  /** Requests a second of a node with keys. */
  limits?: Partial<LimitConfig>;
  /** PEM files: HTTPS and gRPC over TLS. Read again when they are replaced. */
  tls?: { cert: string; key: string };
  webhooks?: { secret?: string; allowPrivate?: boolean };
  /** How long what is kept: `{ events: "90d", audit: "forever" }`; docs/guides/privacy-officer.md has the kinds. */
  retention?: Partial<Record<RetentionKind, string>>;
  /** Whom the console's people log in with, beside keys. */
  oidc?: OidcConfig;
  cluster?: ClusterConfig;
}

/** For `attune cluster`; every flag of it has its place here. */
export interface ClusterConfig {
  /** `HOST:PORT` of an existing Kafka's brokers; without, `cluster up` runs one of its own. So for Flink and Redis. */
  kafka?: string[];
  /** TLS and SASL, by the names of Kafka's Java clients. */
  kafkaProperties?: Record<string, string>;
  /** Address of Flink's REST interface. */
  flink?: string;
  /** `redis://` or `rediss://`, with user and password. */
  redis?: string;
  redisCaFile?: string;
  /** PEM files of the servers' certificate and key, where Redis asks for one. */
  redisCertFile?: string;
  redisKeyFile?: string;
  /** 32 bytes in base64, the same for all servers of the cluster; made where it is not named. */
  clusterKeyFile?: string;
  servers?: number;
  /** Of topics that are keyed by person; fixed once they exist. */
  partitions?: number;
  replicas?: number;
  taskManagers?: number;
  /** A TaskManager's. */
  slots?: number;
  parallelism?: number;
  checkpointMs?: number;
  stateBackend?: "rocksdb" | "hashmap";
  /** The job's longest Kafka transaction; default 900,000, which brokers grant by default. */
  transactionTimeoutMs?: number;
  /** Settings of the Flink that `cluster up` runs, above its own. */
  flinkSettings?: Record<string, string>;
  /** Where an existing Flink's JobManager finds `kafkaProperties` as a file. */
  jobPropertiesFile?: string;
}

/** From the fewest lines to the most. */
const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface NodeSettings extends AttuneConfig {
  host: string;
  port: number;
  data: string;
  demo: boolean;
  logLevel: LogLevel;
}

export interface SettingFlags {
  "tls-cert"?: string | undefined;
  "tls-key"?: string | undefined;
  host?: string | undefined;
  port?: string | undefined;
  "grpc-port"?: string | undefined;
  data?: string | undefined;
  demo?: string | undefined;
  config?: string | undefined;
}

/** A setting that cannot be used; the message says which, and what would do. */
export class SettingError extends Error {
  override readonly name = "SettingError";
}

/** What flags, variables and the file come to. @throws SettingError */
export async function readSettings(flags: SettingFlags, variables: NodeJS.ProcessEnv): Promise<NodeSettings> {
  const environment = environmentOf(variables);
  refuseEmpty(flags);
  const file = await readConfigFile(flags.config);
  const port = flags.port ?? environment["ATTUNE_PORT"];
  const grpcPort = flags["grpc-port"] ?? environment["ATTUNE_GRPC_PORT"] ?? file.grpcPort?.toString();
  const demo = flags.demo ?? environment["ATTUNE_DEMO"];
  const cert = flags["tls-cert"] ?? environment["ATTUNE_TLS_CERT"] ?? file.tls?.cert;
  const key = flags["tls-key"] ?? environment["ATTUNE_TLS_KEY"] ?? file.tls?.key;
  if ((cert === undefined) !== (key === undefined)) throw new SettingError("TLS takes both a certificate and a key");
  const auditAnchor = environment["ATTUNE_AUDIT_ANCHOR"] ?? file.auditAnchor;
  const webhooks = webhooksOf(file.webhooks, environment);
  const oidc = oidcOf(file.oidc, environment["ATTUNE_OIDC_CLIENT_SECRET"]);
  return {
    ...file,
    ...(grpcPort === undefined ? {} : { grpcPort: grpcPort === "off" ? "off" : portOf("ATTUNE_GRPC_PORT", grpcPort) }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert: resolve(cert), key: resolve(key) } }),
    ...(auditAnchor === undefined ? {} : { auditAnchor: resolve(auditAnchor) }),
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(oidc === undefined ? {} : { oidc }),
    host: flags.host ?? environment["ATTUNE_HOST"] ?? file.host ?? "127.0.0.1",
    port: portOf("ATTUNE_PORT", String(port ?? file.port ?? 8080)),
    data: resolve(flags.data ?? environment["ATTUNE_DATA"] ?? file.data ?? "./data"),
    demo: demo === undefined ? (file.demo ?? false) : isOn("ATTUNE_DEMO", demo),
    logLevel: logLevelOf(environment),
  };
}

/** A shell's variable that is not set leaves `--data ""`, which would be the folder that one happens to be in. */
function refuseEmpty(flags: SettingFlags): void {
  const empty = Object.entries(flags).find(([, value]) => value === "");
  if (empty !== undefined) throw new SettingError(`--${empty[0]} is empty: give it a value, or leave it out`);
}

/** What `ATTUNE_LOG_LEVEL` says; `info` where it says nothing. @throws SettingError */
export function logLevelOf({ ATTUNE_LOG_LEVEL: said = "info" }: ReturnType<typeof environmentOf>): LogLevel {
  const level = LOG_LEVELS.find((one) => one === said);
  if (level !== undefined) return level;
  throw new SettingError(`ATTUNE_LOG_LEVEL is "${said}": one of ${LOG_LEVELS.join(", ")}`);
}

/** What the settings say on how long what is kept; the rest by default. */
export function retentionOf({ retention = {} }: AttuneConfig): RetentionPolicy {
  for (const kind of Object.keys(retention)) {
    if (!(RETENTION_KINDS as string[]).includes(kind)) {
      throw new SettingError(`retention: there is no "${kind}"; one of ${RETENTION_KINDS.join(", ")}`);
    }
  }
  const ages = Object.entries(retention).map(([kind, text]) => {
    const ageMs = text === "forever" ? Infinity : durationMs(`retention.${kind}`, text);
    const fault = retentionFault(kind as RetentionKind, ageMs);
    if (fault !== undefined) throw new SettingError(`retention.${kind} is ${text}: ${fault}`);
    return [kind, ageMs];
  });
  return { ...DEFAULT_RETENTION, ...(Object.fromEntries(ages) as Partial<RetentionPolicy>) };
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || (isIP(host) !== 0 && ipaddr.parse(host).range() === "loopback");
}

/** Without keys every route is open, so nobody but this machine may reach it. @throws SettingError */
export function refuseOpenDoor(host: string): void {
  if (isLoopback(host)) return;
  throw new SettingError(
    `ATTUNE_HOST is "${host}", which others can reach, and there are no keys: attune keys create --role admin, or bind 127.0.0.1`,
  );
}

/** Where the audit trail of a node with these settings lies. */
export function auditPlace(settings: NodeSettings): AuditPlace {
  const { data, auditAnchor } = settings;
  return {
    dataFolder: data,
    anchor: auditAnchor,
    kekFolder: environmentOf()["ATTUNE_KEK_FOLDER"],
    keptMs: retentionOf(settings).audit,
  };
}

/** What the configuration file says; empty where there is none and none was named. */
export async function readConfigFile(named: string | undefined): Promise<AttuneConfig> {
  const path = resolve(named ?? "attune.config.ts");
  if (!existsSync(path)) {
    if (named !== undefined) throw new SettingError(`--config: there is no file ${path}`);
    return {};
  }
  const module = (await import(pathToFileURL(path).href).catch((cause: Error) => {
    throw new SettingError(`${path} cannot be read: ${cause.name}: ${cause.message}`, { cause });
  })) as { default?: AttuneConfig };
  const config = module.default;
  if (config === undefined) throw new SettingError(`${path} has no default export: export default { … }`);
  const fault =
    sectionFault("", { default: config }, { default: SECTION }) ??
    sectionFault("", config, SETTINGS) ??
    sectionFault("limits.", config.limits, LIMITS) ??
    sectionFault("webhooks.", config.webhooks, WEBHOOKS) ??
    sectionFault("tls.", config.tls, TLS) ??
    sectionFault("oidc.", config.oidc, OIDC) ??
    sectionFault("cluster.", config.cluster, CLUSTER_SETTINGS);
  if (fault !== undefined) throw new SettingError(`${path}: ${fault}`);
  return config;
}

/** Every setting that the file may have. */
const SETTINGS: Kinds<AttuneConfig> = {
  host: TEXT, port: ANYTHING, grpcPort: ANYTHING, data: TEXT, demo: FLAG, projects: TEXT_BY_NAME, trustedProxies: RANGES,
  botAddresses: RANGES, personsCachedMax: COUNT, checkpointEveryMs: TIMER_MS, auditAnchor: TEXT, limits: SECTION,
  tls: SECTION, webhooks: SECTION, retention: TEXT_BY_NAME, oidc: SECTION, cluster: SECTION,
};
const LIMITS: Kinds<LimitConfig> = { keyPerS: RATE, addressPerS: RATE, personPerS: RATE };
const WEBHOOKS: Kinds<NonNullable<AttuneConfig["webhooks"]>> = { secret: TEXT, allowPrivate: FLAG };
const TLS: Kinds<NonNullable<AttuneConfig["tls"]>> = { cert: TEXT, key: TEXT };
/** What else must hold of them `oidcFault` says. */
const OIDC: Kinds<OidcConfig> = {
  issuer: ANYTHING, clientId: ANYTHING, clientSecret: ANYTHING, publicUrl: ANYTHING, name: TEXT, scopes: TEXTS, roleClaim: TEXT,
  roles: ANYTHING,
};
const CLUSTER_SETTINGS: Kinds<ClusterConfig> = {
  kafka: TEXTS, kafkaProperties: TEXT_BY_NAME, flink: TEXT, redis: TEXT, redisCaFile: TEXT, redisCertFile: TEXT,
  redisKeyFile: TEXT, clusterKeyFile: TEXT, servers: COUNT, partitions: COUNT, replicas: COUNT, taskManagers: COUNT,
  slots: COUNT, parallelism: COUNT, checkpointMs: COUNT, stateBackend: ANYTHING, transactionTimeoutMs: COUNT,
  flinkSettings: TEXT_BY_NAME, jobPropertiesFile: TEXT,
};

/** The client's secret may stand in the environment, so that the file can lie in a repository. */
function oidcOf(config: OidcConfig | undefined, clientSecret: string | undefined): OidcConfig | undefined {
  if (config === undefined) {
    if (clientSecret === undefined) return undefined;
    throw new SettingError("ATTUNE_OIDC_CLIENT_SECRET is set, and there is no `oidc` in attune.config.ts");
  }
  const whole = clientSecret === undefined ? config : { ...config, clientSecret };
  const fault = oidcFault(whole);
  if (fault !== undefined) throw new SettingError(fault);
  return whole;
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new SettingError(`${name} is "${text}", which is no port: a whole number from 0 (picks a free one) to 65535`);
}

function webhooksOf(
  file: AttuneConfig["webhooks"],
  environment: Record<string, string | undefined>,
): AttuneConfig["webhooks"] {
  const { ATTUNE_WEBHOOK_SECRET: secret, ATTUNE_WEBHOOK_ALLOW_PRIVATE: allowPrivate } = environment;
  if (secret === undefined && allowPrivate === undefined) return file;
  return {
    ...file,
    ...(secret === undefined ? {} : { secret }),
    ...(allowPrivate === undefined ? {} : { allowPrivate: isOn("ATTUNE_WEBHOOK_ALLOW_PRIVATE", allowPrivate) }),
  };
}

function isOn(name: string, text: string): boolean {
  if (text === "1" || text === "true") return true;
  if (text === "0" || text === "false") return false;
  throw new SettingError(`${name} is "${text}": 1 or 0`);
}
