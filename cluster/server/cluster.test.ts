// Servers of a cluster over a real Kafka and a real Redis, with the job's operator in this process.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { PersonChange, ProfileAnswer } from "../../server/ports.ts";
import { readCommitted } from "../kafka/committed.ts";
import { offsetsOf } from "../kafka/offsets.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { withAdmin } from "../kafka/topics.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import { projectTopics } from "../wire/topics.ts";
import type { ClusterProject } from "./project.ts";
import { clusterOfFile } from "./testing/cluster.ts";

const cluster = clusterOfFile();
const options = { skip: cluster.missing };

const view = (id: string, person: { user_id?: string; anonymous_id?: string }, item: string): LoggedEvent => ({
  event_id: id,
  ...person,
  event_type: "view",
  item_id: item,
  timestamp: Date.now(),
  received_at: 0,
});
const submit = (project: ClusterProject, ...events: LoggedEvent[]) => project.submit({ events, deadLetters: [] });

/** Asks again whenever something changed (and now and then), until the answer is as wanted. */
async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await pause(10);
  }
}
const recentOf = (profile: ProfileAnswer | undefined): string[] => profile?.recent.map(({ item_id }) => item_id) ?? [];

test("an accepted event reaches the profile, lists and segments on every server, and is told on each once", options, async () => {
  const program = { segments: { lookers: { when: 'count("view", "10m") >= 1' } } };
  const { servers } = await cluster.newProject({ servers: 2, program });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  const told: PersonChange[][] = [[], []];
  servers.forEach((server, i) => server.onChange((change) => told[i]!.push(change)));
  await one.putItems([
    { item_id: "lamp", title: "Lamp", categories: ["lamps"], tags: [] },
    { item_id: "chair", title: "Chair", categories: ["chairs"], tags: [] },
  ]);
  deepEqual(await submit(one, view("e1", { user_id: "ada" }, "lamp")), ["accepted"]);
  for (const server of servers) {
    const profile = await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
    deepEqual(Object.keys(profile!.interests), ["lamps"], "the item's facts went along");
    equal(profile!.degraded, undefined);
    deepEqual(profile!.segments, ["lookers"]);
    await until(() => server.segmentUsers("lookers", { limit: 9 }), (page) => page!.total === 1);
    const list = await until(
      () => server.recommend({ ref: { user_id: "ada" }, placement: "home", limit: 5 }),
      (answer) => answer!.items.some(({ item_id }) => item_id === "chair"),
    );
    equal(list!.profile_version, profile!.version);
  }
  await until(async () => told, (all) => all.every((changes) => changes.length > 0));
  for (const changes of told) {
    deepEqual(changes.map(({ key, event, entered }) => [key, event?.event_id, entered]), [["u:ada", "e1", ["lookers"]]]);
  }
  deepEqual(await submit(one, view("e1", { user_id: "ada" }, "lamp")), ["duplicate"]);
  // The other server does not know that id; the job does.
  deepEqual(await submit(two, view("e1", { user_id: "ada" }, "lamp"), view("e2", { user_id: "ada" }, "chair")), ["accepted", "accepted"]);
  const profile = await until(() => two.profile({ user_id: "ada" }), (found) => recentOf(found).includes("chair"));
  deepEqual(recentOf(profile), ["chair", "lamp"]);
});

test("a partition that somebody adds to the log is told the time, and stays empty, also after a server's next start", options, async () => {
  const { name, addServer } = await cluster.newProject();
  const connection = { brokers: [cluster.kafka.bootstrap] };
  const topic = projectTopics(name).events.page;
  const before = (await offsetsOf(connection, [topic])).get(topic)!.ends.length;
  await withAdmin(connection, (admin) => admin.createPartitions({ topics: [{ name: topic, count: before + 1 }] }));
  await until(() => offsetsOf(connection, [topic]), (found) => (found.get(topic)!.ends[before] ?? 0) > 0);
  const server = await addServer();
  const visitors = Array.from({ length: 20 }, (_, i) => ({ user_id: `visitor ${i}` }));
  await submit(server, ...visitors.map((visitor) => view("e1", visitor, "lamp")));
  const kinds = new Set<string>();
  for await (const records of readCommitted({ connection, topic, partition: before }))
    for (const { value } of records) kinds.add(decodeClusterRecord(value!).kind);
  deepEqual([...kinds], ["tick"]);
});

test("a server whose clock is wrong says so", options, async () => {
  for (const aheadMs of [240_000, -90_000]) {
    const { servers } = await cluster.newProject({ now: () => Date.now() + aheadMs });
    const clock = await until(async () => servers[0]!.stats().parts!["clock"]!, ({ ready }) => !ready);
    equal(clock["ahead_s"], aheadMs / 1_000);
  }
});

