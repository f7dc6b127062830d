// What is wrong with a Redis or a Kafka that was right when "up" looked, as "status" names it.
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from "@platformatic/kafka";
import { createClient } from "redis";
import { clientOptions } from "../kafka/connection.ts";
import { KafkaReader } from "../kafka/reader.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, createTopics } from "../kafka/topics.ts";
import { freePort } from "../parts/port.ts";
import { clusterMissing, startKafka, startRedis, type TestRedis } from "../testing/servers.ts";
import { checkBroker, checkGroup, checkReadable, checkRedis } from "./checks.ts";
import { plainly } from "./plain-faults.ts";

const missing = clusterMissing();
let redis: TestRedis;

before(async () => {
  if (missing === undefined) redis = await startRedis();
});
after(() => redis?.stop());

async function say(...command: string[]): Promise<void> {
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(command);
  client.destroy();
}

test("a Redis that is full, evicts, denies a right, or was made a replica is named, with what that does", { skip: missing ?? false }, async () => {
  const check = () => checkRedis({ url: redis.url });
  deepEqual(await check(), []);
  await say("CONFIG", "SET", "maxmemory", "1");
  const [full, ...others] = await check();
  match(full!, /^Redis refuses to be written to, and answers grow old: OOM /);
  deepEqual(others, []);
  await say("CONFIG", "SET", "maxmemory", "0");
  await say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  match((await check()).join(), /^Redis has maxmemory-policy allkeys-lru: it must be noeviction/);
  await say("CONFIG", "SET", "maxmemory-policy", "noeviction");
  for (const right of ["publish", "subscribe", "eval", "set"]) {
    await say("ACL", "SETUSER", "default", `-${right}`);
    match((await check()).join(), /^Redis refuses to be written to, and answers grow old: (NOPERM|ERR The user) /, right);
    await say("ACL", "SETUSER", "default", `+${right}`);
  }
  await say("REPLICAOF", "127.0.0.1", "1");
  match((await check()).join(), /^Redis at this address is a slave: give the primary's$/);
});

test("a right that Kafka has taken away is named, in a line; a reader that is refused says so, and goes on when it is back", { skip: missing ?? false }, async (t) => {
  const module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
  const port = await freePort();
  const kafka = await startKafka({
    listeners: [`SASL_PLAINTEXT://127.0.0.1:${port}`],
    settings: {
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.sasl_plaintext.plain.sasl.jaas.config": `${module} user_attune="pw";`,
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    },
  });
  t.after(() => kafka.stop());
  const admin = new Admin({ ...clientOptions({ brokers: [kafka.bootstrap] }) });
  t.after(() => admin.close());
  const { ALLOW, DENY } = AclPermissionTypes;
  const { TOPIC, CLUSTER, GROUP } = ResourceTypes;
  const on = (resourceType: typeof TOPIC | typeof CLUSTER | typeof GROUP) => ({
    ...{ resourceType, resourceName: resourceType === CLUSTER ? "kafka-cluster" : "attune", principal: "User:attune", host: "*" },
    resourcePatternType: resourceType === CLUSTER ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
  });
  const granted = [[TOPIC, "ALL"], [GROUP, "ALL"], [CLUSTER, "DESCRIBE_CONFIGS"]] as const;
  await admin.createAcls({
    creations: granted.map(([kind, operation]) => ({ ...on(kind), operation: AclOperations[operation], permissionType: ALLOW })),
  });
  const denied = (kind: Parameters<typeof on>[0], operation: keyof typeof AclOperations) =>
    ({ ...on(kind), operation: AclOperations[operation], permissionType: DENY });
  const connection = { brokers: [`127.0.0.1:${port}`], sasl: { mechanism: "PLAIN" as const, username: "attune", password: "pw" } };
  const topic = { name: "attune.t", settings: { cleanup: "delete" as const, logAppendTime: true, partitions: "one" as const } };
  const make = () => createTopics(connection, [topic], { partitions: 1, replicas: 1 });
  const readable = () => checkReadable(connection, [topic.name]);
  const broker = () => checkBroker(connection, { replicas: 1, transactionTimeoutMs: 1 });
  const without = async (right: ReturnType<typeof denied>, work: () => Promise<void>): Promise<void> => {
    const isInForce = async () => (await admin.describeAcls({ filter: right })).length > 0;
    await admin.createAcls({ creations: [right] });
    while (!(await isInForce()));
    await work();
    await admin.deleteAcls({ filters: [right] });
    while (await isInForce());
  };
  const said = (words: RegExp) => (error: unknown) => (match(plainly(error) ?? "a stack", words), true);

  await without(denied(TOPIC, "CREATE"), () => rejects(make(), said(/^Kafka refuses it to attune's login: .*Topic authorization failed. The rights /)));
  await make();
  // A broker that has just started knows no coordinator of groups yet.
  const group = async (): Promise<string[]> => (await checkGroup(connection, "attune.g1").catch(() => undefined)) ?? group();
  deepEqual([await group(), await readable(), await broker()], [[], [], []]);
  await without(denied(TOPIC, "DESCRIBE_CONFIGS"), () =>
    rejects(checkTopics(connection, [topic]), said(/^Kafka refuses it to attune's login: Describing configs failed. Topic authorization failed. The rights /)),
  );
  await without(denied(CLUSTER, "DESCRIBE_CONFIGS"), () =>
    rejects(broker(), said(/^Kafka refuses it to attune's login: Describing configs failed. Cluster authorization failed. The rights /)),
  );
  await without(denied(GROUP, "READ"), async () => match((await group()).join(), /^attune's login may not read the group attune.g1: how far the job /));

  const turns = new EventTarget();
  const reader = new KafkaReader({
    connection,
    onBatch: () => void turns.dispatchEvent(new Event("read")),
    onFault: () => void turns.dispatchEvent(new Event("fault")),
  });
  t.after(() => reader.close());
  reader.read(topic.name, 0, "earliest");
  await reader.caughtUp();
  equal(reader.isRefused, false);
  const fault = once(turns, "fault");
  await without(denied(TOPIC, "READ"), async () => {
    match((await readable()).join(), /^attune's login may not read attune.t. The rights /);
    await fault;
    equal(reader.isRefused, true);
  });
  const read = once(turns, "read");
  const sender = new KafkaSender(connection);
  await sender.send([{ topic: topic.name, partition: 0, key: null, value: Buffer.from("x") }]);
  await sender.close();
  await read;
});
