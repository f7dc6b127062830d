// What a person, and whoever answers for his data, may ask of the cluster's servers.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createServer, type AttuneServer } from "../../server/http/server.ts";
import { ask, silent } from "../../server/http/testing.ts";
import { checkExport } from "../../server/privacy/testing/export-check.ts";
import { clusterMissing } from "../testing/servers.ts";
import type { ClusterProject } from "./project.ts";
import { startCluster, type TestCluster } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing, timeout: 120_000 };
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
  const door = await createServer({
    projects: () => project,
    projectNames: () => ["default"],
    config: { port: 0 },
    folders: {},
    logger: silent,
  });
  doors.push(door);
  return { url: await door.listen() };
}

/** What comes after all that was said of the user before is in his profile. */
async function settled(node: { url: string }, user: string): Promise<void> {
  const mark = performance.now();
  await ask(node, `PATCH /v1/users/${user}/profile`, { attributes: { mark } });
  for (;;) {
    const { json } = await ask(node, `GET /v1/users/${user}/profile`);
    if (json.attributes?.mark === mark) return;
    await pause(5);
  }
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
  await project.stop();
});
