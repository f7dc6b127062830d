import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FolderLockedError, FolderUnusableError, lockFolder } from "./folder-lock.ts";

const root = mkdtempSync(join(tmpdir(), "attune-lock-"));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

/** A process that holds the folder until it is killed. */
async function holder(folder: string): Promise<{ pid: number; kill: () => Promise<void> }> {
  const url = new URL("./folder-lock.ts", import.meta.url).href;
  const code = `import { lockFolder } from ${JSON.stringify(url)};
    lockFolder(${JSON.stringify(folder)}); process.stdout.write("held"); setInterval(() => {}, 1e6);`;
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid!,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

test("a second process is refused by the name of the first, until the first is killed", async () => {
  const folder = join(root, "killed");
  const other = await holder(folder);
  assert.throws(() => lockFolder(folder), (error: Error) => {
    assert.ok(error instanceof FolderLockedError);
    assert.match(error.message, new RegExp(`in use by process ${other.pid}\\b.*ATTUNE_DATA`));
    return true;
  });
  await other.kill();
  lockFolder(folder).release();
});

test("the copy of a folder in use is free, and stays so after its own holder was killed", async () => {
  const folder = join(root, "origin");
  const copy = join(root, "copy");
  const other = await holder(folder);
  cpSync(folder, copy, { recursive: true });
  lockFolder(copy).release();
  await (await holder(copy)).kill();
  lockFolder(copy).release();
  await other.kill();
});

test("the same process is refused too, and may have the folder again after a release", () => {
  const folder = join(root, "self");
  const lock = lockFolder(folder);
  assert.throws(() => lockFolder(folder), new RegExp(`process ${process.pid}`));
  lock.release();
  lockFolder(folder).release();
});

test("a folder that cannot be written to is told in a sentence", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  for (const folder of [file, join(file, "below")]) {
    assert.throws(() => lockFolder(folder), (error: Error) => {
      assert.ok(error instanceof FolderUnusableError);
      assert.match(error.message, new RegExp(`^${folder} cannot hold data: E[A-Z]+: .*ATTUNE_DATA`));
      return true;
    });
  }
});

test("a folder that is made here is for its owner alone, one that was there stays as it is", { skip: process.platform === "win32" }, () => {
  const made = join(root, "below", "made");
  lockFolder(made).release();
  assert.equal(statSync(made).mode & 0o777, 0o700);
  const mode = statSync(root).mode;
  lockFolder(root).release();
  assert.equal(statSync(root).mode, mode);
});
