// `npm test`: gets Chromium where it is missing, builds, and runs every test. `npm test -- core/event sdk` runs those only.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { ensureJars } from "../cluster/install/jars.ts";
import { ensureJobJar } from "../cluster/install/job.ts";
import { ensureRedis } from "../cluster/install/redis.ts";
import { clusterMissing } from "../cluster/install/tools.ts";
import { browserMissing } from "../e2e/browser.ts";
import { buildAll } from "./build.ts";
import report from "./reporter.ts";

const ROOT = resolve(import.meta.dirname, "..");
const ROOMS = ["core", "server", "cluster", "sdk", "console", "demo", "e2e", "vectors", "scripts", "sim", "bench"];
/** Test files at once; CI machines have two cores, and a whole cluster needs both. */
const CONCURRENCY = 2;
const CONCURRENCY_OF_CLUSTER = 1;
const TEST_TIMEOUT_MS = 240_000;

/** Installs Debian's Chromium; without it the browser tests are skipped, each with the reason. */
function ensureBrowser(): void {
  if (browserMissing() === undefined) return;
  const isRoot = process.getuid?.() === 0;
  const apt = (...args: string[]): boolean => {
    const command = isRoot ? ["apt-get", ...args] : ["sudo", "-n", "apt-get", ...args];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    return spawnSync(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
  };
  process.stderr.write("attune: installing Chromium for the browser tests …\n");
  if (process.platform === "linux")
    apt("update", "-q") && apt("install", "-y", "-q", "--no-install-recommends", "chromium");
  const reason = browserMissing();
  if (reason !== undefined) process.stderr.write(`attune: browser tests are skipped: ${reason}\n`);
}

/** Fetches and builds what the cluster's tests run, before them: a download takes none of their time. */
async function ensureCluster(): Promise<void> {
  const missing = clusterMissing();
  if (missing !== undefined) return void process.stderr.write(`attune: cluster tests are skipped: ${missing}\n`);
  const startMs = performance.now();
  // One Maven at a time: two would fetch the same jars into the same repository.
  await ensureJars("kafka");
  await ensureJars("flink");
  await ensureJobJar();
  await ensureRedis();
  const seconds = (performance.now() - startMs) / 1_000;
  if (seconds > 1) process.stderr.write(`attune: installed Kafka, Flink and Redis in ${seconds.toFixed(0)} s\n`);
}

function testFiles(wanted: readonly string[]): string[] {
  return globSync(`{${ROOMS.join(",")}}/**/*.test.{ts,tsx}`, { cwd: ROOT })
    .filter((path) => wanted.length === 0 || wanted.some((prefix) => path.startsWith(prefix)))
    .sort();
}

async function main(): Promise<number> {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    process.stderr.write(`attune: no test file begins with ${process.argv.slice(2).join(" or ")}\n`);
    return 2;
  }
  ensureBrowser();
  const isCluster = (file: string): boolean => /^(e2e\/)?cluster\//.test(file);
  const cluster = { files: files.filter(isCluster), concurrency: CONCURRENCY_OF_CLUSTER };
  const others = { files: files.filter((file) => !isCluster(file)), concurrency: CONCURRENCY };
  if (cluster.files.length > 0) await ensureCluster();
  await buildAll();
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  let hasFailed = false;
  async function* all(): AsyncGenerator<TestEvent> {
    for (const group of [cluster, others]) {
      if (group.files.length === 0) continue;
      const options = { ...group, cwd: ROOT, timeout: TEST_TIMEOUT_MS, signal: stopping.signal };
      for await (const event of run(options)) {
        hasFailed ||= event.type === "test:fail";
        yield event;
      }
    }
  }
  for await (const text of report(all())) process.stdout.write(text);
  return hasFailed || stopping.signal.aborted ? 1 : 0;
}

process.exitCode = await main();
