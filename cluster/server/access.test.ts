// Who may do what on the cluster's servers: keys, sessions and links that one of them knows count on all of them.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { signUserToken, verifyUserToken } from "../../server/access/user-token.ts";
import { askMatrix, matrixFolders } from "../../server/access/testing/matrix.ts";
import { ask, silent } from "../../server/http/testing.ts";
import { createServer, type AttuneServer } from "../../server/http/server.ts";
import type { ClusterAccess } from "../access/cluster-access.ts";
import { ClusterKeyError, newClusterKey } from "../access/cluster-key.ts";
import { KafkaReader } from "../kafka/reader.ts";
import { clusterMissing } from "../testing/servers.ts";
import { sharedTopics } from "../wire/topics.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing, timeout: 120_000 };
let cluster: TestCluster;
let project: TestProject;
const accesses: ClusterAccess[] = [];
const { folders, remove } = matrixFolders();
const doors: { server: AttuneServer; url: string }[] = [];

before(async () => {
  if (missing) return;
  cluster = await startCluster();
  project = await cluster.newProject({ servers: 2, program: { placements: { home: {} } } });
  for (const one of project.servers) {
    const access = await cluster.openAccess();
    const server = await createServer({
      projects: (name) => (name === "default" ? one : undefined),
      projectNames: () => ["default"],
      config: { port: 0, demo: true },
      keys: access.keys,
      sessions: access.sessions,
      audit: await access.openAudit(),
      folders,
      logger: silent,
    });
    accesses.push(access);
    doors.push({ server, url: await server.listen() });
  }
});
after(async () => {
  for (const { server } of doors) await server.close();
  await cluster?.stop();
  remove();
});

/** Milliseconds until it is so. */
async function until(isSo: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!isSo()) await pause(2);
  return performance.now() - startMs;
}

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
  const server = await createServer({
    projects: () => fresh,
    projectNames: () => ["default"],
    config: { port: 0 },
    keys: second.keys,
    folders: {},
    logger: silent,
  });
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
        "a write key, bob's token",
        "a write key on another page",
        "a key to read",
        "an admin key",
        "the console, logged in",
      ],
      without: ["GET /v1/audit"],
      statuses: {
        // Not in the cluster yet.
        "GET /v1/privacy/users/{user_id}/export": 501,
        "GET /v1/privacy/visitors/{anonymous_id}/export": 501,
        "DELETE /v1/privacy/users/{user_id}": 501,
        "DELETE /v1/privacy/visitors/{anonymous_id}": 501,
      },
    },
  );
  deepEqual(wrong, []);
  ok(cells > 800, `${cells} cells`);
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
