import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openVault, VaultError, type Vault } from "./vault.ts";

interface Bench {
  dataFolder: string;
  kekFolder: string;
  file: string;
  open(): Vault;
  kekPath(): string;
}

function bench(t: TestContext): Bench {
  const root = mkdtempSync(join(tmpdir(), "attune-vault-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [dataFolder, kekFolder] = [join(root, "data"), join(root, "keys")];
  return {
    dataFolder,
    kekFolder,
    file: join(dataFolder, "vault.json"),
    open: () => openVault({ dataFolder, kekFolder }),
    kekPath: () =>
      join(
        kekFolder,
        readdirSync(kekFolder).find((name) => name.endsWith(".kek"))!,
      ),
  };
}

const exported = (vault: Vault, name: string): string | undefined => vault.find(name)?.export().toString("hex");

test("a key is the same after a restart, and stands nowhere in the clear", (t) => {
  const { open, file, kekPath } = bench(t);
  const key = open().obtain("log/0").export();
  equal(exported(open(), "log/0"), key.toString("hex"));
  for (const path of [file, kekPath()]) {
    const text = readFileSync(path, "utf8");
    ok(!text.includes(key.toString("base64")) && !text.includes(key.toString("hex")), path);
    equal(statSync(path).mode & 0o777, 0o600);
  }
});

test("a destroyed key is gone, and no copy of the old file opens any more", (t) => {
  const { open, file } = bench(t);
  const vault = open();
  vault.obtain("a");
  const kept = vault.obtain("b").export().toString("hex");
  copyFileSync(file, `${file}.copy`);
  vault.destroy(["a", "unknown"]);
  deepEqual([vault.find("a"), vault.epoch, vault.names()], [undefined, 2, ["b"]]);
  equal(exported(open(), "b"), kept);
  copyFileSync(`${file}.copy`, file);
  throws(open, VaultError);
});

test("the old KEK's bytes are overwritten where they lay", (t) => {
  const { open, kekPath } = bench(t);
  const vault = open();
  vault.obtain("a");
  const old = readFileSync(kekPath(), "utf8");
  const { ino } = statSync(kekPath());
  vault.destroy(["a"]);
  ok(readFileSync(kekPath(), "utf8") !== old);
  ok(statSync(kekPath()).ino !== ino);
});

test("a key made anew under its name is another one", (t) => {
  const vault = bench(t).open();
  const first = vault.make("a").export().toString("hex");
  vault.make("a");
  ok(exported(vault, "a") !== first);
});

test("a crash between any two steps of a destruction leaves the old state or the new one", (t) => {
  const { open, file, kekPath } = bench(t);
  const vault = open();
  vault.obtain("a");
  const kept = vault.obtain("b").export().toString("hex");
  const before = { file: readFileSync(file), kek: readFileSync(kekPath()) };
  vault.destroy(["a"]);
  const after = { file: readFileSync(file), kek: readFileSync(kekPath()) };
  const states = [
    { title: "the new wraps are written", file: before.file, next: after.file, kek: before.kek, names: ["a", "b"] },
    { title: "the new KEK is in place", file: before.file, next: after.file, kek: after.kek, names: ["b"] },
    { title: "the new wraps are in place", file: after.file, next: after.file, kek: after.kek, names: ["b"] },
  ];
  for (const state of states) {
    writeFileSync(file, state.file);
    writeFileSync(`${file}.next`, state.next);
    writeFileSync(kekPath(), state.kek);
    const again = open();
    deepEqual(again.names().sort(), state.names, state.title);
    equal(exported(again, "b"), kept, state.title);
    deepEqual(open().names().sort(), state.names, `${state.title}, opened again`);
  }
});

test("a destruction that fails at any step leaves a vault that opens with all that it gives out, and can be done again", (t) => {
  for (const step of ["next", "kek", "file"] as const) {
    const { open, file, kekPath } = bench(t);
    const vault = open();
    vault.obtain("a");
    vault.obtain("b");
    // In the way of what is written there: as a full disk.
    const blocked = `${{ next: `${file}.next`, kek: kekPath(), file }[step]}.tmp`;
    mkdirSync(blocked);
    throws(() => vault.destroy(["a"]), /EISDIR/);
    rmdirSync(blocked);
    equal(vault.find("a") === undefined, step === "file", step);
    vault.make("c");
    const names = step === "file" ? ["b", "c"] : ["a", "b", "c"];
    for (const name of names) equal(exported(open(), name), exported(vault, name), `${step}: ${name}`);
    const again = open();
    again.destroy(["a"]);
    deepEqual([again.names(), open().names()], [["b", "c"], ["b", "c"]], step);
  }
});

test("a key that could not be written is not given out later either", (t) => {
  const { open, file } = bench(t);
  const vault = open();
  mkdirSync(`${file}.tmp`);
  throws(() => vault.obtain("a"), /EISDIR/);
  rmdirSync(`${file}.tmp`);
  equal(vault.find("a"), undefined);
  vault.obtain("a");
  equal(exported(open(), "a"), exported(vault, "a"));
});

test("a missing, foreign or changed key is told with what to do", (t) => {
  const { open, file, kekPath } = bench(t);
  open().obtain("a");
  const path = kekPath();
  renameSync(path, `${path}.away`);
  throws(open, /bring the key back/);
  writeFileSync(path, `1 ${Buffer.alloc(32, 1).toString("base64")}\n`);
  throws(open, /does not open/);
  renameSync(`${path}.away`, path);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"name": "a"', '"name": "b"')); // keys do not open under another name
  throws(open, /does not open/);
});

test("a folder that cannot hold keys is named, with the setting that names another", (t) => {
  const { dataFolder, kekFolder } = bench(t);
  writeFileSync(kekFolder, "a file in the way");
  const options = { dataFolder, kekFolder: join(kekFolder, "keys") };
  throws(() => openVault(options), /^VaultError: .*keys cannot hold keys: .*\(ATTUNE_KEK_FOLDER\)/);
  throws(() => openVault({ ...options, variable: "ATTUNE_BACKUP_KEYS" }), /\(ATTUNE_BACKUP_KEYS\)/);
});