test("a link makes two profiles one on every server, and who watched the visitor watches the user", options, async () => {
  const { servers } = await cluster.newProject({ servers: 2 });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  await submit(one, view("e1", { anonymous_id: "phone" }, "lamp"), view("e2", { user_id: "ada" }, "chair"));
  await until(() => two.profile({ anonymous_id: "phone" }), (found) => recentOf(found).length === 1);
  equal(two.personKey({ anonymous_id: "phone" }), "a:phone");
  const merged = new Promise<PersonChange>((resolve) => two.onChange((change) => change.mergedFrom === "a:phone" && resolve(change)));
  await submit(one, view("e3", { user_id: "ada", anonymous_id: "phone" }, "sofa"));
  equal((await merged).key, "u:ada");
  equal(two.personKey({ anonymous_id: "phone" }), "u:ada");
  for (const server of servers) {
    const all = await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found).length === 3);
    deepEqual(recentOf(await server.profile({ anonymous_id: "phone" })).toSorted(), recentOf(all).toSorted());
    deepEqual(all!.anonymous_ids, ["phone"]);
  }
  // Known by now: the visitor's events go to the user's key at once.
  await submit(two, view("e4", { anonymous_id: "phone" }, "desk"));
  await until(() => one.profile({ user_id: "ada" }), (found) => recentOf(found)[0] === "desk");
});

test("attributes are answered at once, and are there for the others a moment later", options, async () => {
  const { servers } = await cluster.newProject({ servers: 2, program: { segments: { gold: { when: 'attributes.tier == "gold"' } } } });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  const answer = await one.setAttributes({ user_id: "ada" }, { tier: "gold" });
  deepEqual([answer.attributes, answer.segments], [{ tier: "gold" }, ["gold"]]);
  const profile = await until(() => two.profile({ user_id: "ada" }), (found) => found !== undefined);
  deepEqual([profile!.attributes, profile!.segments], [{ tier: "gold" }, ["gold"]]);
});

test("a job that starts again and writes everything once more changes nothing and tells nobody anything", options, async () => {
  const project = await cluster.newProject();
  const [server] = project.servers as [ClusterProject];
  for (let i = 0; i < 20; i++) await submit(server, view(`e${i}`, { user_id: `u${i % 4}` }, `i${i}`));
  for (let i = 0; i < 4; i++) await until(() => server.profile({ user_id: `u${i}` }), (found) => recentOf(found).length === 5);
  const before = await server.profile({ user_id: "u1" });
  const told: PersonChange[] = [];
  server.onChange((change) => told.push(change));
  await project.restartJob();
  await submit(server, view("last", { user_id: "u1" }, "end"));
  const profile = await until(() => server.profile({ user_id: "u1" }), (found) => recentOf(found)[0] === "end");
  deepEqual(recentOf(profile).slice(1), recentOf(before));
  deepEqual(told.map(({ event }) => event?.event_id), ["last"]);
});

test("Redis flushed: degraded lists until it is filled again, then everything is as before", options, async () => {
  const program = { segments: { lookers: { when: 'count("view", "10m") >= 1' } } };
  const project = await cluster.newProject({ servers: 2, program });
  const [one, two] = project.servers as [ClusterProject, ClusterProject];
  for (let i = 0; i < 30; i++) await submit(one, view(`e${i}`, { user_id: `u${i}` }, `i${i % 5}`));
  for (let i = 0; i < 30; i++) await until(() => two.profile({ user_id: `u${i}` }), (found) => recentOf(found).length === 1);
  await until(() => two.segments(), ([lookers]) => lookers!.size === 30);
  const told: PersonChange[] = [];
  one.onChange((change) => told.push(change));
  await one.submit({ events: [], deadLetters: [] });
  await until(() => two.recommend({ ref: { user_id: "nobody" }, placement: "home", limit: 5 }), (list) => list!.degraded === undefined);
  // Each server's own filler and caches go on; only Redis forgets.
  await flush();
  const degraded = await until(() => two.recommend({ ref: { user_id: "nobody" }, placement: "home", limit: 5 }), (list) => list!.degraded === true);
  ok(degraded!.items.length > 0, "popular items");
  const third = await project.addServer();
  for (let i = 0; i < 30; i++) {
    await until(() => third.profile({ user_id: `u${i}` }), (found) => recentOf(found).length === 1 && found!.degraded === undefined);
  }
  await until(() => third.segments(), ([lookers]) => lookers!.size === 30);
  await until(() => two.recommend({ ref: { user_id: "nobody" }, placement: "home", limit: 5 }), (list) => list!.degraded === undefined);
  deepEqual(told, [], "what is filled again is no news");
});

