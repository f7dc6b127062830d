// What is wrong with a Redis that was right when "up" looked, as "status" names it.
import { deepEqual, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "redis";
import { clusterMissing, startRedis, type TestRedis } from "../testing/servers.ts";
import { checkRedis } from "./checks.ts";

const missing = clusterMissing();
let redis: TestRedis;

before(async () => {
  if (missing === undefined) redis = await startRedis();
});
after(() => redis?.stop());

async function say(...command: string[]): Promise<void> {
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(command);
  client.destroy();
}

test("a Redis that is full, evicts, denies a right, or was made a replica is named, with what that does", { skip: missing ?? false }, async () => {
  const check = () => checkRedis({ url: redis.url });
  deepEqual(await check(), []);
  await say("CONFIG", "SET", "maxmemory", "1");
  const [full, ...others] = await check();
  match(full!, /^Redis refuses to be written to, and answers grow old: OOM /);
  deepEqual(others, []);
  await say("CONFIG", "SET", "maxmemory", "0");
  await say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  match((await check()).join(), /^Redis has maxmemory-policy allkeys-lru: it must be noeviction/);
  await say("CONFIG", "SET", "maxmemory-policy", "noeviction");
  for (const right of ["publish", "subscribe", "eval", "set"]) {
    await say("ACL", "SETUSER", "default", `-${right}`);
    match((await check()).join(), /^Redis refuses to be written to, and answers grow old: (NOPERM|ERR The user) /, right);
    await say("ACL", "SETUSER", "default", `+${right}`);
  }
  await say("REPLICAOF", "127.0.0.1", "1");
  match((await check()).join(), /^Redis at this address is a slave: give the primary's$/);
});
