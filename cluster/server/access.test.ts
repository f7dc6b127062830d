// Who may do what on the cluster's servers: keys, sessions and links that one of them knows count on all of them.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { signUserToken, verifyUserToken } from "../../server/access/user-token.ts";
import { askMatrix, matrixFolders } from "../../server/access/testing/matrix.ts";
import { ask, serverOver } from "../../server/http/testing.ts";
import type { AttuneServer } from "../../server/http/server.ts";
import { AuditDamagedError, type AuditLog } from "../../server/audit/audit-log.ts";
import { moveAnchor, readAnchor } from "../access/audit-anchor.ts";
import { verifySharedAudit } from "../access/shared-audit.ts";
import { RedisLink } from "../redis/link.ts";
import type { ClusterAccess } from "../access/cluster-access.ts";
import { ClusterKeyError, newClusterKey } from "../access/cluster-key.ts";
import { KafkaReader } from "../kafka/reader.ts";
import { clusterMissing } from "../testing/servers.ts";
import { sharedTopics } from "../wire/topics.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing };
const LOOKS_MAX = 1_000;
let cluster: TestCluster;
let project: TestProject;
const accesses: ClusterAccess[] = [];
const { folders, remove } = matrixFolders();
const audits: AuditLog[] = [];
const doors: { server: AttuneServer; url: string }[] = [];

before(async () => {
  if (missing) return;
  cluster = await startCluster();
  project = await cluster.newProject({ servers: 2, program: { placements: { home: {} } } });
  for (const one of project.servers) {
    const access = await cluster.openAccess();
    const audit = await access.openAudit();
    audits.push(audit);
    const server = await serverOver(one, {
      config: { demo: true },
      keys: access.keys,
      sessions: access.sessions,
      audit,
      folders,
    });
    accesses.push(access);
    doors.push({ server, url: await server.listen() });
  }
});
after(async () => {
  for (const { server } of doors) await server.close();
  for (const audit of audits) await audit.close();
  await cluster?.stop();
  remove();
});

/** Milliseconds until it is so. */
async function until(isSo: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!isSo()) await pause(2);
  return performance.now() - startMs;
}

test("of first user tokens that two servers make at a time both are taken", options, async () => {
  const made = await Promise.all(doors.map((door) => ask(door, "POST /v1/user-tokens", { user_id: "ada" })));
  for (const { status, json } of made) {
    equal(status, 201);
    for (const { keys } of accesses) {
      const read = () => verifyUserToken(json.user_token, project.name, keys.secrets(project.name), Date.now());
      // Until this server has heard of the other one's secret.
      for (let looks = 0; looks < LOOKS_MAX && typeof (await read()) !== "object"; looks++) await pause(2);
      const token = await read();
      equal(typeof token === "object" && token.userId, "ada");
    }
  }
});

test("a key that one server made or revoked is so on the other within a second, and Kafka holds no key", options, async () => {
  const [first, second] = accesses as [ClusterAccess, ClusterAccess];
  equal(second.keys.isEmpty, true);
  const { stored, key } = await first.keys.issue({ project: "elsewhere", role: "admin", name: "root" });
  ok(first.keys.find(key), "at once where it was made");
  ok((await until(() => second.keys.find(key) !== undefined)) < 1_000);
  deepEqual([second.keys.isEmpty, second.keys.list("elsewhere").length, second.keys.list("default").length], [false, 1, 0]);
  const next = (await second.keys.rotate(stored.id, 60_000))!;
  ok(second.keys.find(key) && second.keys.find(next.key), "both, for a minute");
  ok((await until(() => first.keys.find(next.key) !== undefined)) < 1_000);
  equal(await second.keys.revoke(next.stored.id), true);
  ok((await until(() => first.keys.find(next.key) === undefined)) < 1_000);
  equal(await first.keys.revoke(next.stored.id), false);
  const secret = await first.keys.rotateSecret("elsewhere", 0);
  await until(() => second.keys.secrets("elsewhere").length === 1);
  const token = await signUserToken("ada", secret, Date.now(), 60);
  const read = await verifyUserToken(token, "elsewhere", second.keys.secrets("elsewhere"), Date.now());
  equal(typeof read === "object" && read.userId, "ada");
  const late = await cluster.openAccess();
  deepEqual(late.keys.list("elsewhere"), first.keys.list("elsewhere"), "a server that comes later knows them all");
  const stolen = await allOf(sharedTopics().access);
  for (const word of [key, next.key, secret.secret]) equal(stolen.includes(word), false);
  ok(stolen.includes(stored.hash));
  await rejects(cluster.openAccess({ key: newClusterKey() }), ClusterKeyError);
  const renewed = await cluster.openAccess({ key: newClusterKey(), isNewKey: true });
  deepEqual(renewed.keys.secrets("elsewhere"), []);
  // What follows starts with a cluster that has keys of one project; the other one's are made there.
  await first.keys.revoke(stored.id);
});

