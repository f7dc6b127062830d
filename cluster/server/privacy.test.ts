// What a person, and whoever answers for his data, may ask of the cluster's servers.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AttuneServer } from "../../server/http/server.ts";
import { ask, serverOver } from "../../server/http/testing.ts";
import { checkExport, view } from "../../server/privacy/testing/export-check.ts";
import { readCommitted } from "../kafka/committed.ts";
import { checkTopics, needsOf } from "../kafka/topics.ts";
import { setPersonAges } from "../kafka/person-ages.ts";
import { setTopicRetention } from "../kafka/topic-retention.ts";
import { RedisLink } from "../redis/link.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import type { AuditEntry } from "../../server/audit/chain.ts";
import { ownActs } from "../../server/audit/own-acts.ts";
import { proofHash } from "../erasure/book.ts";
import { clusterMissing } from "../testing/servers.ts";
import { verifyCluster } from "../verify/verify.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import { projectTopics } from "../wire/topics.ts";
import type { ClusterProject } from "./project.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing };
const PATIENCE_MS = 90_000;
const DAY_MS = 86_400_000;
let cluster: TestCluster;
const doors: AttuneServer[] = [];

before(async () => {
  if (!missing) cluster = await startCluster();
});
after(async () => {
  for (const door of doors) await door.close();
  await cluster?.stop();
});

async function open(project: ClusterProject): Promise<{ url: string }> {
  const door = await serverOver(project);
  doors.push(door);
  return { url: await door.listen() };
}

/** Asks until it is so; a cluster that never comes to it must not keep the test's process alive. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await pause(10);
  }
}

/** What comes after all that was said of the user before is in his profile. */
async function settled(node: { url: string }, user: string): Promise<void> {
  const mark = performance.now();
  await ask(node, `PATCH /v1/users/${user}/profile`, { attributes: { mark } });
  await until(`the newest of ${user}`, async () => {
    const { json } = await ask(node, `GET /v1/users/${user}/profile`);
    return json.attributes?.mark === mark;
  });
}

test("an export has the lines of the embedded host's", options, async () => {
  const project = await cluster.newProject({ program: { placements: { home: {} } } });
  const node = await open(project.servers[0]!);
  await checkExport(node, (user) => settled(node, user));
  await project.stop();
});

test("the inventory and the retention that the topics have", options, async () => {
  const project = await cluster.newProject();
  const node = await open(project.servers[0]!);
  const { kinds } = (await ask(node, "GET /v1/privacy/inventory")).json;
  ok(kinds.some(({ kind }: { kind: string }) => kind === "event"));
  const { policy, last_run: last } = (await ask(node, "GET /v1/privacy/retention")).json;
  const ages = Object.fromEntries(policy.map(({ kind, age }: { kind: string; age: string }) => [kind, age]));
  deepEqual([ages.events, ages.decisions, ages.dead_letters, ages.profiles], ["400d", "90d", "90d", "forever"]);
  equal(last, null);
  const given = { events: 30 * DAY_MS, dead_letters: Infinity };
  await setTopicRetention({ brokers: [cluster.kafka.bootstrap] }, projectTopics(project.name), given);
  const changed = (await ask(node, "GET /v1/privacy/retention")).json.policy;
  const now = Object.fromEntries(changed.map(({ kind, age }: { kind: string; age: string }) => [kind, age]));
  deepEqual([now.events, now.decisions, now.dead_letters], ["30d", "90d", "forever"]);
  await project.stop();
});

