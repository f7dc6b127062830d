import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { ANONYMOUS_IDS_MAX } from "../../core/profile/state.ts";
import { openProject, randomEvent, recordsOf, START_MS, testFolder, type Clock } from "../embedded/testing.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import { verifyProject } from "../embedded/verify.ts";
import type { ErasureStatus } from "../ports.ts";
import { openVault } from "../vault/vault.ts";
import { LedgerDamagedError } from "./erasures.ts";
import { DEFAULT_RETENTION } from "./retention.ts";

const DAY = 86_400_000;
const PERSONS = 12;

/** Every file under the folder, one behind the other. */
function bytesUnder(folder: string): Buffer {
  const names = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  return Buffer.concat(names.filter((name) => statSync(name).isFile()).map((name) => readFileSync(name)));
}

async function done(project: EmbeddedProject, { job_id: id }: ErasureStatus): Promise<any> {
  for (;;) {
    const job = (await project.erasure(id))!;
    if (job.status === "done") return job.proof;
    await new Promise(setImmediate);
  }
}

async function seen(project: EmbeddedProject): Promise<unknown> {
  const persons = [];
  for (let i = 1; i <= PERSONS; i++) {
    persons.push(await project.profile({ user_id: `u${i}` }), await project.profile({ anonymous_id: `a${i}` }));
  }
  const list = await project.recommend({ ref: { user_id: "u3" }, placement: "home", limit: 10 });
  return { persons, list: list!.items.map(({ item_id, score }) => [item_id, score]), total: project.stats().personsTotal };
}

for (let seed = 0; seed < 3; seed++) {
  test(`after an erasure the state is that of a log that never had him (seed ${seed})`, async () => {
    const rng = rngFrom(seed);
    const clock: Clock = { nowMs: START_MS };
    const project = await openProject(testFolder(), clock);
    const never = await openProject(testFolder(), clock);
    // u1 with a1 to himself; nobody else has that device.
    const isHis = (event: { user_id?: string; anonymous_id?: string }): boolean =>
      event.user_id === "u1" || event.anonymous_id === "a1";
    for (let serial = 0; serial < 300; serial++) {
      clock.nowMs += rng.between(1, 60_000);
      const event = randomEvent(rng, clock, { persons: PERSONS, serial });
      const copy = structuredClone(event);
      await project.submit({ events: [event], deadLetters: [] });
      if (!isHis(copy)) await never.submit({ events: [copy], deadLetters: [] });
      if (serial === 150) await project.checkpoint();
    }
    const proof = await done(project, await project.erasePerson({ user_id: "u1" }));
    ok(proof.log.records_erased > 0);
    equal(proof.scan.records_found, 0);
    const expected = await seen(never);
    deepEqual(await seen(project), expected);
    deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
  });
}

test("what could not be read as JSON goes with whom it names: lines of a file, events that were encoded twice", async () => {
  const clock: Clock = { nowMs: START_MS };
  const place = testFolder();
  const project = await openProject(place, clock);
  const letter = (body: unknown) => ({ code: "bad_json", path: "", message: "", source: "a.ndjson:1", body });
  const his = [
    '{"user_id":"canary-ada","event_type":"view",',
    JSON.stringify({ user_id: "canary-ada", event_type: "view" }),
    String.raw`{"user_id": "canary\u002dada", "event_type: "view"}`,
    String.raw`{"title":"12\" pan","anonymous_id":"canary-device"`,
    "{user_id: canary-ada, event_type: view, value: \"1\"}",
  ];
  const others = ['{"user_id":"canary-adam","event_type":"view",', '{"user_id":"bob"'];
  await project.submit({
    events: [{ event_id: "1", user_id: "canary-ada", anonymous_id: "canary-device", event_type: "view", timestamp: START_MS, received_at: START_MS } as never],
    deadLetters: [...his, ...others, { events: his }].map(letter),
  });
  clock.nowMs += 1_000;
  await done(project, await project.erasePerson({ user_id: "canary-ada" }));
  const { letters: left } = await project.deadLetters({ limit: 20 });
  deepEqual(left.map(({ body }) => body).sort(), others.sort());
  const time = JSON.stringify({ user_id: "canary-ada", timestamp: START_MS + 3_600_000 });
  await project.submit({ events: [], deadLetters: [...his, { user_id: "canary-ada", timestamp: "then" }, time].map(letter) });
  const { letters: now } = await project.deadLetters({ limit: 20 });
  deepEqual(now.map(({ body }) => body).sort(), [...others, time].sort(), "the same file once more brings nothing back");
  await project.close();
});