test("whom a device belongs to is asked before a public key reads it, on a server that has not heard of it", options, async () => {
  const [first, second] = accesses as [ClusterAccess, ClusterAccess];
  const { key } = await first.keys.issue({ project: "default", role: "write", name: "page" });
  await until(() => second.keys.find(key) !== undefined);
  const headers = { authorization: `Bearer ${key}` };
  const view = { event_id: "l1", anonymous_id: "laptop", user_id: "ada", event_type: "view", item_id: "x" };
  equal((await ask(doors[0]!, "POST /v1/events", { ...view, timestamp: Date.now() }, { headers })).status, 202);
  // A server that has just started: its memory is empty.
  const fresh = await project.addServer();
  equal(fresh.personKey({ anonymous_id: "laptop" }), "a:laptop");
  const server = await serverOver(fresh, { keys: second.keys });
  const door = { url: await server.listen() };
  const reads = [
    ["GET /v1/visitors/laptop/profile"],
    ["GET /v1/recommendations?anonymous_id=laptop"],
    ["POST /v1/recommendations", { anonymous_id: "laptop" }],
    ["PATCH /v1/visitors/laptop/profile", { attributes: { a: 1 } }],
  ] as const;
  let asked = 0;
  // Until the job has answered the link marker, the key is a visitor's that nobody knows.
  for (let isLinked = false; !isLinked; ) {
    const [route, body] = reads[asked++ % reads.length]!;
    const { status, json, text } = await ask(door, route, body, { headers });
    if (status === 403) {
      equal(json.code, "forbidden");
      isLinked = fresh.personKey({ anonymous_id: "laptop" }) === "u:ada";
    } else ok(!text.includes("ada"), text);
  }
  for (const [route, body] of reads) equal((await ask(door, route, body, { headers })).status, 403, route);
  equal((await ask(door, "GET /v1/recommendations?anonymous_id=nobody-yet", undefined, { headers })).status, 200);
  await server.close();
});

test("a console session that one server opened is open on the other, until it is ended on either", options, async () => {
  const [first, second] = accesses as [ClusterAccess, ClusterAccess];
  const { stored, key } = await first.keys.issue({ project: "default", role: "admin", name: "console" });
  await until(() => second.keys.find(key) !== undefined);
  const login = async (): Promise<string> => {
    const answer = await ask(doors[0]!, "POST /v1/session", { key });
    return answer.headers.get("set-cookie")!.split(";", 1)[0]!;
  };
  const asked = async (cookie: string, door = doors[1]!): Promise<number> =>
    (await ask(door, "GET /v1/keys", undefined, { headers: { cookie, origin: door.url } })).status;
  const [one, two] = [await login(), await login()];
  deepEqual([await asked(one), await asked(two)], [200, 200]);
  await ask(doors[1]!, "DELETE /v1/session", undefined, { headers: { cookie: one, origin: doors[1]!.url } });
  equal(await asked(one), 401, "where it was ended");
  const startMs = performance.now();
  while ((await asked(one, doors[0])) !== 401);
  ok(performance.now() - startMs < 1_000, "and on the other");
  equal(await asked(two), 200);
  await second.keys.revoke(stored.id);
  equal(await asked(two), 401, "its key was revoked");
});

test("every operation refuses and lets in whom it should, on the servers in turn", options, async () => {
  const [first] = accesses as [ClusterAccess];
  const { cells, wrong } = await askMatrix(
    { urls: doors.map(({ url }) => url), project: project.servers[0]!, keys: first.keys },
    {
      principals: [
        "nobody",
        "a revoked admin key",
        "another project's admin key",
        "a write key",
        "a write key, ada's token",
        "an admin key",
        "the console, logged in",
      ],
    },
  );
  deepEqual(wrong, []);
  ok(cells > 500, `${cells} cells`);
});

test("what is read and changed by any server is in one chain that every server shows, each thing once", options, async (t) => {
  const [first, second] = audits as [AuditLog, AuditLog];
  const project = "audited";
  const tasks = Array.from({ length: 300 }, async (_, i) => {
    const by = i % 2 === 0 ? first : second;
    if (i % 3 === 0) by.read({ project, actor: "key_1", action: "read", subject: by.subjectOf(project, `u:${i}`) });
    else await by.change({ project, actor: "key_1", action: "change", details: { i } });
  });
  await Promise.all(tasks);
  const shown = async (by: AuditLog) => await by.list({ project, limit: 500 });
  while ((await shown(first)).length < 300 || (await shown(second)).length < 300) await pause(10);
  const entries = await shown(first);
  deepEqual(entries, await shown(second));
  equal(entries.length, 300);
  deepEqual(new Set(entries.map(({ details }) => details?.["i"])).size, 200 + 1);
  equal(new Set(entries.map(({ subject }) => subject)).size, 100 + 1);
  equal(first.subjectOf(project, "u:0"), second.subjectOf(project, "u:0"), "a person has one name in it");
  const link = await RedisLink.open({ urls: [cluster.redis.url] });
  t.after(() => link.close());
  const verify = async () => {
    const checked = await verifySharedAudit({ connection: { brokers: [cluster.kafka.bootstrap] }, link });
    return { checked, anchor: await readAnchor(link) };
  };
  const { checked, anchor } = await verify();
  deepEqual([checked.fault, checked.entries], [undefined, checked.head.seq]);
  deepEqual(anchor, checked.head);
  // Redis knows of an entry that the topic has not: somebody cut it off.
  moveAnchor(link, { seq: checked.head.seq + 5, hash: "f".repeat(64) });
  equal((await verify()).checked.fault?.kind, "cut_off");
  const third = await cluster.openAccess();
  await rejects(third.openAudit(), AuditDamagedError);
  await link.write("attune", ["FLUSHALL"]);
  const later = await third.openAudit();
  deepEqual(await later.list({ project, limit: 500 }), entries, "a Redis that was emptied takes nothing from the trail");
  await later.change({ project, actor: "key_2", action: "change" });
  equal((await verify()).anchor?.seq, checked.head.seq + 1, "and is told the head again");
  await later.close();
});

/** A topic's records as text. */
async function allOf(topic: string): Promise<string> {
  let text = "";
  const reader = new KafkaReader({
    connection: { brokers: [cluster.kafka.bootstrap] },
    onBatch: ({ records }) => {
      for (const { value } of records) text += value?.toString() ?? "";
    },
  });
  reader.read(topic, 0, "earliest");
  await reader.caughtUp();
  await reader.close();
  return text;
}
