// Existing installations behind TLS and SASL: topics are made and checked, records go and come, wrong keys are refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout } from "node:timers/promises";
import { KafkaReader } from "../kafka/reader.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, createTopics } from "../kafka/topics.ts";
import { type Certificates, makeCertificates, startSecureKafka, startSecureRedis } from "../testing/secure.ts";
import type { SecureKafka } from "../testing/secure.ts";
import { freePort } from "../parts/port.ts";
import { clusterMissing, startFlink, type TestServer } from "../testing/servers.ts";
import { checkBroker, checkRedis } from "./checks.ts";
import { toConnection } from "./kafka-properties.ts";
import { bringUp, refuseOpenServers } from "./up.ts";
import { resolveCluster } from "./settings.ts";
import { clusterTopics } from "./topics.ts";

/** What a command prints; it must succeed. */
function run(args: readonly string[], data: string, keks: string): Promise<string> {
  const launcher = fileURLToPath(new URL("../../bin/attune.mjs", import.meta.url));
  const env = { ...process.env, ATTUNE_KEK_FOLDER: keks };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [launcher, ...args, "--data", data], { env }, (error, out, faults) => {
      if (error === null) resolve(out);
      else reject(new Error(`${args.join(" ")}: ${faults}`));
    });
  });
}

/** The status of an answer over TLS; with a body it is a POST. */
function askTls(url: string, ca: Buffer, body?: object, key?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const headers = { "content-type": "application/json", ...authorization };
    const ask = request(url, { ca, method: body === undefined ? "GET" : "POST", headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    ask.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const POLL_MS = 50;
const plan = { replicas: 1, transactionTimeoutMs: 300_000 };

describe("TLS and SASL", { skip: clusterMissing() ?? false }, () => {
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
    const faults = await checkBroker(toConnection([kafka.bootstrap], kafka.properties), { ...plan, replicas: 3 });
    assert.match(faults.join(), /--replicas is 3/);
    const { caFile, certFile, keyFile } = certificates;
    assert.deepEqual(await checkRedis({ url: redis.url, caFile, certFile, keyFile }), []);
    await assert.rejects(checkRedis({ url: redis.url }), /Redis does not answer at rediss:/);
    await assert.rejects(checkRedis({ url: redis.url, caFile }), /Redis does not answer at rediss:/, "who are we?");
  });

  test("a whole cluster on installations that are there already", async (t) => {
    const flink = await startFlink({ slots: 2, highAvailability: true });
    t.after(() => flink.stop());
    const settings = await resolveCluster({
      data: join(folder, "data"),
      demo: "0",
      port: String(await freePort()),
      servers: "1",
      kafka: kafka.bootstrap,
      "kafka-property": Object.entries(kafka.properties).map(([name, value]) => `${name}=${value}`),
      flink: flink.url,
      redis: redis.url,
      "redis-ca": certificates.caFile,
      "redis-cert": certificates.certFile,
      "redis-key": certificates.keyFile,
      "tls-cert": certificates.certFile,
      "tls-key": certificates.keyFile,
      partitions: "2",
      parallelism: "1",
    });
    const { servers, installations } = await bringUp(settings, () => undefined, "caller");
    t.after(() => Promise.all(servers.map((part) => part.stop())));
    assert.deepEqual(installations, [], "nothing of it is ours to run");
    const url = `https://127.0.0.1:${settings.plan.servers.ports[0]}`;
    const ca = readFileSync(certificates.caFile);
    const event = { event_id: "e1", user_id: "u", event_type: "view", item_id: "i", timestamp: Date.now() };
    assert.equal(await askTls(`${url}/v1/events`, ca, event), 202);
    while ((await askTls(`${url}/v1/users/u/profile`, ca)) !== 200) await setTimeout(POLL_MS);
    await assert.rejects(fetch(url.replace("https", "http")), "nothing is answered in the open");
    // Who may do what, from the command line, on the server that runs.
    const { plan } = settings;
    const open = { ...settings, plan: { ...plan, servers: { ...plan.servers, host: "0.0.0.0" } } };
    await assert.rejects(refuseOpenServers(open), /"0.0.0.0", which others can reach, and the cluster has no keys/);
    const attune = (...args: string[]): Promise<string> => run(args, join(folder, "data"), folder);
    const key = (await attune("keys", "create", "--role", "admin", "--cluster")).trim();
    assert.match(key, /^sk_/);
    while ((await askTls(`${url}/v1/users/u/profile`, ca)) !== 401) await setTimeout(POLL_MS);
    assert.equal(await askTls(`${url}/v1/users/u/profile`, ca, undefined, key), 200);
    await refuseOpenServers(open);
    assert.match(await attune("cluster", "keys", "list"), /^key_\w+\tdefault\tadmin\tin force/);
    assert.equal(await askTls(`${url}/v1/program/rollback`, ca, { version: 1 }, key), 200);
    assert.match(await attune("audit", "verify", "--cluster"), /^[1-9]\d* entries\n$/);
  });

  test("a wrong password is refused, and an unknown signer", async () => {
    const wrong = { ...kafka.properties, "sasl.jaas.config": 'x required username="attune" password="wrong";' };
    await assert.rejects(checkBroker(toConnection([kafka.bootstrap], wrong), plan), /does not answer.* SASL auth/);
    const { "ssl.truststore.location": _, "ssl.truststore.type": __, ...untrusted } = kafka.properties;
    await assert.rejects(checkBroker(toConnection([kafka.bootstrap], untrusted), plan), /does not answer.*certificate/);
  });
});
