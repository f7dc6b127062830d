// `attune keys` and `attune audit` beside a running node, as an operator uses them.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "attune-keys-cli-"));
const data = join(folder, "data");
after(() => rmSync(folder, { recursive: true, force: true }));

function start(...args: string[]) {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, ATTUNE_LOG_LEVEL: "error", ATTUNE_KEK_FOLDER: join(folder, "kek") },
  });
}

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const child = start(...args);
  let [out, error] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (error += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, out: out.trim(), error };
}

test("a node that others can reach starts with keys alone, obeys the keys that are made beside it, and keeps its trail", async () => {
  const args = ["start", "--host", "0.0.0.0", "--port", "0", "--grpc-port", "off", "--data", data];
  const refused = await run(...args);
  deepEqual([refused.code, refused.out], [2, ""]);
  match(refused.error, /attune keys create/);

  const { out: admin } = await run("keys", "create", "--data", data, "--role", "admin", "--name", "ops");
  match(admin, /^sk_/);
  const node = start(...args);
  after(() => node.kill("SIGKILL"));
  const [line] = (await once(createInterface(node.stdout), "line")) as [string];
  const url = line.replace("attune listening on ", "").replace("0.0.0.0", "127.0.0.1");
  const status = async (path: string, key?: string, method = "GET"): Promise<number> => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return (await fetch(url + path, { method, headers })).status;
  };
  deepEqual([await status("/v1/stats"), await status("/v1/stats", admin), await status("/healthz")], [401, 200, 200]);

  const { out: reader } = await run("keys", "create", "--data", data, "--role", "read");
  const until = async (wanted: number): Promise<void> => {
    while ((await status("/v1/stats", reader)) !== wanted) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await until(200);
  const rows = (await run("keys", "list", "--data", data)).out.split("\n").map((row) => row.split("\t"));
  deepEqual(rows.map(([, project, role, state]) => [project, role, state]), [
    ["default", "admin", "in force"],
    ["default", "read", "in force"],
  ]);
  equal((await run("keys", "revoke", rows[1]![0]!, "--data", data)).code, 0);
  await until(401);
  equal((await run("keys", "revoke", rows[1]![0]!, "--data", data)).code, 2);

  equal(await status("/v1/users/ada_lovelace/profile", admin), 404);
  equal(await status("/v1/items/none", admin, "DELETE"), 404);
  node.kill("SIGTERM");
  await once(node, "close");
  const trail = readFileSync(join(data, "audit", "audit.ndjson"), "utf8");
  equal(trail.includes("ada_lovelace"), false); // "ada" alone stands in one hash of twenty
  deepEqual(
    trail.trim().split("\n").map((entry) => (JSON.parse(entry) as { action: string }).action),
    ["GET /v1/users/{user_id}/profile"],
  );
  equal((await run("audit", "verify", "--data", data)).code, 0);
  writeFileSync(join(data, "audit", "audit.ndjson"), "");
  const cut = await run("audit", "verify", "--data", data);
  deepEqual([cut.code, cut.out], [1, "0 entries\nline 1: cut off"]);
});

test("what cannot be made is refused with how to do it", async () => {
  for (const args of [
    ["create", "--role", "boss"],
    ["create", "--role", "write", "--origins", "shop.example"],
    ["create", "--role", "write", "--scopes", "everything"],
    ["create", "--role", "write", "--expires", "soon"],
    ["secret", "--overlap", "0h"],
    ["token"],
    ["burn"],
  ]) {
    const { code, out } = await run("keys", ...args, "--data", join(folder, "other"));
    deepEqual([code, out], [2, ""], args.join(" "));
  }
});

test("only what makes a key makes a data folder; of a mistyped one nobody hears that there are no keys", async () => {
  const mistyped = join(folder, "mistyped");
  for (const args of [["list"], ["revoke", "key_1"], ["rotate", "key_1"], ["token", "--user", "ada"]]) {
    const { code, out, error } = await run("keys", ...args, "--data", mistyped);
    deepEqual([code, out], [2, ""], args.join(" "));
    match(error, /^attune: there is no folder \S+mistyped: name another with --data, or make the first key with keys create\n$/);
  }
  equal(existsSync(mistyped), false);
});