test("a shared device is nobody's after an erasure of its last user, and never leads back to the one before", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  let project = await openProject(folder, clock);
  let serial = 0;
  const view = (item: string, who: { user_id?: string; anonymous_id?: string }) => {
    clock.nowMs += 1_000;
    const times = { timestamp: clock.nowMs, received_at: clock.nowMs };
    const event = { event_id: `e${serial++}`, ...who, event_type: "view", item_id: item, ...times };
    return project.submit({ events: [event], deadLetters: [] });
  };
  const itemsOf = async (who: { user_id: string } | { anonymous_id: string }): Promise<string[] | undefined> =>
    (await project.profile(who))?.recent.map(({ item_id }) => item_id);
  const exported = async (who: { user_id: string } | { anonymous_id: string }): Promise<unknown[]> => {
    const items = [];
    for await (const line of project.exportPerson(who)) {
      if (line.record === "event") items.push((line["event"] as { item_id: string }).item_id);
    }
    return items;
  };
  const [tablet, ada, bob] = [{ anonymous_id: "tablet" }, { user_id: "ada" }, { user_id: "bob" }];
  await view("nobody's", tablet);
  await view("ada's", { ...ada, ...tablet });
  await view("ada's too", tablet);
  await view("bob's", { ...bob, ...tablet });
  await view("bob's too", { ...bob, anonymous_id: "own-device" });
  const erased = await project.erasePerson(tablet);
  await view("meanwhile", tablet);
  equal((await done(project, erased)).scan.records_found, 0);
  await view("later", tablet);
  const isSo = async (): Promise<void> => {
    deepEqual(await itemsOf(ada), ["ada's too", "ada's", "nobody's"]);
    deepEqual(await itemsOf(tablet), ["later", "meanwhile"]);
    deepEqual([await itemsOf(bob), await itemsOf({ anonymous_id: "own-device" })], [undefined, undefined]);
    deepEqual(await exported(ada), ["nobody's", "ada's", "ada's too"]);
    deepEqual(await exported(tablet), ["meanwhile", "later"]);
    deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
  };
  await isSo();
  equal(bytesUnder(folder.path).includes("own-device"), false, "what he had to himself is gone");
  await project.close();
  folder.remove(...readdirSync(folder.path).filter((name) => name.startsWith("state")));
  project = await openProject(folder, clock);
  await isSo();
  await done(project, await project.erasePerson(tablet));
  deepEqual(await itemsOf(ada), ["ada's too", "ada's", "nobody's"], "the visitor of now is not she");
  await view("carl's", { user_id: "carl", ...tablet });
  await done(project, await project.erasePerson(ada));
  deepEqual([await itemsOf(ada), await itemsOf(tablet)], [undefined, ["carl's"]]);
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
});

test("a shared device never leads back to the one before, also where its last user has had very many since", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  let serial = 0;
  const view = (ref: object) => {
    const event = { event_id: `e${serial++}`, ...ref, event_type: "view", item_id: "i", timestamp: ++clock.nowMs, received_at: 0 };
    return project.submit({ events: [event as never], deadLetters: [] });
  };
  const tablet = { anonymous_id: "tablet" };
  await view({ user_id: "ada", ...tablet });
  await view({ user_id: "bob", ...tablet });
  for (let i = 0; i < ANONYMOUS_IDS_MAX; i++) await view({ user_id: "bob", anonymous_id: `cookie-${i}` });
  const job = await project.erasePerson({ user_id: "bob" });
  equal(await project.profile(tablet), undefined, "at once");
  equal((await done(project, job)).scan.records_found, 0);
  equal(await project.profile(tablet), undefined);
  await view(tablet);
  deepEqual([project.personKey(tablet), (await project.profile({ user_id: "ada" }))!.recent.length], ["a:tablet", 1]);
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
});

