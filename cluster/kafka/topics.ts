// The project's topics on the broker: made where they are missing, and checked before anything rests on them. Kafka's
// client waits for ever on an unknown topic, and a wrong setting shows itself months later.
import { setTimeout } from "node:timers/promises";
import { Admin, ConfigResourceTypes } from "@platformatic/kafka";
import { TOPIC_SETTINGS, type ProjectTopics, type TopicSettings } from "../wire/topics.ts";
import { clientOptions, type KafkaConnection } from "./connection.ts";

/** A broker or a topic is not set up as the promises need it; the message says which setting and what it must be. */
export class TopicError extends Error {
  override readonly name = "TopicError";
  readonly code = "bad_topic";
}

const LISTED_PATIENCE_MS = 30_000;
const LISTED_POLL_MS = 50;

export interface TopicNeeds {
  readonly name: string;
  readonly settings: TopicSettings;
}

/** Each topic once, with how it must be set up. */
export function needsOf(topics: ProjectTopics): TopicNeeds[] {
  const { events: _, log, ...others } = topics;
  return [
    ...log.map((name) => ({ name, settings: TOPIC_SETTINGS.events })),
    ...Object.entries(others).map(([kind, name]) => ({
      name,
      settings: TOPIC_SETTINGS[kind as keyof typeof others],
    })),
  ];
}

export interface NewTopics {
  /** Of topics with many. */
  readonly partitions: number;
  /** 3 in production, with `min.insync.replicas` 2. */
  readonly replicas: number;
}

/** Makes the topics that are not there yet; those that are there stay as they are. */
export async function createTopics(
  connection: KafkaConnection,
  needs: readonly TopicNeeds[],
  { partitions, replicas }: NewTopics,
): Promise<void> {
  await withAdmin(connection, async (admin) => {
    const known = new Set(await admin.listTopics());
    for (const { name, settings } of needs) {
      if (known.has(name)) continue;
      const configs = Object.entries(configsOf(settings)).map(([config, value]) => ({ name: config, value }));
      // Said also where it is one, because brokers may ask for more by default, and nothing could be written then.
      configs.push({ name: "min.insync.replicas", value: String(inSyncOf(replicas)) });
      const count = settings.partitions === "many" ? partitions : 1;
      await admin.createTopics({ topics: [name], partitions: count, replicas, configs }).catch((error: unknown) => {
        // Somebody else made it meanwhile.
        if (!isAlreadyThere(error)) throw error;
      });
    }
    await untilListed(
      admin,
      needs.map(({ name }) => name),
    );
  });
}

const IN_SYNC_MIN = 2;

/** All but one, so that a broker may be away; what is answered lies on two brokers where there are two. */
export function inSyncOf(replicas: number): number {
  return replicas === 1 ? 1 : Math.max(IN_SYNC_MIN, replicas - 1);
}

/** What is wrong with a topic's `min.insync.replicas`, and what it must be. */
export function inSyncFault(inSync: number, replicas: number): string | undefined {
  if (inSync > replicas) return `nothing can be written with ${replicas} ${replicas === 1 ? "replica" : "replicas"}; make it ${inSyncOf(replicas)}`;
  if (replicas > 1 && inSync < IN_SYNC_MIN) return `with ${replicas} replicas it must be at least ${IN_SYNC_MIN}`;
  return undefined;
}

/** A controller has a new topic before its brokers list it. */
async function untilListed(admin: Admin, names: readonly string[]): Promise<void> {
  const deadline = performance.now() + LISTED_PATIENCE_MS;
  for (;;) {
    const known = new Set(await admin.listTopics());
    const missing = names.filter((name) => !known.has(name));
    if (missing.length === 0) return;
    if (performance.now() > deadline) throw new TopicError(`the brokers do not list ${missing.join(", ")}: they are away, or attune's login may not describe them`);
    await setTimeout(LISTED_POLL_MS);
  }
}

/**
 * The number of partitions by topic, when all of them are there and set up as needed.
 * @param planned - how many were made: those that somebody added since stay empty, because with them a person would lie elsewhere.
 * @throws TopicError with every fault, one a line.
 */
