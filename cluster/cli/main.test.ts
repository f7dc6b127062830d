// The cluster's command line as a user calls it, where it needs no cluster.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CLUSTER_FLAGS } from "./settings.ts";

const wordsOf = (...args: string[]): string[] => ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), ...args];

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, wordsOf(...args), { encoding: "utf8", timeout: 30_000 });
  return { code: status, out: stdout, error: stderr };
}

test("help names every setting", () => {
  const { code, out } = run("help");
  equal(code, 0);
  deepEqual(Object.keys(CLUSTER_FLAGS).filter((flag) => !new RegExp(`--${flag}(?![\\w-])`).test(out)), []);
});

test("whoever asks for help gets it", () => {
  for (const args of [["--help"], ["-h"], ["up", "--help"], ["up", "-h"], ["logs", "server-1", "-h"]]) {
    const { code, out, error } = run(...args);
    match(out, /^attune cluster <command>/, args.join(" "));
    deepEqual([code, error], [0, ""]);
  }
  for (const args of [["keys", "help"], ["keys", "--help"], ["keys", "create", "-h"]]) {
    const { code, out, error } = run(...args);
    match(out, /^attune keys create --role/, args.join(" "));
    deepEqual([code, error], [0, ""]);
  }
});

test("what is no command is refused in a line", () => {
  for (const name of ["dance", "constructor"]) {
    const { code, error } = run(name);
    match(error, new RegExp(`^attune: "cluster ${name}" is no command; one of up, .*\\n$`));
    equal(code, 2);
  }
});

/** A data folder whose cluster was up once, and is down. */
function downFolder(t: TestContext, changed: object = {}): string {
  const data = mkdtempSync(join(tmpdir(), "attune-main-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, "cluster"));
  const [port, controllerPort, restPort, rpcPort, zookeeperPort] = [1, 2, 3, 4, 5];
  const plan = {
    kafka: { brokers: ["127.0.0.1:1"], properties: {}, own: { port, controllerPort } },
    flink: { url: "http://127.0.0.1:3", own: { restPort, rpcPort, zookeeperPort } },
    redis: { url: "redis://127.0.0.1:6", own: { port: 6 } },
    servers: { host: "127.0.0.1", ports: [7] },
    clusterKey: "",
    projects: {},
    ...{ demo: false, partitions: 1, replicas: 1, taskManagers: 1, slots: 1, parallelism: 1, checkpointMs: 1_000 },
    ...{ stateBackend: "rocksdb", transactionTimeoutMs: 900_000 },
    ...changed,
  };
  writeFileSync(join(data, "cluster/plan.json"), JSON.stringify(plan));
  return data;
}

test("what is no option, and a savepoint that is not there, are misuses that touch nothing", (t) => {
  const data = downFolder(t);
  const from = run("submit", "--data", data, "--from", join(data, "nothing"));
  match(from.error, /^attune: --from is ".*", which is no savepoint and no checkpoint: there is no _metadata in it\n$/);
  equal(from.code, 2);
  deepEqual(readdirSync(join(data, "cluster")), ["plan.json"]);
  for (const args of [["status", "--nope"], ["down", "now"]]) equal(run(...args, "--data", data).code, 2, args.join(" "));
});

test("a cluster that is down says so, in lines", (t) => {
  const data = downFolder(t);
  const { code, out, error } = run("status", "--data", data);
  deepEqual([code, error], [1, ""]);
  match(out, /^fault {4}Flink does not answer at http:\/\/127\.0\.0\.1:3$/m);
  match(out, /^fault {4}Kafka does not answer: connect ECONNREFUSED 127\.0\.0\.1:1$/m);
  equal(out.match(/^fault/gm)!.length, 2);
  const down = run("down", "--data", data);
  equal(down.code, 0);
  match(down.error, /Flink was down already; the next "up" goes on where the job ended\n.*everything is down\n$/);
});

test("settings that the cluster has are taken by every command; others are refused, with what heeds them", (t) => {
  const data = downFolder(t, { kafka: { brokers: ["127.0.0.1:1", "127.0.0.1:2"], properties: {} } });
  const own = ["--kafka", "127.0.0.1:1,127.0.0.1:2", "--servers", "1", "--parallelism", "1", "--demo", "0"];
  const { code, out, error } = run("status", ...own, "--data", data);
  deepEqual([code, error], [1, ""]);
  match(out, /^fault {4}Kafka does not answer/m);
  const submit = run("submit", ...own, "--task-managers", "2", "--data", data);
  equal(submit.code, 2);
  match(submit.error, /^attune: --demo, --servers, --kafka, --task-managers, --parallelism: this cluster has other settings/);
  for (const args of [["status", "--kafka=broker:9092"], ["down", "--servers", "7"], ["verify", "--redis", "redis://there"]]) {
    const refused = run(...args, "--data", data);
    equal(refused.code, 2, args.join(" "));
    match(refused.error, /^attune: --\w+: this cluster has other settings, which "attune cluster up --\w+ …" changes\n$/);
  }
});

test("a part that never ran has logged nothing, and that is said", (t) => {
  const { code, out, error } = run("logs", "kafka", "--data", downFolder(t));
  deepEqual([code, out, error], [0, "", "attune: kafka has logged nothing yet\n"]);
});

test("logs follow what is written, every letter whole, until they are interrupted", async (t) => {
  const data = downFolder(t);
  const log = join(data, "cluster/server-1/server-1.log");
  mkdirSync(join(data, "cluster/server-1"));
  writeFileSync(log, "first\n");
  const follow = spawn(process.execPath, wordsOf("logs", "server-1", "--follow", "--data", data));
  t.after(() => follow.kill("SIGKILL"));
  const ended = once(follow, "exit");
  let out = "";
  for await (const text of follow.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    out += String(text);
    // Longer than what is read at once, which ends within its last letter.
    if (out === "first\n") appendFileSync(log, `${"x".repeat((64 << 10) - 1)}ä\n`);
    if (out.endsWith("ä\n")) break;
  }
  follow.kill("SIGINT");
  deepEqual(await ended, [0, null]);
});

test("a trail that cannot be read is not waited for", (t) => {
  const { code, error } = run("audit", "verify", "--data", downFolder(t));
  match(error, /^attune: Kafka does not answer at 127\.0\.0\.1:1: connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
  equal(code, 1);
});