test("a shared device that retention took from its last user does not lead to the one before when that one is erased", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock, { retention: { ...DEFAULT_RETENTION, profiles: 10 * DAY } });
  const view = (ref: object) => {
    const event = { event_id: `e${clock.nowMs}`, ...ref, event_type: "view", item_id: "i", timestamp: clock.nowMs++, received_at: 0 };
    return project.submit({ events: [event as never], deadLetters: [] });
  };
  const tablet = { anonymous_id: "tablet" };
  await view({ user_id: "ada", ...tablet });
  await view({ user_id: "bob", ...tablet });
  await view({ user_id: "bob", anonymous_id: "own-device" });
  clock.nowMs += 9 * DAY;
  await view({ user_id: "ada" });
  clock.nowMs += 2 * DAY;
  equal((await project.retain())!.profiles_expired, 1);
  await done(project, await project.erasePerson({ user_id: "bob" }));
  deepEqual([await project.profile(tablet), (await project.profile({ user_id: "ada" }))!.recent.length], [undefined, 2]);
  const names = recordsOf(project, decodeRecord).flatMap((record) => (record.kind === "expiry" ? record.names : []));
  deepEqual(names, ["a:tablet"], "what he had to himself is gone");
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
});

test("who is erased while another's erasure is worked off stays forgotten when that is done, and what he does anew stays", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  const view = (id: string, user: string) => {
    const event = { event_id: id, user_id: user, event_type: "view", item_id: "i", timestamp: ++clock.nowMs, received_at: 0 };
    return project.submit({ events: [event as never], deadLetters: [] });
  };
  for (const user of ["ada", "bob", "eve"]) await view(user, user);
  const first = await project.erasePerson({ user_id: "ada" });
  const [bob, eve] = [await project.erasePerson({ user_id: "bob" }), await project.erasePerson({ user_id: "eve" })];
  clock.nowMs += 1_000;
  await view("again", "eve");
  let isSecond = false;
  while ((await project.erasure(bob.job_id))!.status !== "done") {
    isSecond ||= (await project.erasure(first.job_id))!.status === "done";
    equal(await project.profile({ user_id: "bob" }), undefined);
    equal((await project.profile({ user_id: "eve" }))!.recent.length, 1);
    await new Promise(setImmediate);
  }
  ok(isSecond, "one after the other");
  await done(project, eve);
  equal((await project.profile({ user_id: "eve" }))!.recent.length, 1);
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
});

test("a visitor who logs in while the erasure is asked for goes with what the login made of them", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  const event = (id: string, ref: object) => ({
    events: [{ event_id: id, ...ref, event_type: "view", item_id: id, timestamp: START_MS, received_at: START_MS } as never],
    deadLetters: [],
  });
  const device = { anonymous_id: "device" };
  await project.submit(event("before", device));
  clock.nowMs += 1_000;
  const login = project.submit(event("login", { user_id: "ada", ...device }));
  // From here on the login is on its way to the disk.
  await new Promise(setImmediate);
  const erased = project.erasePerson(device);
  deepEqual(await login, ["accepted"]);
  const proof = await done(project, await erased);
  deepEqual([proof.log.records_erased, proof.scan.records_found], [3, 0], "with the record that takes his device");
  deepEqual([await project.profile({ user_id: "ada" }), await project.profile(device)], [undefined, undefined]);
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
  await project.close();
});