export async function checkTopics(
  connection: KafkaConnection,
  needs: readonly TopicNeeds[],
  planned = Infinity,
): Promise<Map<string, number>> {
  return withAdmin(connection, async (admin) => {
    const known = new Set(await admin.listTopics());
    const faults = needs.filter(({ name }) => !known.has(name)).map(({ name }) => `there is no topic ${name}`);
    const there = needs.filter(({ name }) => known.has(name));
    const { topics } = await admin.metadata({ topics: there.map(({ name }) => name) });
    const resources = there.map(({ name }) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName: name }));
    const described = await admin.describeConfigs({ resources });
    const partitions = new Map<string, number>();
    for (const { name, settings } of there) {
      const topic = topics.get(name)!;
      partitions.set(name, Math.min(topic.partitionsCount, planned));
      if (settings.partitions === "one" && topic.partitionsCount !== 1) {
        faults.push(`${name} has ${topic.partitionsCount} partitions: it must have one`);
      }
      const actual = new Map(
        described.find(({ resourceName }) => resourceName === name)?.configs.map(({ name, value }) => [name, value]),
      );
      for (const [config, value] of Object.entries(neededOf(settings))) {
        const set = actual.get(config);
        // An erasure has it compacted for a moment.
        if (config === "cleanup.policy" && value === "delete" && set === "compact,delete") continue;
        if (set !== value) faults.push(`${name} has ${config}=${set}: it must be ${value}`);
      }
      const inSync = Number(actual.get("min.insync.replicas"));
      const replicas = topic.partitions[0]!.replicas.length;
      const fault = inSyncFault(inSync, replicas);
      if (fault !== undefined) faults.push(`${name} has min.insync.replicas=${inSync}: ${fault}`);
    }
    if (faults.length > 0) throw new TopicError(faults.join("\n"));
    return partitions;
  });
}

/** What a promise rests on. How long a log is kept is the operator's choice; that it is cut by time only is not. */
function neededOf(settings: TopicSettings): Record<string, string> {
  return {
    "cleanup.policy": settings.cleanup,
    "message.timestamp.type": settings.logAppendTime ? "LogAppendTime" : "CreateTime",
    "unclean.leader.election.enable": "false",
    ...(settings.cleanup === "delete" ? { "retention.bytes": "-1" } : {}),
  };
}

function configsOf(settings: TopicSettings): Record<string, string> {
  const { retentionMs = -1, compactedWithinMs: withinMs } = settings;
  // The segment that is written to is never compacted, so it must not be written to for long.
  const soon = withinMs === undefined ? {} : { "segment.ms": String(withinMs / 2), "max.compaction.lag.ms": String(withinMs / 2) };
  const own = settings.ownKeys === true ? OWN_KEYS : {};
  return { ...neededOf(settings), "retention.ms": String(retentionMs), ...soon, ...own };
}

/**
 * By what writers know a topic whose records have keys of their own. One that an earlier release made goes on as it was: its
 * job would take such a key for another person's. The job's JVM half looks for the same (cluster/flink, Job.java).
 */
const OWN_KEYS: Readonly<Record<string, string>> = { "min.compaction.lag.ms": "1" };

/** Those of the topics whose records have keys of their own. */
export async function topicsWithOwnKeys(connection: KafkaConnection, names: readonly string[]): Promise<ReadonlySet<string>> {
  const resources = names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
  const described = await withAdmin(connection, (admin) => admin.describeConfigs({ resources }));
  const isOwn = ({ configs }: (typeof described)[number]): boolean =>
    Object.entries(OWN_KEYS).every(([name, value]) => configs.find((config) => config.name === name)?.value === value);
  return new Set(described.filter(isOwn).map(({ resourceName }) => resourceName));
}

export async function withAdmin<T>(connection: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ ...clientOptions(connection), retries: 3 });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

function isAlreadyThere(error: unknown): boolean {
  const { apiId, errors } = error as { apiId?: string; errors?: unknown[] };
  return apiId === "TOPIC_ALREADY_EXISTS" || (errors ?? []).some(isAlreadyThere);
}
