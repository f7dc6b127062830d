// The sender, the reader and the topic check against a real broker: that they keep their promises, and that each fault of
// the client that we know of is met.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes, Producer } from "@platformatic/kafka";
import { checkWritable } from "../cli/checks.ts";
import { clusterMissing, startKafka, type TestKafka } from "../testing/servers.ts";
import type { TopicSettings } from "../wire/topics.ts";
import { clientOptions, type KafkaConnection } from "./connection.ts";
import { KafkaReader, type ReadRecord } from "./reader.ts";
import { KafkaSender, type OutgoingRecord } from "./sender.ts";
import { checkTopics, createTopics, withAdmin } from "./topics.ts";

const missing = await clusterMissing();
const options = { skip: missing };
const LOG: TopicSettings = { cleanup: "delete", logAppendTime: true, partitions: "many" };
/** The fault rig kills it more often. */
const ROUNDS = 1;
const COMPACTED: TopicSettings = { cleanup: "compact", logAppendTime: false, partitions: "one" };
let kafka: TestKafka;
let connection: KafkaConnection;
let topics = 0;

before(async () => {
  if (missing) return;
  kafka = await startKafka();
  connection = { brokers: [kafka.bootstrap] };
});
after(async () => {
  await kafka?.stop();
});

async function newTopic(settings: TopicSettings, partitions = 3): Promise<string> {
  const name = `test.${topics++}`;
  await createTopics(connection, [{ name, settings }], { partitions, replicas: 1 });
  return name;
}

const record = (topic: string, partition: number, text: string): OutgoingRecord => ({
  topic,
  partition,
  key: Buffer.from(`k${partition}`),
  value: Buffer.from(text),
});

/** Reads all partitions from the start to their ends of now. */
async function readAll(topic: string, partitions: number): Promise<(ReadRecord & { partition: number })[]> {
  const records: (ReadRecord & { partition: number })[] = [];
  const reader = new KafkaReader({
    connection,
    onBatch: (batch) => {
      for (const one of batch.records) records.push({ ...one, partition: batch.partition });
    },
  });
  for (let partition = 0; partition < partitions; partition++) reader.read(topic, partition, "earliest");
  await reader.caughtUp();
  await reader.close();
  return records;
}

const texts = (records: readonly ReadRecord[]): string[] => records.map(({ value }) => value!.toString());

test("what is sent is read, in a partition's order, with the broker's clock; sent at once it shares requests", options, async () => {
  const topic = await newTopic(LOG);
  const sender = new KafkaSender(connection);
  const sinceMs = Date.now() - 1_000;
  const all = Array.from({ length: 5_000 }, (_, i) => record(topic, i % 3, String(i)));
  await Promise.all(all.map((one) => sender.send([one])));
  equal(sender.sentTotal, 5_000);
  equal(sender.queuedBytes, 0);
  const read = await readAll(topic, 3);
  for (let partition = 0; partition < 3; partition++) {
    const own = read.filter((one) => one.partition === partition);
    deepEqual(texts(own), texts(all.filter((one) => one.partition === partition) as unknown as ReadRecord[]));
    deepEqual(own.map(({ offset }) => offset), own.map((_, i) => i));
  }
  // The client's own stream says when the producer wrote a record, also where the topic has the broker's clock.
  const producer = new Producer({ ...clientOptions(connection) });
  await producer.send({ messages: [{ topic, partition: 0, key: Buffer.from("k"), value: Buffer.from("old"), timestamp: 1n }] });
  await producer.close();
  const last = (await readAll(topic, 3)).find(({ value }) => value!.toString() === "old")!;
  ok(last.timestampMs >= sinceMs && last.timestampMs <= Date.now() + 1_000, String(last.timestampMs));
  await sender.close();
  await rejects(sender.send([all[0]!]), { code: "shutting_down" });
});

test("a submission larger than a request goes in several, and one record that Kafka never takes is refused", options, async () => {
  const topic = await newTopic(LOG, 1);
  const sender = new KafkaSender(connection);
  // Random bytes: nothing that compression would hide.
  const big = Array.from({ length: 5 }, () => ({ topic, partition: 0, key: null, value: crypto.getRandomValues(new Uint8Array(60_000)) }));
  await sender.send(Array.from({ length: 50 }, (_, i) => big[i % 5]!));
  equal((await readAll(topic, 1)).length, 50);
  await rejects(sender.send([{ topic, partition: 0, key: null, value: new Uint8Array(1_000_000) }]), { code: "overloaded" });
  await sender.close();
});

