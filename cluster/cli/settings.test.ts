import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SettingError } from "../../server/cli/config.ts";
import { clusterRetention, resolveCluster, writePlan } from "./settings.ts";

const DAY_MS = 86_400_000;

test("ages of topics are taken, and only those that are given", () => {
  deepEqual(clusterRetention(undefined).topics, {});
  deepEqual(clusterRetention({ events: "30d", dead_letters: "forever", audit: "forever" }).topics, {
    events: 30 * DAY_MS,
    dead_letters: Infinity,
  });
});

test("persons have the ages of the embedded host, or those that are given", () => {
  deepEqual(clusterRetention(undefined).persons, { profiles: 395 * DAY_MS, visitors: 30 * DAY_MS });
  const given = clusterRetention({ profiles: "forever", visitors: "14d" });
  deepEqual(given, { topics: {}, persons: { profiles: Infinity, visitors: 14 * DAY_MS } });
  throws(() => clusterRetention({ visitors: "12h" }), /retention.visitors is 12h: at least 1d/);
});

test("an age that a cluster would not keep to is refused, not forgotten", () => {
  for (const kind of ["audit", "erasures"])
    throws(() => clusterRetention({ [kind]: "400d" }), new RegExp(`retention.${kind} is 400d`));
  throws(() => clusterRetention({ events: "1d" }), SettingError);
  throws(() => clusterRetention({ evnts: "30d" }), SettingError);
});

test("a cluster has the demo unless somebody says no; a variable that is set to nothing says nothing", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "attune-cluster-settings-"));
  const before = process.env["ATTUNE_DEMO"];
  t.after(() => {
    rmSync(data, { recursive: true, force: true });
    if (before === undefined) delete process.env["ATTUNE_DEMO"];
    else process.env["ATTUNE_DEMO"] = before;
  });
  for (const [said, isOn] of [["", true], ["1", true], ["0", false]] as const) {
    process.env["ATTUNE_DEMO"] = said;
    equal((await resolveCluster({ data })).plan.demo, isOn, `"${said}"`);
  }
});

/** A data folder whose cluster was brought up with these flags. */
async function upOnce(t: TestContext, flags: Parameters<typeof resolveCluster>[0] = {}): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), "attune-cluster-settings-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  await writePlan(await resolveCluster({ ...flags, data }));
  return data;
}

test("a server that is added listens beside the first one, wherever that does", async (t) => {
  const data = await upOnce(t, { port: "22400", servers: "1" });
  deepEqual((await resolveCluster({ data, servers: "3" })).plan.servers.ports, [22_400, 22_402, 22_404]);
});

test("what up was told once holds for the next up", async (t) => {
  const data = await upOnce(t);
  const config = join(data, "attune.config.ts");
  writeFileSync(config, 'export default { projects: { outlet: "shop" }, limits: { keyPerS: 7 } };');
  await writePlan(await resolveCluster({ data, config, host: "0.0.0.0" }));
  const { plan } = await resolveCluster({ data });
  equal(plan.servers.host, "0.0.0.0");
  deepEqual(plan.servers.settings, { limits: { keyPerS: 7 } });
  deepEqual(plan.projects, { default: "shop", news: "news", outlet: "shop" });
  const { projects } = (await resolveCluster({ data, demo: "0" })).plan;
  deepEqual(projects, { default: "shop", news: "news", outlet: "shop" }, "the job has its persons");
  writeFileSync(join(data, "other.config.ts"), 'export default { host: "127.0.0.2" };');
  const other = await resolveCluster({ data, config: join(data, "other.config.ts") });
  equal(other.plan.servers.host, "127.0.0.2", "the file wins over what was");
  deepEqual(other.plan.servers.settings, {});
  deepEqual(other.plan.projects, plan.projects, "nor does the job lose a project");
});

test("a log does not move to another Kafka by a flag", async (t) => {
  const data = await upOnce(t);
  await rejects(resolveCluster({ data, kafka: "127.0.0.1:1" }), /--kafka names another Kafka.*"attune cluster backup"/);
});

test("a job that our own Flink has no slots for is refused before anything changes", async (t) => {
  const data = await upOnce(t);
  await rejects(resolveCluster({ data, parallelism: "5" }), /--parallelism is 5, and 2 TaskManagers with 2 slots each have 4/);
  await rejects(resolveCluster({ data, "task-managers": "1", slots: "1" }), /--parallelism is 2, and 1 TaskManagers/);
  equal((await resolveCluster({ data, parallelism: "4" })).plan.parallelism, 4);
});

test("a certificate's new file is taken for the Redis that is known, and is nothing to our own", async (t) => {
  const data = await upOnce(t, { redis: "rediss://127.0.0.1:1", "redis-ca": "/old.pem" });
  const { redis } = (await resolveCluster({ data, "redis-ca": "/new.pem" })).plan;
  deepEqual(redis, { url: "rediss://127.0.0.1:1", caFile: "/new.pem" });
  await rejects(resolveCluster({ data: await upOnce(t), "redis-ca": "/new.pem" }), /--redis-ca, .* go with --redis/);
});
