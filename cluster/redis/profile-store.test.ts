// The profile store against a real Redis, alone and as a cluster: the newest row wins whatever comes when, segments agree
// with the rows, each change is told once, and a Redis that goes away holds nobody up.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";
import { rngFrom } from "../../core/math/rng.ts";
import { clusterMissing, startRedis, type TestRedis } from "../testing/servers.ts";
import type { ProfileValue } from "../wire/profile.ts";
import { RedisLink } from "./link.ts";
import { changeOf, decodeChange, ProfileStore, type ChangeMessage } from "./profile-store.ts";

const missing = clusterMissing();
const options = { skip: missing };
const servers: TestRedis[] = [];
const links: RedisLink[] = [];
let alone: TestRedis;
let clustered: TestRedis;
let projects = 0;

before(async () => {
  if (missing) return;
  alone = await startRedis();
  clustered = await startRedis({ settings: { "cluster-enabled": "yes" } });
  servers.push(alone, clustered);
  const client = createClient({ url: clustered.url });
  await client.connect();
  // One node that has all slots: it refuses a script whose keys lie in several.
  await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
  while (!String(await client.sendCommand(["CLUSTER", "INFO"])).includes("cluster_state:ok")) await pause(20);
  client.destroy();
});
after(async () => {
  for (const link of links) link.close();
  for (const server of servers) await server.stop();
});

async function openStore(server: TestRedis = alone): Promise<ProfileStore> {
  const link = await RedisLink.open({ urls: [server.url], cluster: server === clustered });
  links.push(link);
  return new ProfileStore(link, { project: `p${projects++}`, generation: 1, shards: 4 });
}

const person = (sequence: number, asOfMs: number, memberships: string[] = []): ProfileValue => ({
  sequence,
  asOfMs,
  version: sequence,
  programVersion: 1,
  nextCheckMs: Infinity,
  memberships,
  person: Buffer.from(`${sequence}/${asOfMs}`),
  changes: [],
});
const put = (store: ProfileStore, key: string, value: ProfileValue) => store.put(changeOf(key, value), value);
const bytesOf = async (store: ProfileStore, key: string): Promise<string> =>
  Buffer.from((await store.get(key)).profile!.person).toString();

for (const name of ["alone", "clustered"] as const) {
  test(`${name}: an older row never overwrites a newer one, and segments agree with the rows`, options, async () => {
    const store = await openStore(name === "alone" ? alone : clustered);
    equal((await store.get("u:ada")).profile, undefined);
    equal(await put(store, "u:ada", person(2, 10, ["buyers", "fans"])), true);
    for (const [sequence, asOfMs] of [[1, 99], [2, 10], [2, 9]] as const) {
      equal(await put(store, "u:ada", person(sequence, asOfMs, ["old"])), false);
    }
    equal(await bytesOf(store, "u:ada"), "2/10");
    equal(await put(store, "u:ada", person(2, 11, ["fans", "new"])), true, "time alone went on");
    deepEqual(await store.sizes(["buyers", "fans", "new", "old"]), new Map(Object.entries({ buyers: 0, fans: 1, new: 1, old: 0 })));
    // An anonymous visitor became her: his row is a signpost, which is in no segment and is no person.
    equal(await put(store, "a:phone", person(1, 1, ["fans"])), true);
    equal(await store.count(), 2);
    equal(await put(store, "a:phone", { ...person(2, 2), person: Buffer.alloc(0), signpost: "u:ada" }), true);
    equal((await store.get("a:phone")).profile!.signpost, "u:ada");
    equal(await store.count(), 1);
    deepEqual(await store.members("fans", { limit: 9 }), ["u:ada"]);
    equal(await put(store, "u:ada", person(3, 12)), true);
    deepEqual(await store.sizes(["fans", "new"]), new Map(Object.entries({ fans: 0, new: 0 })));
  });
}