test("a tombstone has no value; a compacted topic ends behind a transaction's marker", options, async () => {
  const topic = await newTopic(COMPACTED);
  const sender = new KafkaSender(connection);
  await sender.send([record(topic, 0, "x"), { ...record(topic, 0, ""), value: null }]);
  await sender.close();
  const producer = new Producer({ ...clientOptions(connection), idempotent: true, transactionalId: `tx-${topic}`, retryDelay: 10 });
  for (const isCommitted of [true, false]) {
    const transaction = await producer.beginTransaction();
    await transaction.send({ messages: [{ topic, partition: 0, key: Buffer.from("t"), value: Buffer.from(String(isCommitted)) }] });
    await (isCommitted ? transaction.commit() : transaction.abort());
  }
  await producer.close();
  const read = await readAll(topic, 1);
  // Aborted records too: what we read early must be harmless, not right (the store's tests).
  deepEqual(read.map(({ value }) => value?.toString() ?? null), ["x", null, "true", "false"]);
  const reader = new KafkaReader({ connection, onBatch: () => {} });
  reader.read(topic, 0, "earliest");
  await reader.caughtUp();
  equal(reader.position(topic, 0), 6, "four records and two markers");
  equal(reader.lag(), 0);
  await reader.close();
});

test("a reader goes on from an offset, starts at the end when asked, and takes partitions up and puts them down", options, async () => {
  const topic = await newTopic(LOG, 2);
  const sender = new KafkaSender(connection);
  await sender.send(Array.from({ length: 10 }, (_, i) => record(topic, 0, `a${i}`)));
  const seen: string[] = [];
  const reader = new KafkaReader({ connection, onBatch: ({ records }) => void seen.push(...texts(records)) });
  reader.read(topic, 0, 7);
  await reader.caughtUp();
  deepEqual(seen, ["a7", "a8", "a9"]);
  reader.stop(topic, 0);
  reader.read(topic, 1, "latest");
  await reader.caughtUp();
  await sender.send([record(topic, 0, "unseen"), record(topic, 1, "b0")]);
  equal(reader.endAtStart(topic, 1), 0);
  reader.read(topic, 0, 10);
  await reader.caughtUp(topic);
  while (seen.length < 5) await pause(10);
  deepEqual(new Set(seen.slice(3)), new Set(["unseen", "b0"]));
  reader.stop(topic, 1);
  reader.read(topic, 1, 1);
  await reader.caughtUp();
  // Retention cut the log before this offset: it goes on where the log begins.
  reader.read(topic, 0, 99);
  while (seen.length < 16) await pause(10);
  equal(reader.gapsTotal, 1);
  await reader.close();
  await sender.close();
});

test("a producer is replaced before its sequence numbers end, and nothing is lost or doubled", options, async () => {
  const topic = await newTopic(LOG, 1);
  const sender = new KafkaSender(connection, { recordsAProducerMax: 100 });
  for (let i = 0; i < 45; i++) await sender.send(Array.from({ length: 10 }, (_, j) => record(topic, 0, String(i * 10 + j))));
  deepEqual(texts(await readAll(topic, 1)), Array.from({ length: 450 }, (_, i) => String(i)));
  await sender.close();
});

test("topics: a missing one and a wrong setting are named; a send to an unknown one is not waited for", options, async () => {
  const right = await newTopic(LOG, 3);
  deepEqual(await checkTopics(connection, [{ name: right, settings: LOG }]), new Map([[right, 3]]));
  const needs = [
    { name: right, settings: COMPACTED },
    { name: "nowhere", settings: LOG },
  ];
  await rejects(checkTopics(connection, needs), ({ message }: Error) => {
    ok(/no topic nowhere/.test(message) && /cleanup.policy=delete: it must be compact/.test(message), message);
    ok(/message.timestamp.type=LogAppendTime: it must be CreateTime/.test(message), message);
    return /3 partitions: it must have one/.test(message);
  });
  const sender = new KafkaSender(connection, { deadlineMs: 1_000, stuckMs: 1_500 });
  await rejects(sender.send([record("nowhere", 0, "x")]), { code: "unavailable" });
  await sender.close();
});