test("Redis came back as it was a moment ago: what was written since is filled in again, also where the mark is the same", options, async () => {
  const project = await cluster.newProject();
  const [server] = project.servers as [ClusterProject];
  const marks = () => redis("MGET", ...[0, 1, 2].map((shard) => `attune:{${project.name}.${shard}}:g1:mark`));
  for (let round = 0; round < 3; round++) {
    const before = await marks();
    await submit(server, view(`first${round}`, { user_id: "ada" }, `a${round}`));
    // The marks have just moved: none does again for a second.
    await until(marks, (now) => String(now) !== String(before));
    await redis("SAVE");
    await submit(server, view(`then${round}`, { user_id: "ada" }, `b${round}`));
    await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found)[0] === `b${round}`);
    await cluster.redis.part.kill();
    await cluster.redis.part.start();
    await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found)[0] === `b${round}` && found!.degraded === undefined);
  }
});

const flush = (): Promise<unknown> => redis("FLUSHALL");

/** As somebody who has Redis's own command line. */
async function redis(...command: string[]): Promise<unknown> {
  const { createClient } = await import("redis");
  const client = createClient({ url: cluster.redis.url });
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

const REFUSALS = {
  full: { begin: ["CONFIG", "SET", "maxmemory", "1"], end: ["CONFIG", "SET", "maxmemory", "0"] },
  "that denies a right": { begin: ["ACL", "SETUSER", "default", "-eval", "-evalsha"], end: ["ACL", "SETUSER", "default", "+eval", "+evalsha"] },
  "made a replica": { begin: ["REPLICAOF", "127.0.0.1", "1"], end: ["REPLICAOF", "NO", "ONE"] },
};

for (const [name, { begin, end }] of Object.entries(REFUSALS)) {
  test(`Redis ${name}: answers from rows that grow old say so, pushes go on, and nothing is missing afterwards`, options, async () => {
    const { servers } = await cluster.newProject({ servers: 2 });
    const [one, two] = servers as [ClusterProject, ClusterProject];
    await submit(one, view("e1", { user_id: "ada" }, "lamp"), view("e2", { user_id: "bob" }, "lamp"));
    for (const user_id of ["ada", "bob"])
      await until(() => two.profile({ user_id }), (found) => recentOf(found).length === 1);
    let sent = 0;
    const told: (string | undefined)[] = [];
    await redis(...begin);
    try {
      servers.forEach((server, i) => server.onChange(({ event }) => (told[i] = event?.event_id)));
      await until(async () => servers.map((server) => server.stats().parts!["redis"]!), (parts) => parts.every(({ ready, refuses_writes }) => !ready && refuses_writes === true));
      // What comes before a server reads the topic's end is told by nobody.
      do await submit(one, view(`m${sent}`, { user_id: "ada" }, "chair"));
      while (sent++, await pause(20, !servers.every((_, i) => told[i] !== undefined)));
      await submit(one, view("last", { user_id: "ada" }, "chair"));
      sent++;
      await until(async () => told, (ids) => servers.every((_, i) => ids[i] === "last"));
      for (const server of servers) {
        const ada = await server.profile({ user_id: "ada" });
        deepEqual([recentOf(ada), ada!.degraded], [["lamp"], true], "what Redis has, and that it may be old");
        equal((await server.profile({ user_id: "bob" }))!.degraded, true);
        const list = await server.recommend({ ref: { user_id: "ada" }, placement: "home", limit: 5 });
        equal(list!.degraded, true);
      }
    } finally {
      await redis(...end);
    }
    for (const server of servers) {
      const ada = await until(() => server.profile({ user_id: "ada" }), (found) => found!.degraded === undefined);
      deepEqual(recentOf(ada), [...Array.from({ length: sent }, () => "chair"), "lamp"], "only a row that is current is answered without the word");
      equal(server.stats().parts!["redis"]!.ready, true);
    }
  });
}

test("a row that somebody deleted: degraded, not nobody, until the shard is filled again", options, async () => {
  const project = await cluster.newProject();
  const [one] = project.servers as [ClusterProject];
  await submit(one, view("e1", { user_id: "ada" }, "lamp"));
  await until(() => one.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
  // It has nobody in its near cache.
  const two = await project.addServer();
  const rows = (await redis("KEYS", `attune:{${project.name}.*p:u:ada`)) as string[];
  equal(rows.length, 1);
  await redis("DEL", ...rows);
  equal((await two.profile({ user_id: "ada" }))!.degraded, true);
  const ada = await until(() => two.profile({ user_id: "ada" }), (found) => found!.degraded === undefined);
  deepEqual(recentOf(ada), ["lamp"]);
  equal(await until(() => two.profile({ user_id: "cid" }), (found) => found?.degraded === undefined), undefined, "nobody is nobody");
});

test("Redis killed again and again while it is filled: nobody is missing when it says that it is whole", options, async () => {
  const { servers } = await cluster.newProject();
  const [server] = servers as [ClusterProject];
  const persons = Array.from({ length: 1_500 }, (_, i) => ({ user_id: `u${i}` }));
  for (let i = 0; i < persons.length; i += 500)
    await submit(server, ...persons.slice(i, i + 500).map((ref, at) => view(`e${i + at}`, ref, "lamp")));
  // A busy machine's Redis may take too long for one question.
  await until(() => server.searchPersons("u", 2_000).catch(() => []), (found) => found.length === persons.length);
  const { createClient } = await import("redis");
  for (let kills = 0; kills < 3; kills++) {
    await cluster.redis.part.kill();
    await cluster.redis.part.start();
    // Some rows are there again: the next one loses them.
    const client = createClient({ url: cluster.redis.url });
    await client.connect();
    await until(() => client.dbSize(), (rows) => rows > 100 + 200 * kills);
    client.destroy();
  }
  const ask = () => server.recommend({ ref: { user_id: "nobody" }, placement: "home", limit: 5 });
  await until(ask, (list) => list!.degraded === undefined);
  const profiles = await Promise.all(persons.map((ref) => server.profile(ref)));
  equal(profiles.filter((profile) => profile === undefined).length, 0);
});

test("Redis killed: every question is answered, pushes go on, and it is filled again", options, async () => {
  const { servers } = await cluster.newProject({ servers: 2 });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  // Near is only who is read after the word of his change has come.
  const heard = new Promise<void>((resolve) => two.onChange(({ key }) => key === "u:bob" && resolve()));
  await submit(one, view("e1", { user_id: "ada" }, "lamp"), view("e2", { user_id: "bob" }, "lamp"));
  await heard;
  await until(() => two.profile({ user_id: "bob" }), (found) => recentOf(found).length === 1);
  await until(() => two.trending(5), ({ items }) => items.length > 0);
  await cluster.redis.part.kill();
  const asked = await until(() => two.recommend({ ref: { user_id: "cid" }, placement: "home", limit: 5 }), (list) => list!.degraded === true);
  equal(asked!.items.length, 1);
  equal((await two.profile({ user_id: "cid" }))!.degraded, true);
  equal(recentOf(await two.profile({ user_id: "bob" }))[0], "lamp", "who is near is known still");
  equal((await two.segments()).length, 0);
  await rejects(two.deadLetters({ limit: 5 }), { code: "unavailable" });
  equal(two.stats().parts!["redis"]!.ready, false);
  equal(two.stats().ready, true);
  const told = new Promise<PersonChange>((resolve) => two.onChange(resolve));
  let stop = false;
  const sending = (async () => {
    for (let i = 0; !stop; i++) await submit(one, view(`m${i}`, { user_id: "ada" }, `i${i}`)).then(() => pause(20));
  })();
  equal((await told).key, "u:ada");
  stop = true;
  await sending;
  await cluster.redis.part.start();
  const profile = await until(() => two.profile({ user_id: "bob" }), (found) => found !== undefined && found.degraded === undefined);
  deepEqual(recentOf(profile), ["lamp"]);
  equal(await until(() => two.profile({ user_id: "cid" }), (found) => found === undefined), undefined);
});

test("Kafka killed: events are refused with a word on when, reads go on, and so does everything when it is back", options, async () => {
  const { servers } = await cluster.newProject();
  const [server] = servers as [ClusterProject];
  await submit(server, view("e1", { user_id: "ada" }, "lamp"));
  await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
  await cluster.kafka.part.kill();
  await rejects(submit(server, view("e2", { user_id: "ada" }, "sofa")), { code: "unavailable", retryAfterS: 2 });
  await rejects(server.exportPerson({ user_id: "ada" }).next(), { code: "unavailable", retryAfterS: 2 });
  deepEqual(recentOf(await server.profile({ user_id: "ada" })), ["lamp"]);
  equal(server.stats().parts!["kafka"]!.ready, false);
  await cluster.kafka.part.start();
  await until(() => submit(server, view("e2", { user_id: "ada" }, "sofa")).catch(() => undefined), (outcomes) => outcomes !== undefined);
  const profile = await until(() => server.profile({ user_id: "ada" }), (found) => recentOf(found).length === 2);
  deepEqual(recentOf(profile), ["sofa", "lamp"]);
});

test("programs: one version whoever writes it, in force on every server and in the job", options, async () => {
  const { servers } = await cluster.newProject({ servers: 2 });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  await submit(one, view("e1", { user_id: "ada" }, "lamp"));
  const bad = await one.putProgram({ segments: { broken: { when: "count(" } } });
  ok("faults" in bad);
  const versions = await Promise.all([one, two].map((server, i) => server.putProgram({ segments: { [`s${i}`]: { when: 'since("view") < 1000000.0' } } })));
  deepEqual(new Set(versions.map((put) => (put as { version: number }).version)), new Set([2, 3]));
  for (const server of servers) {
    const { document } = (await server.program(3))!;
    const [segment] = Object.keys(document.segments!);
    const found = await until(() => server.profile({ user_id: "ada" }), (profile) => profile !== undefined && profile.segments.length === 1);
    deepEqual(found!.segments, [segment]);
    deepEqual((await server.programVersions()).map(({ version }) => version), [1, 2, 3]);
  }
  deepEqual(await two.rollbackProgram(1), { version: 4 });
  await until(() => one.profile({ user_id: "ada" }), (found) => found!.segments.length === 0);
});

test("dead letters: listed on every server, newest first, once however often they are sent, gone when resolved", options, async () => {
  const { servers } = await cluster.newProject({ servers: 2 });
  const [one, two] = servers as [ClusterProject, ClusterProject];
  const letter = (i: number) => ({ code: "bad", path: "/x", message: "bad", source: "http", body: { i } });
  for (let i = 0; i < 5; i++) await one.submit({ events: [], deadLetters: [letter(i)] });
  for (let i = 0; i < 2; i++) await two.submit({ events: [], deadLetters: [{ ...letter(5), once: "file:1" }] });
  const all = await until(() => two.deadLetters({ limit: 9 }), ({ total }) => total === 6);
  const second = await two.deadLetters({ limit: 9, before: all.letters[1]!.id });
  deepEqual([...all.letters.slice(0, 2), ...second.letters].map(({ body }) => (body as { i: number }).i).toSorted(), [0, 1, 2, 3, 4, 5]);
  await one.resolveDeadLetter(all.letters[0]!.id);
  equal((await until(() => two.deadLetters({ limit: 9 }), ({ total }) => total === 5)).letters.length, 5);
  equal(await two.deadLetter(all.letters[0]!.id), undefined);
});

test("what somebody else writes to the topics is left out, and what lies behind it goes on", options, async () => {
  const faults: string[] = [];
  const { name, servers } = await cluster.newProject({ onFault: (error) => faults.push(error.message) });
  const [one] = servers as [ClusterProject];
  const { deadLetters, quarantine, item, decision, steps, outcomes, profiles } = projectTopics(name);
  const sender = new KafkaSender({ brokers: [cluster.kafka.bootstrap] });
  const foreign = ["garbage", "", "{}", "null", '{"id":7,"at":"now"}'].map((text) => Buffer.from(text));
  for (const topic of [deadLetters, quarantine, item, decision, steps, outcomes, profiles])
    await sender.send(foreign.map((value) => ({ topic, partition: 0, key: Buffer.from("u:foreign"), value })));
  await sender.close();
  await one.submit({ events: [], deadLetters: [{ code: "bad", path: "/x", message: "bad", source: "http", body: "mine" }] });
  await until(() => one.deadLetters({ limit: 9 }), ({ total }) => total === 1);
  await submit(one, view("e1", { user_id: "ada" }, "lamp"));
  const ada = await until(() => one.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
  equal(ada!.degraded, undefined);
  await until(() => one.trending(5), ({ items }) => items.length === 1);
  equal(faults.filter((message) => /is no letter/.test(message)).length, 2 * foreign.length, "each is told of");
});

test("time alone moves a person out of a segment, without an event", options, async () => {
  const { servers } = await cluster.newProject({ program: { segments: { active: { when: 'count("view", "3s") >= 1' } } } });
  const [server] = servers as [ClusterProject];
  await submit(server, view("e1", { user_id: "ada" }, "lamp"));
  await until(() => server.segments(), ([active]) => active!.size === 1);
  const left = new Promise<PersonChange>((resolve) => server.onChange((change) => change.left.length > 0 && resolve(change)));
  const { key, event } = await left;
  deepEqual({ key, event }, { key: "u:ada", event: undefined });
  await until(() => server.segments(), ([active]) => active!.size === 0);
});