test("lists that somebody took away are whole again when the rows are written once more", options, async () => {
  const store = await openStore();
  await put(store, "u:ada", person(2, 10, ["fans"]));
  await put(store, "a:phone", { ...person(1, 1), person: Buffer.alloc(0), signpost: "u:ada" });
  const shard = `attune:{${store.names.project}.${store.shardOf("u:ada")}}:g1:`;
  await store.link.write(shard, ["DEL", `${shard}keys`, `${shard}m:fans`]);
  equal(await put(store, "u:ada", person(1, 9, ["old"])), false);
  deepEqual([await store.count(), await store.members("fans", { limit: 9 })], [0, []]);
  equal(await put(store, "u:ada", person(2, 10, ["fans"])), false, "told once");
  equal(await put(store, "a:phone", { ...person(1, 1), person: Buffer.alloc(0), signpost: "u:ada" }), false);
  deepEqual([await store.search("", 9), await store.members("fans", { limit: 9 }), await store.members("old", { limit: 9 })], [["u:ada"], ["u:ada"], []]);
});

test("whatever order writes come in, and however often, the newest wins", options, async () => {
  const store = await openStore();
  for (let seed = 0; seed < 5; seed++) {
    const rng = rngFrom(seed);
    const versions = Array.from({ length: 30 }, (_, i) => person(i + 1, 100 + i, rng.between(0, 1) === 0 ? [] : [`s${i % 3}`]));
    const writes = [...versions, ...versions].map((value) => ({ value, at: rng.between(0, 1_000) })).sort((a, b) => a.at - b.at);
    const key = `u:${seed}`;
    await Promise.all(writes.map(({ value }) => put(store, key, value)));
    equal(await bytesOf(store, key), "30/129", `SEED=${seed}`);
    const expected = versions.at(-1)!.memberships;
    for (const segment of ["s0", "s1", "s2"]) {
      equal((await store.members(segment, { limit: 99 })).includes(key), expected.includes(segment), `SEED=${seed}`);
    }
  }
});

test("members and searches come page by page, each person once", options, async () => {
  const store = await openStore();
  const keys = Array.from({ length: 50 }, (_, i) => `u:${String(i).padStart(2, "0")}`);
  await Promise.all(keys.map((key) => put(store, key, person(1, 1, ["all"]))));
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.members("all", { limit: 7, ...(after === undefined ? {} : { after }) });
    seen.push(...page);
    after = page.at(-1);
    if (page.length < 7) break;
  }
  equal(seen.length, 50);
  deepEqual(seen.toSorted(), keys);
  deepEqual(await store.search("u:1", 5), ["u:10", "u:11", "u:12", "u:13", "u:14"]);
});

test("each row that is taken is told once, with what changed", options, async () => {
  const store = await openStore();
  const heard: ChangeMessage[] = [];
  const other = await RedisLink.open({ urls: [alone.url] });
  links.push(other);
  await other.listen(store.channel, (message) => heard.push(decodeChange(message) as ChangeMessage));
  const changes = [{ version: 1, atMs: 5, entered: ["buyers"], left: [], triggers: [] }];
  await put(store, "u:ada", { ...person(1, 5, ["buyers"]), changes });
  await put(store, "u:ada", { ...person(1, 5, ["buyers"]), changes });
  await put(store, "u:bob", person(1, 6));
  while (heard.length < 2) await pause(5);
  deepEqual(heard, [
    { key: "u:ada", sequence: 1, asOfMs: 5, changes },
    { key: "u:bob", sequence: 1, asOfMs: 6, changes: [] },
  ]);
  deepEqual((await store.get("u:ada")).profile!.changes, [], "a row is who he is, not what happened");
});

test("a row that is taken away is told of, so that whoever begins anew with sequence 1 is no older", options, async () => {
  const store = await openStore();
  const heard: unknown[] = [];
  const other = await RedisLink.open({ urls: [alone.url] });
  links.push(other);
  await other.listen(store.channel, (message) => heard.push(decodeChange(message)));
  await put(store, "u:1", person(7, 70, ["hot"]));
  equal(await store.erase("u:1", Infinity), true);
  equal(await store.erase("u:1", Infinity), false);
  equal(await put(store, "u:1", person(1, 90)), true);
  equal(await store.erase("u:1", 80), false, "he has begun anew since");
  while (heard.length < 3) await pause(5);
  deepEqual(heard[1], { key: "u:1", sequence: 0, asOfMs: 0, changes: [], isForgotten: true });
  deepEqual([await bytesOf(store, "u:1"), await store.members("hot", { limit: 9 })], ["1/90", []]);
});

