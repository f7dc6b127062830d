#!/usr/bin/env node
// The launcher behind `npm start`, `npm test` and the `attune` command. Plain JavaScript without dependencies, because
// it runs on whatever Node (>= 18) is there: it installs what is missing, then goes on with a Node that runs TypeScript.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each `npm run` name starts; `attune` takes the command from its arguments. */
const ENTRIES = {
  start: ["server/cli/main.ts", "start"],
  attune: ["server/cli/main.ts"],
  test: ["scripts/test.ts"],
  "test:cluster": ["scripts/test-cluster.ts"],
  bench: ["bench/main.ts"],
  faults: ["scripts/faults.ts"],
  fuzz: ["scripts/fuzz.ts"],
  sim: ["sim/main.ts"],
  schemathesis: ["scripts/schemathesis.ts"],
  sbom: ["scripts/sbom.ts"],
  build: ["scripts/build.ts"],
  check: ["scripts/check.ts"],
};

/**
 * For short pauses. Young objects are collected 16 MB at a time, each by one thread (that of the server: see node.ts), and
 * no more than two helpers mark old ones, so that on two cores requests are not the ones that wait.
 */
const HEAP_FLAGS = ["--max-semi-space-size=16", "--v8-pool-size=2"];

function install() {
  const lockHash = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  const stamp = join(root, "node_modules", ".attune-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash) return;
  process.stderr.write("attune: installing packages …\n");
  const npm = process.env["npm_execpath"];
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const [command, commandArgs] = npm ? [process.execPath, [npm, ...args]] : ["npm", args];
  const shell = !npm && process.platform === "win32";
  const done = spawnSync(command, commandArgs, { cwd: root, stdio: ["ignore", "ignore", "inherit"], shell });
  if (done.status !== 0) {
    process.stderr.write("attune: `npm ci` failed (see above). Check the network and run the same command again.\n");
    process.exit(1);
  }
  writeFileSync(stamp, lockHash);
}

/** The Node that runs the program: this one from 22.18 on, otherwise the one that npm installed beside it. */
function nodeBinary() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  for (const name of [`node-${platform}`, `node-bin-${platform}`]) {
    const binary = join(root, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
    if (existsSync(binary)) return binary;
  }
  process.stderr.write(
    `attune: needs Node >= 22.18, this is ${process.versions.node}, and npm carries no Node 24 for ` +
      `${process.platform}-${process.arch}. Install Node 24 and run the same command again.\n`,
  );
  process.exit(1);
}

const [name = "attune", ...rest] = process.argv.slice(2);
const entry = ENTRIES[name];
if (!entry) {
  process.stderr.write(`attune: unknown script "${name}"; one of ${Object.keys(ENTRIES).join(", ")}\n`);
  process.exit(2);
}
install();
if (name === "start") process.env["ATTUNE_DEMO"] ||= "1";
let [script, ...fixed] = entry;
// The server's rooms know no cluster, so that command begins in a room of its own.
if (name === "attune" && rest[0] === "cluster") [script, ...fixed] = ["cluster/cli/main.ts", ...rest.splice(0).slice(1)];
const isOfCluster = name === "attune" && ["keys", "audit", "verify"].includes(rest[0]) && rest.includes("--cluster");
if (isOfCluster) [script, ...fixed] = ["cluster/cli/main.ts", ...rest.splice(0).filter((word) => word !== "--cluster")];
// What was compiled once, types taken out, is kept: a start takes 0.6 s instead of 1.1 s.
process.env["NODE_COMPILE_CACHE"] ||= join(root, "node_modules", ".cache", "attune");
const nodeArgs = ["--disable-warning=ExperimentalWarning", ...HEAP_FLAGS, join(root, script), ...fixed, ...rest];
const child = spawn(nodeBinary(), nodeArgs, { stdio: "inherit" });
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