test("a broker that refuses what is written: told apart from one that is away, with what it says", options, async () => {
  const topic = await newTopic(LOG, 1);
  const takes = (bytes: number): Promise<unknown> => {
    const configs = [{ name: "max.message.bytes", configOperation: IncrementalAlterConfigOperationTypes.SET, value: String(bytes) }];
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }];
    return withAdmin(connection, (admin) => admin.incrementalAlterConfigs({ resources }));
  };
  deepEqual(await checkWritable(connection, [topic]), []);
  await takes(1);
  const sender = new KafkaSender(connection);
  await rejects(sender.send([record(topic, 0, "refused")]), { code: "unavailable" });
  deepEqual([sender.isRefusing, sender.isAway], [true, false]);
  match((await checkWritable(connection, [topic])).join(), new RegExp(`^Kafka refuses what is written to ${topic}: .*(large|size)`, "i"));
  await takes(1_000_000);
  await sender.send([record(topic, 0, "taken")]);
  await sender.close();
  const [tick, ...others] = await readAll(topic, 1);
  deepEqual([tick!.key, ...others.map(({ value }) => value!.toString())], [null, "taken"], "a tick, and nothing of what was refused");
});

test("a broker that stands still: refused within the deadline, bounded, and on again by itself", options, async () => {
  const topic = await newTopic(LOG, 1);
  const sender = new KafkaSender(connection, { deadlineMs: 1_000, stuckMs: 4_000, queueBytesMax: 100_000 });
  await sender.send([record(topic, 0, "before")]);
  kafka.part.pause();
  const startMs = performance.now();
  const waiting = Array.from({ length: 2_000 }, (_, i) => sender.send([record(topic, 0, `during ${i}`)]));
  const outcomes = await Promise.allSettled(waiting);
  ok(performance.now() - startMs < 3_000, "nothing waits longer than the deadline");
  const codes = new Set(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.code));
  deepEqual(codes, new Set(["overloaded", "unavailable"]), "the queue has an end");
  equal(sender.queuedBytes, 0);
  while (!sender.isAway) await pause(20);
  await rejects(sender.send([record(topic, 0, "later")]), { code: "unavailable", retryAfterS: 2 });
  kafka.part.resume();
  let isBack = false;
  while (!isBack) isBack = await sender.send([record(topic, 0, "after")]).then(() => true, () => pause(50).then(() => false));
  ok(texts(await readAll(topic, 1)).includes("after"));
  await sender.close();
});

test("kill -9 of the broker: what was accepted is there once, in order, and the reader goes on", options, async () => {
  const topic = await newTopic(LOG, 1);
  const sender = new KafkaSender(connection, { deadlineMs: 30_000 });
  const seen: string[] = [];
  const reader = new KafkaReader({ connection, onBatch: ({ records }) => void seen.push(...texts(records)) });
  reader.read(topic, 0, "earliest");
  const accepted: string[] = [];
  let isSending = true;
  const sending = (async () => {
    for (let i = 0; isSending; i++) {
      const batch = Array.from({ length: 20 }, (_, j) => String(i * 20 + j));
      // Refused means unknown: it is sent again, and its ids are what makes it count once.
      await sender.send(batch.map((text) => record(topic, 0, text))).then(() => accepted.push(...batch), () => pause(50));
    }
  })();
  for (let round = 0; round < ROUNDS; round++) {
    const mark = accepted.length;
    while (accepted.length < mark + 2_000) await pause(10);
    const faults = reader.faultsTotal;
    const killedMs = performance.now();
    await kafka.part.kill();
    await kafka.part.start();
    const awayS = (performance.now() - killedMs) / 1_000;
    ok(reader.faultsTotal - faults < 5 * awayS + 5, "it looks for the broker a few times a second, not more");
  }
  isSending = false;
  await sending;
  while (!seen.includes(accepted.at(-1)!)) await pause(20);
  const counts = new Map<string, number>();
  for (const text of seen) counts.set(text, (counts.get(text) ?? 0) + 1);
  deepEqual(accepted.filter((text) => counts.get(text) !== 1), [], "once each");
  deepEqual(seen.map(Number), seen.map(Number).toSorted((a, b) => a - b));
  await reader.close();
  await sender.close();
});