test("whoever began anew is newer than what was written of his life before, however many records that had", options, async () => {
  const store = await openStore();
  const DAY_MS = 86_400_000;
  equal(await put(store, "u:1", person(50, DAY_MS)), true);
  equal(await put(store, "u:1", person(1, 3 * DAY_MS)), true, "its tombstone was missed");
  equal(await put(store, "u:1", person(51, DAY_MS + 1)), false, "written by whoever was behind");
  equal(await put(store, "u:1", person(2, 3 * DAY_MS + 1)), true);
  equal(await bytesOf(store, "u:1"), `2/${3 * DAY_MS + 1}`);
  for (const key of ["u:2", "a:3", "u:4"]) await put(store, key, person(1, 1));
  const everybody: string[] = [];
  for await (const key of store.everybody()) everybody.push(key);
  deepEqual(everybody.sort(), ["a:3", "u:1", "u:2", "u:4"]);
});

test("a shard's mark moves only from where the writer left it: a flush and a fall back are noticed", options, async () => {
  const store = await openStore();
  deepEqual(await store.mark(0), { mark: undefined, isWhole: false });
  deepEqual(await store.moveMark(0, { from: undefined, to: 7, isWhole: false }), { mark: 7 });
  equal((await store.get("u:x")).isWhole, false);
  for (let shard = 0; shard < 4; shard++) {
    const from = (await store.mark(shard)).mark;
    deepEqual(await store.moveMark(shard, { from, to: 9, isWhole: true }), { mark: 9 });
  }
  equal((await store.get("u:x")).isWhole, true);
  deepEqual(await store.moveMark(0, { from: 7, to: 12, isWhole: true }), { mark: 9 }, "another server was here");
  await store.link.write("x", ["FLUSHALL"]);
  deepEqual(await store.moveMark(0, { from: 9, to: 12, isWhole: true }), { mark: undefined });
  equal((await store.get("u:x")).isWhole, false);
  await store.link.write("x", ["SCRIPT", "FLUSH"]);
  equal(await put(store, "u:ada", person(1, 1)), true, "scripts are sent again");
});

test("Redis away, stopped or standing still: asked in vain at once, and on again by itself", options, async () => {
  const server = await startRedis();
  servers.push(server);
  const link = await RedisLink.open({ urls: [server.url] });
  links.push(link);
  const store = new ProfileStore(link, { project: "away", generation: 1, shards: 1 });
  const turns: boolean[] = [];
  link.onTurn((isUp) => turns.push(isUp));
  for (const goAway of ["pause", "kill"] as const) {
    await put(store, "u:ada", person(1, 1));
    if (goAway === "pause") server.part.pause();
    else await server.part.kill();
    // Both clocks are of one process, which lets the earlier go first, however busy it is.
    const answer = rejects(store.get("u:ada"), { code: "redis_away" }).then(() => "refused");
    equal(await Promise.race([answer, pause(600).then(() => "waiting")]), "refused", goAway);
    while (link.isUp) await pause(20);
    for (let i = 0; i < 1_000; i++) {
      const refused = rejects(store.get("u:ada"), { code: "redis_away" }).then(() => "refused");
      equal(await Promise.race([refused, setImmediate("waiting")]), "refused", "no question waits while it is known to be away");
    }
    if (goAway === "pause") server.part.resume();
    else await server.part.start();
    while (!link.isUp) await pause(20);
    if (goAway === "kill") equal((await store.get("u:ada")).profile, undefined);
    else equal(await bytesOf(store, "u:ada"), "1/1");
  }
  deepEqual(turns, [false, true, false, true]);
});

test("a Redis that is shared: a login that may use nothing but what is named attune is enough", options, async () => {
  const server = await startRedis();
  servers.push(server);
  const client = createClient({ url: server.url });
  await client.connect();
  await client.sendCommand(["ACL", "SETUSER", "attune", "on", ">secret", "~attune:*", "&attune:*", "+@all"]);
  client.destroy();
  const link = await RedisLink.open({ urls: [server.url], username: "attune", password: "secret" });
  links.push(link);
  equal(link.isCurrent, true);
  const store = new ProfileStore(link, { project: "shared", generation: 1, shards: 1 });
  equal(await put(store, "u:ada", person(1, 1)), true);
  equal(await bytesOf(store, "u:ada"), "1/1");
});