test("he is forgotten at once, his bytes are gone everywhere, late events are refused, and he may begin anew", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const vault = openVault({ dataFolder: join(folder.path, "v"), kekFolder: join(folder.path, "kek") });
  for (const options of [{}, { vault }]) {
    const place = testFolder();
    const project = await openProject(place, clock, options);
    const event = (id: string, ref: object, timestamp = clock.nowMs) =>
      ({ event_id: id, ...ref, event_type: "view", item_id: "i1", timestamp, received_at: clock.nowMs }) as never;
    const body = { user_id: "canary-ada", event_type: 7 };
    const letter = { code: "bad", path: "", message: "", source: "http", body };
    await project.submit({
      events: [
        event("canary-1", { anonymous_id: "canary-device" }),
        event("canary-2", { user_id: "canary-ada", anonymous_id: "canary-device" }),
        event("bob-1", { user_id: "bob-bob" }),
      ],
      deadLetters: [letter],
    });
    await project.setAttributes({ user_id: "canary-ada" }, { name: "canary-name" });
    await project.recommend({ ref: { user_id: "canary-ada" }, placement: "home", limit: 5 });
    await project.checkpoint();
    if (!("vault" in options)) ok(bytesUnder(place.path).includes("canary-ada"), "there is something to be found");
    clock.nowMs += 1_000;
    const job = await project.erasePerson({ user_id: "canary-ada" });
    equal(await project.profile({ user_id: "canary-ada" }), undefined);
    equal(await project.profile({ anonymous_id: "canary-device" }), undefined);
    const mid = place.crashed();
    const proof = await done(project, job);
    equal(proof.scan.records_found, 0);
    ok(proof.log.records_erased >= 4, String(proof.log.records_erased));
    const late = clock.nowMs - 500;
    clock.nowMs += 1_000;
    const outcomes = await project.submit({
      events: [
        event("canary-3", { user_id: "canary-ada" }, late),
        event("canary-4", { anonymous_id: "canary-device" }, late),
        event("bob-2", { user_id: "bob-bob" }, late),
      ],
      deadLetters: [
        { ...letter, body: { ...body, timestamp: late } },
        // A webhook of before that failed for good meanwhile.
        { ...letter, body: { url: "https://hooks.example/", payload: { user_id: "canary-ada", fired_at: new Date(late).toISOString() } } },
        { ...letter, body: { userId: "canary-ada", originalTimestamp: new Date(late).toISOString() } },
      ],
    });
    deepEqual(outcomes, ["erased", "erased", "accepted"]);
    equal((await project.deadLetters({ limit: 10 })).total, 0);
    await project.checkpoint();
    equal(bytesUnder(place.path).includes("canary"), false, "no byte of his is left");
    equal((await project.profile({ user_id: "bob-bob" }))!.recent.length, 2);
    deepEqual(await project.submit({ events: [event("again", { user_id: "canary-ada" })], deadLetters: [] }), ["accepted"]);
    equal((await project.profile({ user_id: "canary-ada" }))!.recent.length, 1);
    await project.close();

    if ("vault" in options) {
      // A copy from before the erasure is worth nothing: its key was destroyed.
      await rejects(openProject(mid, clock, options), /its key is not in the vault/);
    } else {
      const resumed = await openProject(mid, clock, options);
      equal((await resumed.erasure(job.job_id))!.status, "done", "a crash in between: it is done at the start");
      equal(await resumed.profile({ user_id: "canary-ada" }), undefined);
      equal(bytesUnder(mid.path).includes("canary"), false);
    }
    const reopened = await openProject(place, clock, options);
    equal((await reopened.profile({ user_id: "canary-ada" }))!.recent.length, 1);
    equal((await reopened.erasure(job.job_id))!.status, "done");
  }
});

test("a start that cannot finish an erasure leaves nothing behind that works on its closed files", async (t) => {
  const clock: Clock = { nowMs: START_MS };
  const place = testFolder();
  const project = await openProject(place, clock);
  await project.submit({ events: [{ event_id: "1", user_id: "ada", event_type: "view", item_id: "i1", timestamp: clock.nowMs, received_at: clock.nowMs }], deadLetters: [] });
  await project.erasePerson({ user_id: "ada" });
  const mid = place.crashed();
  await project.close();
  t.mock.timers.enable({ apis: ["setInterval"] });
  const failing = (): void => {
    throw new Error("no trail");
  };
  await rejects(openProject(mid, clock, { onOwnAct: failing }), /no trail/);
  t.mock.timers.tick(10 * 60_000);
});

test("a ledger that is lost, or put back from an older day, is made whole by its copy beside the key", async () => {
  const clock: Clock = { nowMs: START_MS };
  const vaults = testFolder();
  const vault = openVault({ dataFolder: join(vaults.path, "v"), kekFolder: join(vaults.path, "kek") });
  const folder = testFolder();
  const ledger = join(folder.path, "erasures.json");
  const event = (id: string, user: string) =>
    ({ event_id: id, user_id: user, event_type: "view", item_id: "i1", timestamp: START_MS, received_at: clock.nowMs }) as never;
  const first = await openProject(folder, clock, { vault });
  await first.submit({ events: [event("1", "ada"), event("2", "bob"), event("3", "eve")], deadLetters: [] });
  clock.nowMs += 1_000;
  await done(first, await first.erasePerson({ user_id: "ada" }));
  const older = readFileSync(ledger);
  const job = await first.erasePerson({ user_id: "bob" });
  await done(first, job);
  await first.close();
  for (const put of [() => rmSync(ledger), () => writeFileSync(ledger, older)]) {
    put();
    const opened = await openProject(folder, clock, { vault });
    await done(opened, (await opened.erasure(job.job_id))!);
    deepEqual(await opened.submit({ events: [event("late-1", "ada"), event("late-2", "bob")], deadLetters: [] }), ["erased", "erased"]);
    equal((await opened.profile({ user_id: "eve" }))!.recent.length, 1);
    await opened.close();
  }
  writeFileSync(ledger, older.subarray(0, older.length - 1));
  await rejects(openProject(folder, clock, { vault }), LedgerDamagedError);
});
