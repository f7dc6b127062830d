// What the promises rest on, checked at every start: a wrong setting shows itself months later, and then as loss.
import { AclOperations, Admin, ConfigResourceTypes, Consumer } from "@platformatic/kafka";
import { createClient } from "redis";
import { FlinkRest } from "../jobs/flink-rest.ts";
import { clientOptions, type KafkaConnection } from "../kafka/connection.ts";
import { deepest, isRefusal, RIGHTS, sayRefused } from "../kafka/faults.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { topicsWithOwnKeys, withAdmin } from "../kafka/topics.ts";
import { encodeClusterRecord } from "../wire/record.ts";
import { TICK_KEY } from "../wire/record-key.ts";
import { LOOK_KEY, WRITING_LOOK } from "../redis/link.ts";
import { redisTls } from "../redis/tls-files.ts";
import type { Plan } from "./settings.ts";

/** One or more installations are not set up as the promises need it; one line for each, with what to change. */
export class CheckError extends Error {
  override readonly name = "CheckError";
}

const REDIS_MAJOR_MIN = 6;
const ANSWER_TIMEOUT_MS = 5_000;
/** What a broker answers that does not tell rights. */
const RIGHTS_UNKNOWN = -(2 ** 31);

/** `own` are those that `up` runs, `others` those that it was given the addresses of. @throws CheckError with every fault. */
export async function checkInstallations(plan: Plan, connection: KafkaConnection, which: "own" | "others"): Promise<void> {
  const isMeant = ({ own }: { readonly own?: object }): boolean => (own !== undefined) === (which === "own");
  const checks = [
    ...(isMeant(plan.kafka) ? [checkBroker(connection, plan)] : []),
    ...(isMeant(plan.redis) ? [checkRedis(plan.redis)] : []),
    ...(isMeant(plan.flink) ? [checkFlink(plan)] : []),
  ];
  const faults = (await Promise.all(checks)).flat();
  if (faults.length > 0) throw new CheckError(faults.join("\n"));
}

export async function checkBroker(
  connection: KafkaConnection,
  { replicas, transactionTimeoutMs }: Pick<Plan, "replicas" | "transactionTimeoutMs">,
): Promise<string[]> {
  const admin = new Admin({ ...clientOptions(connection), retries: 3 });
  try {
    const { brokers } = await admin.metadata({ topics: [] });
    const faults: string[] = [];
    if (brokers.size < replicas)
      faults.push(`Kafka has ${brokers.size} brokers and --replicas is ${replicas}: add brokers or ask for fewer`);
    const resources = [...brokers.keys()].map((id) => ({
      resourceType: ConfigResourceTypes.BROKER,
      resourceName: String(id),
    }));
    for (const { resourceName, configs } of await admin.describeConfigs({ resources })) {
      const value = (name: string) => configs.find((config) => config.name === name)?.value;
      const maxMs = Number(value("transaction.max.timeout.ms"));
      if (maxMs < transactionTimeoutMs)
        faults.push(
          `broker ${resourceName} has transaction.max.timeout.ms=${maxMs}: the job needs ${transactionTimeoutMs}`,
        );
      const copies = Number(value("transaction.state.log.replication.factor"));
      if (replicas > 1 && copies < replicas)
        faults.push(
          `broker ${resourceName} has transaction.state.log.replication.factor=${copies}: it must be ${replicas}`,
        );
      if (value("unclean.leader.election.enable") === "true")
        faults.push(`broker ${resourceName} has unclean.leader.election.enable=true: it must be false`);
    }
    return faults;
  } catch (cause) {
    const said = sayRefused(cause) ?? `Kafka does not answer at ${connection.brokers.join(",")}: ${deepest(cause as Error)}`;
    throw new CheckError(said, { cause });
  } finally {
    await admin.close();
  }
}

/** Whether the log takes what is written: a tick to each topic, as servers write them. Where Kafka is away others say so. */
export async function checkWritable(connection: KafkaConnection, topics: readonly string[]): Promise<string[]> {
  const sender = new KafkaSender(connection);
  const value = encodeClusterRecord({ kind: "tick" });
  try {
    const ownKeys = await topicsWithOwnKeys(connection, topics);
    await sender.send(topics.map((topic) => ({ topic, partition: 0, key: ownKeys.has(topic) ? TICK_KEY : null, value })));
    return [];
  } catch (error) {
    return sender.isRefusing ? [`Kafka refuses what is written to ${topics.join(", ")}: ${deepest(error as Error)}`] : [];
  } finally {
    await sender.close();
  }
}

