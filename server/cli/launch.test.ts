// Signals on their way from npm over the launcher to the node: it drains and ends with 0, and nobody is left behind.
import { equal, match, throws } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";

const ROOT = resolve(import.meta.dirname, "../..");
const isWindows = process.platform === "win32";
const folder = mkdtempSync(join(tmpdir(), "attune-launch-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** `npm start` in a process group of its own, ready. */
async function npmStart(name: string): Promise<ChildProcess> {
  const npm = spawn("npm", ["start", "--silent"], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ATTUNE_PORT: "0", ATTUNE_GRPC_PORT: "off", ATTUNE_DEMO: "0", ATTUNE_DATA: join(folder, name) },
  });
  after(() => {
    // Nobody is left where the test failed.
    try {
      process.kill(-npm.pid!, "SIGKILL");
    } catch (error) {
      equal((error as NodeJS.ErrnoException).code, "ESRCH");
    }
  });
  const [line] = (await once(createInterface({ input: npm.stdout! }), "line")) as [string];
  match(line, /^attune listening on /);
  return npm;
}

for (const [to, signal] of [
  ["npm alone", (npm: ChildProcess) => process.kill(npm.pid!, "SIGTERM")],
  ["the whole group", (npm: ChildProcess) => process.kill(-npm.pid!, "SIGTERM")],
] as const) {
  test(`SIGTERM to ${to} ends npm start with 0`, { skip: isWindows && "Windows has no signals" }, async () => {
    const npm = await npmStart(to.replaceAll(" ", "-"));
    const ended = once(npm, "exit");
    signal(npm);
    equal((await ended)[0], 0);
    throws(() => process.kill(-npm.pid!, 0), { code: "ESRCH" });
  });
}
