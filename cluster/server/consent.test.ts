// What persons allow, on the cluster's servers and in the job.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ask, serverOver } from "../../server/http/testing.ts";
import type { AttuneServer } from "../../server/http/server.ts";
import { checkConsentTable, CHOICES, type Choice } from "../../server/privacy/testing/consent-table.ts";
import { KafkaReader } from "../kafka/reader.ts";
import { clusterMissing } from "../testing/servers.ts";
import { projectTopics } from "../wire/topics.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import type { ClusterProject } from "./project.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing };
let cluster: TestCluster;
const servers: AttuneServer[] = [];

before(async () => {
  if (!missing) cluster = await startCluster();
});
after(async () => {
  for (const server of servers) await server.close();
  await cluster?.stop();
});

async function open(project: ClusterProject): Promise<string> {
  const server = await serverOver(project);
  servers.push(server);
  return server.listen();
}

async function newProject(otherwise: Choice): Promise<{ project: TestProject; urls: string[] }> {
  const program = { consent: { default: otherwise }, placements: { home: {} } };
  const project = await cluster.newProject({ program, servers: 2 });
  return { project, urls: await Promise.all(project.servers.map(open)) };
}

/** Ids of the events that a project's log holds. */
async function loggedIds({ name }: TestProject): Promise<string[]> {
  const ids: string[] = [];
  const [topic] = projectTopics(name).log as [string];
  const reader = new KafkaReader({
    connection: { brokers: [cluster.kafka.bootstrap] },
    onBatch: ({ records }) => {
      for (const { value } of records) {
        const record = decodeClusterRecord(value!);
        if (record.kind === "event") ids.push(record.event.event_id);
      }
    },
  });
  for (let partition = 0; partition < 3; partition++) reader.read(topic, partition, "earliest");
  await reader.caughtUp();
  await reader.close();
  return ids;
}

/** What comes after all that was said of the user before is in his profile. */
async function settled(url: string, user: string): Promise<void> {
  await ask({ url }, `PATCH /v1/users/${user}/profile`, { attributes: { settled: true } });
  for (;;) {
    const { json } = await ask({ url }, `GET /v1/users/${user}/profile`);
    if (json.attributes?.settled === true) return;
    await pause(5);
  }
}

const view = (id: string, more: object) => ({ event_id: id, event_type: "view", item_id: "i1", timestamp: Date.now(), ...more });

for (const otherwise of CHOICES) {
  test(`each combination with the default ${otherwise} does what the table says`, options, async () => {
    const { project, urls } = await newProject(otherwise);
    const [url] = urls as [string];
    await checkConsentTable({
      url,
      otherwise,
      loggedIds: () => loggedIds(project),
      settled: (user) => settled(url, user),
    });
    await project.stop();
  });
}

test("a denial counts on every server within a second, and what was on its way the job leaves out", options, async () => {
  const { project, urls } = await newProject("granted");
  const [one, two] = urls.map((url) => ({ url })) as [{ url: string }, { url: string }];
  equal((await ask(two, "POST /v1/events", view("e0", { user_id: "ada" }))).status, 202);
  const denied = { personalization: "granted", analytics: "denied", profiling: "granted" };
  equal((await ask(one, "PUT /v1/privacy/users/ada/consent", denied)).status, 200);
  const saidMs = performance.now();
  equal((await ask(one, "POST /v1/events", view("e1", { user_id: "ada" }))).status, 400, "at once where it was said");
  let sent = 0;
  for (let status = 202; status === 202; sent++) {
    ({ status } = await ask(two, "POST /v1/events", view(`late${sent}`, { user_id: "ada" })));
  }
  ok(performance.now() - saidMs < 1_000, `${performance.now() - saidMs} ms`);
  await settled(one.url, "ada");
  const profile = (await ask(one, "GET /v1/users/ada/profile")).json;
  deepEqual([profile.recent.length, profile.consent.analytics], [1, "denied"]);
  // A server that comes later knows it from his row.
  const third = { url: await open(await project.addServer()) };
  equal((await ask(third, "POST /v1/events", view("e2", { user_id: "ada" }))).json.rejected[0].code, "no_consent");
  equal((await ask(third, "POST /v1/events", view("e3", { user_id: "bob" }))).status, 202);
  // A visitor's denial comes along with his login.
  await ask(one, "PUT /v1/privacy/visitors/phone/consent", denied);
  await ask(one, "POST /v1/events", view("e4", { user_id: "zoe", anonymous_id: "phone" }));
  while ((await ask(one, "POST /v1/events", view(`z${sent++}`, { user_id: "zoe" }))).status === 202) await pause(20);
  equal((await ask(one, "GET /v1/privacy/users/zoe/consent")).json.analytics, "denied");
  deepEqual((await loggedIds(project)).filter((id) => ["e1", "e2"].includes(id)), []);
  await project.stop();
});

test("Redis away: who has to have said yes is asked to come again, and nothing of him is kept", options, async () => {
  const { project, urls } = await newProject("denied");
  const [door] = urls.map((url) => ({ url })) as [{ url: string }];
  const yes = { personalization: "granted", analytics: "granted", profiling: "granted" };
  await ask(door, "PUT /v1/privacy/users/ada/consent", yes);
  await cluster.redis.part.kill();
  while (project.servers[0]!.stats().parts!["redis"]!.ready) await pause(10);
  const unknown = await ask(door, "POST /v1/events", view("r1", { user_id: "bob" }));
  deepEqual([unknown.status, unknown.json.code], [503, "unavailable"]);
  ok(Number(unknown.headers.get("retry-after")) > 0);
  equal((await ask(door, "POST /v1/events", view("r2", { user_id: "ada" }))).status, 202, "what he said is remembered");
  await cluster.redis.part.start();
  for (;;) {
    const { status, json } = await ask(door, "POST /v1/events", view("r1", { user_id: "bob" }));
    if (status === 400) {
      equal(json.rejected[0].code, "no_consent");
      break;
    }
    await pause(20);
  }
  deepEqual((await loggedIds(project)).sort(), ["r2"]);
});

test("while Redis is away nobody is told, nor left with, a consent that he may not have given", options, async () => {
  const { project, urls } = await newProject("granted");
  const [url] = urls as [string];
  const route = "/v1/privacy/users/carl/consent";
  await cluster.redis.part.kill();
  while (project.servers[0]!.stats().parts!["redis"]!.ready) await pause(5);
  for (const answer of [await ask({ url }, `GET ${route}`), await ask({ url }, `PUT ${route}`, { analytics: "granted" })]) {
    deepEqual([answer.status, answer.json.code, answer.headers.get("retry-after")], [503, "unavailable", "2"]);
  }
  const whole = { personalization: "denied", analytics: "denied", profiling: "denied", source: "banner" };
  deepEqual((await ask({ url }, `PUT ${route}`, whole)).json, { user_id: "carl", ...whole });
  deepEqual((await ask({ url }, `GET ${route}`)).json, { user_id: "carl", ...whole });
  await cluster.redis.part.start();
  const other = "GET /v1/privacy/users/dora/consent";
  while ((await ask({ url }, other)).status !== 200) await pause(20);
  deepEqual((await ask({ url }, other)).json.source, "default");
});