/** Whether attune's login may read the topics. Where Kafka is away, or a topic is missing, others say so. */
export async function checkReadable(connection: KafkaConnection, names: readonly string[]): Promise<string[]> {
  const consumer = new Consumer({ ...clientOptions(connection), groupId: "attune-none", retries: 0 });
  const refused: string[] = [];
  try {
    for (const name of names) if (await isRefused(consumer, name)) refused.push(name);
  } finally {
    await consumer.close(true);
  }
  return refused.length === 0 ? [] : [`attune's login may not read ${refused.join(", ")}. ${RIGHTS}`];
}

/** Whether the job may confirm what it has read: without this right it goes on, and looks as if it stood still. */
export async function checkGroup(connection: KafkaConnection, groupId: string): Promise<string[]> {
  const group = await withAdmin(connection, (admin) => admin.describeGroups({ groups: [groupId], includeAuthorizedOperations: true }));
  const rights = group.get(groupId)?.authorizedOperations ?? RIGHTS_UNKNOWN;
  if (rights === RIGHTS_UNKNOWN || (rights & (1 << AclOperations.READ)) !== 0) return [];
  return [`attune's login may not read the group ${groupId}: how far the job is cannot be confirmed. ${RIGHTS}`];
}

async function isRefused(consumer: Consumer, name: string): Promise<boolean> {
  try {
    const { id: topicId, partitions } = (await consumer.metadata({ topics: [name] })).topics.get(name)!;
    const first = { partition: 0, fetchOffset: 0n, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1 };
    const limits = { maxWaitTime: 0, minBytes: 0, maxBytes: 1, isolationLevel: 0 };
    await consumer.fetch({ node: partitions[0]!.leader, topics: [{ topicId, partitions: [first] }], ...limits });
    return false;
  } catch (error) {
    return isRefusal(error);
  }
}

export async function checkRedis(redis: Plan["redis"]): Promise<string[]> {
  const { url } = redis;
  const tls = redisTls(redis);
  const secure = tls === undefined ? {} : { ...tls, tls: true as const };
  const socket = { reconnectStrategy: false as const, connectTimeout: ANSWER_TIMEOUT_MS, ...secure };
  const client = createClient({ url, socket });
  // The connection's rejection says the same.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const info = await client.info();
    const field = (name: string): string => new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]?.trim() ?? "";
    const faults: string[] = [];
    if (Number(field("redis_version").split(".")[0]) < REDIS_MAJOR_MIN)
      faults.push(`Redis is ${field("redis_version")}: it must be ${REDIS_MAJOR_MIN} or newer`);
    if (field("maxmemory_policy") !== "noeviction")
      faults.push(
        `Redis has maxmemory-policy ${field("maxmemory_policy")}: it must be noeviction, or profiles go missing unseen`,
      );
    if (field("role") !== "master") faults.push(`Redis at this address is a ${field("role")}: give the primary's`);
    else faults.push(...(await refusalOf(client)));
    return faults;
  } catch (cause) {
    throw new CheckError(`Redis does not answer at ${withoutPassword(url)}: ${(cause as Error).message}`, { cause });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** What it says to a write, as the servers' looks make it, and to who wants to hear of one. */
async function refusalOf(client: Pick<ReturnType<typeof createClient>, "sendCommand" | "subscribe">): Promise<string[]> {
  try {
    await client.sendCommand(WRITING_LOOK);
    await client.subscribe(LOOK_KEY, () => undefined);
    return [];
  } catch (error) {
    return [`Redis refuses to be written to, and answers grow old: ${(error as Error).message}`];
  }
}

async function checkFlink({ flink, parallelism }: Plan): Promise<string[]> {
  const rest = new FlinkRest(flink.url);
  const faults: string[] = [];
  const { "slots-total": slots } = await rest.overview();
  if (slots < parallelism) faults.push(`Flink has ${slots} slots and the job needs ${parallelism}: add TaskManagers`);
  const jars = await rest.classPath();
  if (!jars.some((jar) => jar.includes("javet-5")))
    faults.push("Flink's lib folder has no Javet: copy javet and javet-v8-linux-x86_64 into it on every machine");
  const settings = await rest.configuration();
  const isSet = (...names: string[]): boolean => names.some((name) => settings.has(name));
  if (!isSet("execution.checkpointing.dir", "state.checkpoints.dir"))
    faults.push("Flink has no execution.checkpointing.dir: name a folder or bucket that every machine reaches");
  if ((settings.get("high-availability.type") ?? "NONE").toUpperCase() === "NONE")
    faults.push("Flink has no high-availability.type: a JobManager that dies would forget the job");
  const retention = settings.get("execution.checkpointing.externalized-checkpoint-retention");
  if (retention !== undefined && retention !== "RETAIN_ON_CANCELLATION")
    faults.push(`Flink has externalized-checkpoint-retention ${retention}: it must be RETAIN_ON_CANCELLATION`);
  return faults;
}

/** For messages and tables. */
export function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = "***";
  return parsed.toString();
}
