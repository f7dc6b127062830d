// One plan after another in the same folder: what runs is what the plan says, and a plan that cannot be changes nothing.
import { equal, match, notEqual, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Part } from "../parts/part.ts";
import { freePort } from "../parts/port.ts";
import { CheckError } from "./checks.ts";
import { partsOf } from "./cluster-parts.ts";
import { type ClusterSettings, planAt, resolveCluster, writePlan } from "./settings.ts";
import { takePlan } from "./take-plan.ts";

const skip = process.platform === "linux" ? false : "needs /proc";

function dataFolder(t: TestContext): string {
  const data = mkdtempSync(join(tmpdir(), "attune-take-plan-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/** A process in the place of a part of the cluster in this folder; ends with the test. */
async function standIn(t: TestContext, { folder, name }: { folder: string; name: string }): Promise<Part> {
  const [prepare, isReady] = [async () => undefined, async () => true];
  const part = new Part({ name, folder, program: "sleep", args: ["600"], prepare, isReady }, "caller");
  t.after(() => part.kill());
  await part.start();
  return part;
}

async function written(flags: Parameters<typeof resolveCluster>[0]): Promise<ClusterSettings> {
  const settings = await resolveCluster(flags);
  await writePlan(settings);
  return settings;
}

test("a server and a TaskManager that the plan no longer has are stopped; the others go on", { skip }, async (t) => {
  const data = dataFolder(t);
  const { folder } = await written({ data });
  const [first, second] = [
    await standIn(t, { folder: join(folder, "server-1"), name: "server-1" }),
    await standIn(t, { folder: join(folder, "server-2"), name: "server-2" }),
  ];
  const worker = await standIn(t, { folder: join(folder, "flink/taskmanager-2"), name: "taskmanager-2" });
  const said: string[] = [];
  await takePlan(await resolveCluster({ data, servers: "1", "task-managers": "1" }), 1, (line) => said.push(line));
  equal(first.isAlive, true);
  equal(second.isAlive, false);
  equal(worker.isAlive, false);
  match(said.join("\n"), /^stopping server-2, .*\nstopping taskmanager-2, /);
  equal((await planAt(folder))!.servers.ports.length, 1);
});

test("an address where nobody answers leaves plan and parts as they are", { skip }, async (t) => {
  const data = dataFolder(t);
  const { folder, plan } = await written({ data });
  const redis = await standIn(t, { folder: join(folder, "redis"), name: "redis" });
  const wrong = await resolveCluster({ data, redis: `redis://127.0.0.1:${await freePort()}`, servers: "1" });
  await rejects(takePlan(wrong, 1, () => undefined), (error) => error instanceof CheckError && /^Redis does not answer/.test(error.message));
  equal(redis.isAlive, true);
  equal(JSON.stringify(await planAt(folder)), JSON.stringify(plan));
});

test("another Flink takes over only from one that is down", { skip }, async (t) => {
  const data = dataFolder(t);
  const { folder, plan } = await written({ data });
  await standIn(t, { folder: join(folder, "flink/jobmanager"), name: "jobmanager" });
  const other = await resolveCluster({ data, flink: "http://127.0.0.1:1" });
  await rejects(takePlan(other, 1, () => undefined), /--flink names another Flink.*"attune cluster down" first/);
  equal(JSON.stringify(await planAt(folder)), JSON.stringify(plan));
});

test("a cluster that was watched over is so after an up that failed", { skip }, async (t) => {
  const data = dataFolder(t);
  const away = `127.0.0.1:${await freePort()}`;
  const others = { kafka: away, flink: `http://${away}`, redis: `redis://${away}` };
  const { folder } = await written({ data, ...others });
  const attune = (...words: string[]) => {
    const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), ...words, "--data", data];
    return spawnSync(process.execPath, args, { encoding: "utf8" });
  };
  const before = await standIn(t, { folder: join(folder, "supervisor"), name: "supervisor" });
  const pid = before.pid;
  const { status, stderr } = attune("up");
  equal(status, 1, stderr);
  match(stderr, /^attune: (Kafka|Redis|Flink) does not answer/m);
  // By its pid file, it is the one that `up` started.
  equal(before.isAlive, true);
  notEqual(before.pid, pid);
  equal(attune("down").status, 0);
  equal(before.isAlive, false);
});

test("a certificate that is renewed under its old name is another setting of the servers", { skip }, async (t) => {
  const data = dataFolder(t);
  const [caFile, truststore] = [join(data, "redis-ca.pem"), join(data, "kafka-ca.pem")];
  for (const file of [caFile, truststore]) writeFileSync(file, "the old signer");
  const flags = { data, port: "8080", redis: "rediss://127.0.0.1:1", "redis-ca": caFile, kafka: "127.0.0.1:1" };
  const tls = ["security.protocol=SSL", "ssl.truststore.type=PEM", `ssl.truststore.location=${truststore}`];
  const settings = await resolveCluster({ ...flags, "kafka-property": tls });
  const settingsNow = (): string => partsOf(settings, 1).servers[0]!.spec.settings!.text;
  const before = settingsNow();
  equal(settingsNow(), before);
  for (const file of [caFile, truststore]) {
    const known = settingsNow();
    writeFileSync(file, "the new one");
    notEqual(settingsNow(), known, file);
  }
  rmSync(caFile);
  notEqual(settingsNow(), before, "one that is missing is no fault of who looks at the parts");
});