test("who is not seen for long enough is forgotten on every server, and begins anew", options, async () => {
  const program = { segments: { seen: { when: "features.interactions > 0.0" } }, placements: { home: {} } };
  const project = await cluster.newProject({ program, servers: 2 });
  const [one, two] = (await Promise.all(project.servers.map(open))) as [{ url: string }, { url: string }];
  const connection = { brokers: [cluster.kafka.bootstrap] };
  const { control } = projectTopics(project.name);
  const statusOf = async (path: string): Promise<number> => (await ask(two, `GET /v1/${path}/profile`)).status;
  const members = async (): Promise<string[]> =>
    (await ask(one, "GET /v1/segments/seen/users")).json.users
      .map(({ user_id, anonymous_id }: { user_id?: string; anonymous_id?: string }) => user_id ?? anonymous_id)
      .sort();
  const send = (...events: object[]) => ask(one, "POST /v1/events", { events });
  await send(view("phone-1", { anonymous_id: "phone" }), view("guest-1", { anonymous_id: "guest" }));
  await send(view("ada-1", { user_id: "ada", anonymous_id: "phone" }), view("bob-1", { user_id: "bob" }));
  await settled(two, "ada");
  await settled(two, "bob");
  await until("the members", async () => (await members()).join() === "ada,bob,guest");
  equal(await statusOf("visitors/phone"), 200, "her device");
  const visitors = { profiles: Infinity, visitors: 1 };
  await setPersonAges(connection, control, visitors);
  await until("no guest", async () => (await statusOf("visitors/guest")) === 404);
  deepEqual(await members(), ["ada", "bob"]);
  await setPersonAges(connection, control, { profiles: 4_000, visitors: 4_000 });
  // Bob stays as long as he comes.
  let visits = 1;
  await until("nobody", async () => {
    await send(view(`bob-${++visits}`, { user_id: "bob" }));
    await pause(200);
    return (await statusOf("users/ada")) === 404 && (await statusOf("visitors/phone")) === 404;
  });
  deepEqual(await members(), ["bob"]);
  await setPersonAges(connection, control, { profiles: 395 * DAY_MS, visitors: 30 * DAY_MS });
  await until("the ages", async () => {
    const { policy } = (await ask(two, "GET /v1/privacy/retention")).json;
    const ages = Object.fromEntries(policy.map(({ kind, age }: { kind: string; age: string }) => [kind, age]));
    return ages.profiles === "395d" && ages.visitors === "30d";
  });
  // The device is nobody's by now.
  await send(view("phone-2", { anonymous_id: "phone" }));
  await until("a visitor", async () => (await statusOf("visitors/phone")) === 200);
  equal(await statusOf("users/ada"), 404);
  await send(view("ada-2", { user_id: "ada", anonymous_id: "phone" }));
  await settled(two, "ada");
  const { recent } = (await ask(one, "GET /v1/users/ada/profile")).json;
  equal(recent.length, 2, "what she did since, and her device before it was hers");
  const { differences } = await verified(project);
  deepEqual(differences, []);
  await project.restartJob();
  await settled(one, "bob");
  deepEqual((await verified(project)).differences, [], "a log that is read again brings nobody back");
  await project.stop();
});

async function done(node: { url: string }, jobId: string): Promise<any> {
  let proof: any;
  await until("the proof", async () => {
    ({ proof } = (await ask(node, `GET /v1/privacy/jobs/${jobId}`)).json);
    return proof !== undefined;
  });
  return proof;
}

async function verified(project: TestProject): Promise<{ differences: unknown[]; keys: number }> {
  const connection = { brokers: [cluster.kafka.bootstrap] };
  const topics = projectTopics(project.name);
  const partitions = await checkTopics(connection, needsOf(topics));
  const link = await RedisLink.open({ urls: [cluster.redis.url] });
  const store = new ProfileStore(link, { project: project.name, generation: 1, shards: partitions.get(topics.profiles)! });
  const { differences, persons } = await verifyCluster({ connection, topics, partitions, store, now: Date.now });
  link.close();
  return { differences: [...differences], keys: persons };
}

/** The topic of each record, also of a tombstone, in whose key or value the text stands, as it is or in base64. */
async function mentions({ name }: TestProject, text: string): Promise<string[]> {
  const connection = { brokers: [cluster.kafka.bootstrap] };
  const needs = needsOf(projectTopics(name));
  const found: string[] = [];
  for (const [topic, partitions] of await checkTopics(connection, needs)) {
    for (let partition = 0; partition < partitions; partition++) {
      for await (const records of readCommitted({ connection, topic, partition })) {
        for (const { key, value } of records) {
          const parts = [key, value].filter((part) => part !== null);
          // A handover of the test's job wraps the person in base64.
          const texts = parts.flatMap((part) => [part, ...base64Of(part)]);
          if (texts.some((part) => part.includes(text))) found.push(topic);
        }
      }
    }
  }
  return found;
}

