// Existing installations behind TLS and SASL: topics are made and checked, records go and come, wrong keys are refused.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { KafkaReader } from "../kafka/reader.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, createTopics } from "../kafka/topics.ts";
import { type Certificates, makeCertificates, startSecureKafka, startSecureRedis } from "../testing/secure.ts";
import type { SecureKafka } from "../testing/secure.ts";
import { clusterMissing, type TestServer } from "../testing/servers.ts";
import { checkBroker, checkRedis } from "./checks.ts";
import { toConnection } from "./kafka-properties.ts";
import { clusterTopics } from "./topics.ts";

const plan = { replicas: 1, transactionTimeoutMs: 300_000 };

describe("TLS and SASL", { skip: clusterMissing() ?? false, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-secure-"));
  let certificates: Certificates;
  let kafka: SecureKafka;
  let redis: TestServer & { url: string };

  before(async () => {
    certificates = makeCertificates(folder);
    [kafka, redis] = await Promise.all([startSecureKafka(certificates), startSecureRedis(certificates)]);
  });
  after(async () => {
    await Promise.all([kafka?.stop(), redis?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test("the topics of a project over SASL_SSL, and a record through them", async () => {
    const connection = toConnection([kafka.bootstrap], kafka.properties);
    const needs = clusterTopics({ default: "shop" }, 1);
    await createTopics(connection, needs, { partitions: 2, replicas: 1 });
    const partitions = await checkTopics(connection, needs);
    const topic = needs[0]!.name;
    assert.equal(partitions.get(topic), 2);
    const sender = new KafkaSender(connection);
    await sender.send([{ topic, partition: 1, key: Buffer.from("k"), value: Buffer.from("v") }]);
    await sender.close();
    const values: string[] = [];
    const onBatch = ({ records }: { records: readonly { value: Buffer | null }[] }): void =>
      void values.push(...records.map(({ value }) => value!.toString()));
    const reader = new KafkaReader({ connection, onBatch });
    reader.read(topic, 1, "earliest");
    await reader.caughtUp();
    await reader.close();
    assert.deepEqual(values, ["v"]);
  });

  test("the broker's and Redis's settings are read through TLS", async () => {
    assert.deepEqual(await checkBroker(toConnection([kafka.bootstrap], kafka.properties), plan), []);
    assert.match((await checkBroker(toConnection([kafka.bootstrap], kafka.properties), { ...plan, replicas: 3 })).join(), /--replicas is 3/);
    assert.deepEqual(await checkRedis({ url: redis.url, caFile: certificates.caFile }), []);
    await assert.rejects(checkRedis({ url: redis.url }), /Redis does not answer at rediss:/);
  });

  test("a wrong password is refused, and an unknown signer", async () => {
    const wrong = { ...kafka.properties, "sasl.jaas.config": 'x required username="attune" password="wrong";' };
    await assert.rejects(checkBroker(toConnection([kafka.bootstrap], wrong), plan), /does not answer.* SASL auth/);
    const { "ssl.truststore.location": _, "ssl.truststore.type": __, ...untrusted } = kafka.properties;
    await assert.rejects(checkBroker(toConnection([kafka.bootstrap], untrusted), plan), /does not answer.*certificate/);
  });
});
