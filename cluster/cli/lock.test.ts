import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClusterBusyError, lockCluster } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-cluster-lock-"));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A command that takes the lock as soon as it is told to, says "held" or "busy", and stays. */
async function command(): Promise<{ child: ChildProcess; take: () => Promise<string> }> {
  const code = `import { lockCluster } from ${JSON.stringify(new URL("./lock.ts", import.meta.url).href)};
    process.stdout.write("ready");
    process.stdin.once("data", () => {
      let said = "held";
      try { lockCluster(${JSON.stringify(folder)}); } catch { said = "busy"; }
      process.stdout.write(said);
    });`;
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
  return {
    child,
    async take() {
      child.stdin.write("take");
      return String((await once(child.stdout, "data"))[0]);
    },
  };
}

test("of commands that find the lock of one that was killed, a single one gets it", async () => {
  const commands = await Promise.all(Array.from({ length: 4 }, command));
  const first = commands.shift()!;
  assert.equal(await first.take(), "held");
  assert.throws(() => lockCluster(folder), (error: Error) => {
    assert.ok(error instanceof ClusterBusyError);
    assert.match(error.message, new RegExp(`^process ${first.child.pid} is working on`));
    return true;
  });
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const said = await Promise.all(commands.map(({ take }) => take()));
  assert.deepEqual(said.sort(), ["busy", "busy", "held"]);
});

test("a command that is done leaves the folder free", () => {
  const other = join(folder, "other");
  lockCluster(other)();
  lockCluster(other)();
});