/** Ids of the events in the log that were there before anybody was erased. */
async function ids({ name }: TestProject): Promise<string[]> {
  const connection = { brokers: [cluster.kafka.bootstrap] };
  const topics = projectTopics(name);
  const found: string[] = [];
  for (let partition = 0; partition < 3; partition++)
    for await (const records of readCommitted({ connection, topic: topics.log[0]!, partition }))
      for (const { value } of records) {
        const record = value === null ? undefined : decodeClusterRecord(value);
        if (record?.kind === "event") found.push(record.event.event_id);
      }
  return found.sort();
}

function base64Of(part: Buffer): Buffer[] {
  return [...part.toString("latin1").matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)].map(([match]) => Buffer.from(match, "base64"));
}

test("he is forgotten on every server at once, for good, and may begin anew", options, async (t) => {
  const program = {
    placements: { home: {} },
    segments: { seen: { when: "features.interactions > 0.0" } },
    slots: { theme: { policy: "rules", variants: { light: 1, dark: 2 }, default: "light" } },
    experiments: {
      look: {
        variants: { light: {}, dark: { slots: { theme: "dark" } } },
        metrics: { bought: { kind: "conversion", event: "purchase" } },
        window: "1d",
      },
    },
  };
  const access = await cluster.openAccess();
  const audit = await access.openAudit();
  t.after(() => audit.close());
  const acts = ownActs((error) => t.diagnostic(error.message));
  acts.attach(audit);
  const project = await cluster.newProject({ program, servers: 2, onOwnAct: acts.note });
  const [one, two] = (await Promise.all(project.servers.map(open))) as [{ url: string }, { url: string }];
  await ask(one, "PUT /v1/items", { items: [{ item_id: "i1", title: "One" }, { item_id: "i2", title: "Two" }] });
  const send = (node: { url: string }, ...events: object[]) => ask(node, "POST /v1/events", { events });
  await send(one, view("phone-1", { anonymous_id: "canary-phone" }), view("bob-1", { user_id: "bob" }, { item_id: "i2" }));
  await send(one, view("ada-1", { user_id: "canary-ada", anonymous_id: "canary-phone" }));
  await send(two, view("phone-2", { anonymous_id: "canary-phone" }));
  await send(two, { event_type: "nonsense", user_id: "canary-ada", timestamp: Date.now() });
  await ask(one, "GET /v1/recommendations?user_id=canary-ada");
  // A device that was hers and is Bob's.
  await send(one, view("shared-1", { anonymous_id: "shared" }));
  await send(one, view("shared-2", { user_id: "canary-ada", anonymous_id: "shared" }));
  await send(one, view("shared-3", { user_id: "bob", anonymous_id: "shared" }, { item_id: "i2" }));
  await settled(two, "canary-ada");
  await settled(two, "bob");
  await until("a dead letter", async () => (await ask(one, "GET /v1/dead-letters")).json.total === 1);
  await project.servers[0]!.snapshots.take();
  const members = async (node: { url: string }) =>
    (await ask(node, "GET /v1/segments/seen/users")).json.users.map(({ user_id }: { user_id: string }) => user_id);
  deepEqual((await members(one)).sort(), ["bob", "canary-ada"]);

  const profileOf = (node: { url: string }) => ask(node, "GET /v1/users/canary-ada/profile");
  const held = new Set((await mentions(project, "canary")).map((topic) => topic.split(".").at(-1)));
  deepEqual([...held].sort(), ["dead-letters", "decision", "events", "handover", "outcomes", "profiles", "steps"]);
  const link = await RedisLink.open({ urls: [cluster.redis.url] });
  await link.write("all", ["SAVE"]);
  const happenedMs = Date.now();
  const { status, json: job } = await ask(one, "DELETE /v1/privacy/users/canary-ada");
  const answeredMs = performance.now();
  equal(status, 202);
  for (const node of [one, two])
    for (const path of ["users/canary-ada", "visitors/canary-phone"])
      await until("nobody", async () => (await ask(node, `GET /v1/${path}/profile`)).status === 404);
  const forgottenMs = performance.now() - answeredMs;
  ok(forgottenMs < 5_000, `${forgottenMs} ms`);
  const late = await send(two, view("late-1", { user_id: "canary-ada" }, { timestamp: happenedMs }));
  equal(late.json.rejected[0].code, "erased");
  const proof = await done(two, job.job_id);
  t.diagnostic(`forgotten in ${Math.round(forgottenMs)} ms, done in ${Math.round(performance.now() - answeredMs)} ms`);
  let taken: AuditEntry | undefined;
  await until("the trail", async () => {
    [taken] = await audit.list({ project: project.name, limit: 10, action: "erasure done" });
    return taken !== undefined;
  });
  deepEqual(taken!.details, { job_id: job.job_id, proof_sha256: proofHash(proof), is_complete: true });
  equal(proof.ids, 2);
  equal(proof.redis.rows_found, 0);
  equal(proof.models.learnt_without_him, true);
  equal(proof.is_complete, true);
  const events = proof.topics[`attune.${project.name}.events`];
  ok(events.records_erased >= 6, JSON.stringify(proof.topics));
  deepEqual(await ids(project), ["bob-1", "shared-3"], "the log holds others' events, and theirs only");
  deepEqual(await members(two), ["bob"]);
  equal((await ask(one, "GET /v1/dead-letters")).json.total, 0);
  for (const { learner } of project.servers) {
    const rows: Buffer[] = [];
    for (const table of learner.learnt.tables) {
      table.begin();
      while (!table.take(500, (key, bytes) => rows.push(Buffer.from(String(key)), Buffer.from(bytes ?? []))));
    }
    equal(Buffer.concat(rows).includes("canary"), false, "nothing that was learnt names him");
  }
  // What he did before and comes by whichever way is refused; what he does now counts.
  for (const node of [one, two]) {
    for (const ref of [{ user_id: "canary-ada" }, { anonymous_id: "canary-phone" }]) {
      const answer = await send(node, view(`late ${JSON.stringify(ref)}`, ref, { timestamp: happenedMs }));
      equal(answer.json.rejected[0].code, "erased");
    }
  }
  equal((await ask(one, "GET /v1/users/canary-ada/profile")).status, 404);
  let named: string[] = [];
  await until(`no topic that names him, but ${named}`, async () => (named = await mentions(project, "canary")).length === 0);
  // Whoever folds the log anew, with the job's or the servers' code, comes to the same.
  deepEqual((await verified(project)).differences, []);
  await project.restartJob();
  await send(one, view("bob-2", { user_id: "bob" }));
  await settled(one, "bob");
  equal((await ask(one, "GET /v1/users/canary-ada/profile")).status, 404, "a log that is read again brings nobody back");
  // Redis comes back as it was before, and no topic has a tombstone any more.
  await cluster.redis.part.kill();
  await cluster.redis.part.start();
  await until("the others alone", async () => {
    const { status, json } = await ask(one, "GET /v1/segments/seen/users");
    return status === 200 && json.total === 1 && json.users[0].user_id === "bob";
  });
  await until("no dead letter", async () => (await ask(one, "GET /v1/dead-letters")).json.total === 0);
  await until("no row", async () => !String(await link.write("all", ["KEYS", "*p:u:*"])).includes("canary"));
  // Redis loses everything, and is filled from topics that hold him still.
  await link.write("all", ["FLUSHALL"]);
  link.close();
  await until("the members", async () => (await members(one)).length > 0);
  for (const node of [one, two]) {
    await until("nobody", async () => {
      const { status, json } = await profileOf(node);
      if (status !== 404) deepEqual([json.degraded, json.recent], [true, []], "while it is filled nobody is known for sure");
      return status === 404;
    });
  }
  deepEqual(await members(one), ["bob"]);
  equal((await send(two, view("again", { user_id: "canary-ada", anonymous_id: "canary-phone" }))).json.accepted, 1);
  await settled(one, "canary-ada");
  const again = (await ask(one, "GET /v1/users/canary-ada/profile")).json;
  deepEqual(again.recent.map(({ item_id }: { item_id: string }) => item_id), ["i1"]);
  deepEqual((await verified(project)).differences, []);
  const third = await open(await project.addServer());
  equal((await ask(third, `GET /v1/privacy/jobs/${job.job_id}`)).json.status, "done");
  equal((await ask(third, "GET /v1/privacy/jobs/none")).status, 404);
  await project.stop();
});
