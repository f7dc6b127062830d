import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { globSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { decodeRecord } from "./record-codec.ts";
import type { OwnAct } from "../ports.ts";
import { DEFAULT_RETENTION } from "../privacy/retention.ts";
import type { EmbeddedProject } from "./project.ts";
import { openProject, randomEvent, recordsOf, START_MS, testFolder, type Clock } from "./testing.ts";
import { verifyProject } from "./verify.ts";

const DAY = 86_400_000;
const PERSONS = 8;

const verified = async (project: EmbeddedProject, clock: Clock): Promise<unknown[]> =>
  (await verifyProject(project, { now: () => clock.nowMs })).differences;

const event = (clock: Clock, id: string, ref: object, more: object = {}) =>
  ({ event_id: id, ...ref, event_type: "view", item_id: "i1", timestamp: clock.nowMs, received_at: 0, ...more }) as never;

const letter = (body: object) => ({ code: "bad", path: "", message: "", source: "http", body }) as never;

const send = (project: EmbeddedProject, ...events: never[]) => project.submit({ events, deadLetters: [] });

test("persons go when they were not seen for long enough, and come back as somebody new", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const project = await openProject(folder, clock);
  await send(project, event(clock, "1", { anonymous_id: "once" }), event(clock, "2", { anonymous_id: "twice" }));
  await send(project, event(clock, "3", { user_id: "ada", anonymous_id: "phone" }));
  clock.nowMs += 2 * DAY;
  await send(project, event(clock, "4", { anonymous_id: "twice" }));
  clock.nowMs += 28 * DAY + 1;
  equal((await project.retain())!.visitors_expired, 1, "the one that never returned");
  equal(await project.profile({ anonymous_id: "once" }), undefined);
  ok((await project.profile({ anonymous_id: "twice" })) !== undefined);
  deepEqual(await verified(project, clock), []);

  clock.nowMs += 364 * DAY;
  await send(project, event(clock, "5", { anonymous_id: "twice" }));
  clock.nowMs += DAY + 1;
  const report = (await project.retain())!;
  deepEqual([report.profiles_expired, report.visitors_expired], [1, 0]);
  equal(await project.profile({ user_id: "ada" }), undefined);
  equal(await project.profile({ anonymous_id: "phone" }), undefined, "with his device");
  equal(project.stats().personsTotal, 1);
  await send(project, event(clock, "6", { anonymous_id: "phone" }));
  equal((await project.profile({ anonymous_id: "phone" }))!.recent.length, 1);
  deepEqual(await verified(project, clock), []);

  const crashed = await openProject(folder.crashed(), clock);
  equal(await crashed.profile({ user_id: "ada" }), undefined);
  equal(crashed.stats().personsTotal, 2);
  deepEqual(await verified(crashed, clock), []);
});

test("what is not old does not go because the clock was ahead once", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  await send(project, event(clock, "1", { user_id: "ada" }), event(clock, "2", { anonymous_id: "once" }));
  await project.submit({ events: [], deadLetters: [letter({ user_id: "ada" })] });
  clock.nowMs += 2 * 365 * DAY;
  await send(project, event(clock, "3", { user_id: "bob" }));
  clock.nowMs = START_MS + DAY;
  const { at, ...gone } = (await project.retain())!;
  const nothing = { profiles_expired: 0, visitors_expired: 0, dead_letters_expired: 0, erasures_dropped: 0 };
  deepEqual(gone, { ...nothing, log: { records_erased: 0, bytes_dropped: 0 } });
  clock.nowMs += 30 * DAY;
  equal((await project.retain())!.visitors_expired, 1, "what is old goes meanwhile");
  deepEqual(await verified(project, clock), []);
});

test("persons who go together are written together, a page of the walk at a time", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const project = await openProject(folder, clock, { now: () => clock.nowMs++ });
  const visitors = Array.from({ length: 450 }, (_, i) => event(clock, `${i}`, { anonymous_id: `v${i}` }));
  await send(project, ...visitors);
  clock.nowMs += 31 * DAY;
  equal((await project.retain())!.visitors_expired, 450);
  const expiries = recordsOf(project, decodeRecord).filter(({ kind }) => kind === "expiry");
  // All records of a write have one time, and the clock goes on with each look at it.
  deepEqual([expiries.length, new Set(expiries.map(({ at }) => at)).size], [450, 3]);
  equal(project.stats().personsTotal, 0);
  deepEqual(await verified(project, clock), []);
  const crashed = await openProject(folder.crashed(), clock);
  equal(crashed.stats().personsTotal, 0);
});

test("who comes back while he is about to be forgotten stays", async () => {
  const clock: Clock = { nowMs: START_MS };
  let onLook = (): void => {};
  const retention = {
    ...DEFAULT_RETENTION,
    get visitors() {
      onLook();
      return DEFAULT_RETENTION.visitors;
    },
  };
  const project = await openProject(testFolder(), clock, { retention });
  await send(project, event(clock, "1", { anonymous_id: "back" }), event(clock, "2", { anonymous_id: "away" }));
  clock.nowMs += 31 * DAY;
  let back: Promise<unknown> | undefined;
  // It waits for the same group as what retention writes next.
  onLook = () => void (back ??= send(project, event(clock, "3", { anonymous_id: "back" })));
  equal((await project.retain())!.visitors_expired, 1);
  await back;
  equal((await project.profile({ anonymous_id: "back" }))?.recent[0]?.timestamp, new Date(clock.nowMs).toISOString());
  equal(await project.profile({ anonymous_id: "away" }), undefined);
  deepEqual(await verified(project, clock), []);
});

test("refused events go after their time, from the list and from the log", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  await project.submit({ events: [], deadLetters: [letter({ user_id: "canary" })] });
  clock.nowMs += DAY + 1;
  await project.retain(); // a new segment: the day is over
  clock.nowMs += 9 * DAY;
  await project.submit({ events: [], deadLetters: [letter({ user_id: "young" })] });
  clock.nowMs += 2 * DAY;
  equal((await project.retain())!.dead_letters_expired, 0);
  clock.nowMs += 2 * DAY;
  const report = (await project.retain())!;
  equal(report.dead_letters_expired, 1);
  const { letters, total } = await project.deadLetters({ limit: 10 });
  deepEqual([letters.map(({ body }) => body), total], [[{ user_id: "young" }], 1]);
  equal(JSON.stringify(recordsOf(project, decodeRecord)).includes("canary"), false);
  deepEqual(await verified(project, clock), []);
});

for (const isBatch of [false, true]) {
  const who = isBatch ? "an import" : "the node";
  test(`what was written long before ${who} wrote on goes in its own time, not with what comes afterwards`, async () => {
    const clock: Clock = { nowMs: START_MS };
    const folder = testFolder();
    const before = await openProject(folder, clock);
    await send(before, event(clock, "old", { user_id: "canary" }));
    await before.close();
    clock.nowMs += 40 * DAY;
    const project = await openProject(folder, clock, { isBatch });
    await send(project, event(clock, "new", { user_id: "ada" }));
    clock.nowMs += 50 * DAY + 1;
    ok((await project.retain())!.log.bytes_dropped > 0);
    const kept = JSON.stringify(recordsOf(project, decodeRecord));
    deepEqual([kept.includes("canary"), kept.includes("ada")], [false, true]);
    deepEqual(await verified(project, clock), []);
  });
}

test("what retention itself writes does not keep what is old", async () => {
  const clock: Clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  await send(project, event(clock, "old", { anonymous_id: "canary" }));
  clock.nowMs += 90 * DAY + 1;
  const report = (await project.retain())!;
  equal(report.visitors_expired, 1);
  ok(report.log.bytes_dropped > 0);
  equal(recordsOf(project, decodeRecord).some((record) => record.kind === "event"), false);
  deepEqual(await verified(project, clock), []);
});

for (const seed of [1, 2, 3]) {
  test(`the log loses its head, and the base stands for it (seed ${seed})`, async () => {
    const rng = rngFrom(seed);
    const clock: Clock = { nowMs: START_MS };
    const folder = testFolder();
    const whole = await openProject(testFolder(), clock, { retention: forever() });
    const project = await openProject(folder, clock, { retention: { ...forever(), events: 20 * DAY, decisions: 20 * DAY } });
    let dropped = 0;
    for (let serial = 0; serial < 400; serial++) {
      clock.nowMs += rng.between(1, 6 * 3_600_000);
      const raw = randomEvent(rng, clock, { persons: PERSONS, serial });
      const copies = [structuredClone(raw), structuredClone(raw)];
      for (const [i, one] of [whole, project].entries()) await one.submit({ events: [copies[i]!], deadLetters: [] });
      if (serial % 40 !== 39) continue;
      dropped += (await project.retain())!.log.bytes_dropped;
      if (serial % 80 === 79) deepEqual(await verified(project, clock), []);
    }
    ok(dropped > 0 && project.log.start > 0, `${dropped} bytes`);
    const oldest = recordsOf(project, decodeRecord)[0]!;
    ok(clock.nowMs - oldest.at < 31 * DAY, `the oldest record is ${(clock.nowMs - oldest.at) / DAY} days old`);
    deepEqual(await seen(project), await seen(whole), "nothing that is derived has changed");

    // The state is thrown away: base and log rebuild it.
    await project.checkpoint();
    const crashed = folder.crashed();
    crashed.remove("state", "ids");
    const rebuilt = await openProject(crashed, clock);
    deepEqual(await seen(rebuilt), await seen(whole));
    deepEqual(await verified(rebuilt, clock), []);

    // The base has no log behind it: cut, it is left as it is and named.
    const cut = folder.crashed();
    cut.remove("state", "ids");
    const [base] = globSync("base-[0-9]*/state.mdb", { cwd: cut.path }).map((name) => join(cut.path, name));
    truncateSync(base!, statSync(base!).size / 2);
    for (const _ of [1, 2]) await rejects(openProject(cut, clock), { name: "LogHeadDamagedError" });
  });
}

test("where events are kept for longer than decisions, their ids are known as long, also to a state that was built anew", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const project = await openProject(folder, clock, { retention: { ...forever(), events: 20 * DAY, decisions: 2 * DAY } });
  const sent = event(clock, "1", { user_id: "ada", anonymous_id: "phone" });
  const broken = { ...(letter({}) as object), once: "file:1" } as never;
  await project.submit({ events: [structuredClone(sent)], deadLetters: [broken] });
  clock.nowMs += DAY;
  await project.retain(); // a new segment
  clock.nowMs += 4 * DAY;
  await send(project, event(clock, "2", { user_id: "bob" }));
  await project.retain();
  deepEqual([project.log.start, project.base === undefined], [0, false]);
  const isKnown = async (known: EmbeddedProject): Promise<void> => {
    const submission = { events: [structuredClone(sent), event(clock, "2", { user_id: "bob" })], deadLetters: [broken] };
    deepEqual(await known.submit(submission), ["duplicate", "duplicate"]);
    equal((await known.deadLetters({ limit: 10 })).total, 1);
  };
  const crashed = folder.crashed();
  crashed.remove("state", "ids");
  await isKnown(await openProject(crashed, clock));
  const { job_id } = await project.erasePerson({ user_id: "eve" });
  while ((await project.erasure(job_id))!.status !== "done") await new Promise(setImmediate);
  await isKnown(project);
  deepEqual(await verified(project, clock), []);
});

test("an erasure reaches what stands for the log's head", async () => {
  const rng = rngFrom(5);
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const acts: OwnAct[] = [];
  const retention = { ...forever(), events: 20 * DAY, decisions: 20 * DAY };
  const project = await openProject(folder, clock, { retention, onOwnAct: (act) => acts.push(act) });
  for (let serial = 0; serial < 300; serial++) {
    clock.nowMs += rng.between(1, 6 * 3_600_000);
    await send(project, randomEvent(rng, clock, { persons: PERSONS, serial }) as never);
    if (serial === 10) await send(project, event(clock, "c1", { user_id: "canary-ada", anonymous_id: "canary-phone" }));
    // Of his device alone, long after the log has lost the login; marked, so that no list learns of it.
    const alone = event(clock, "c2", { anonymous_id: "canary-phone" });
    if (serial === 290) await send(project, Object.assign(alone, { traffic: "bot" }) as never);
    if (serial % 50 === 49) await project.retain();
  }
  ok(folder.bytes().includes("canary"), "there is something to be found");
  const others = await seen(project);
  const job = await project.erasePerson({ user_id: "canary-ada" });
  let proof;
  while ((proof = (await project.erasure(job.job_id))!.proof as any) === undefined) await new Promise(setImmediate);
  ok(proof.base.rows_erased > 0);
  deepEqual(acts.map(({ action }) => action), [...Array<string>(6).fill("retention"), "erasure done"]);
  const { details } = acts.at(-1)!;
  deepEqual([details["job_id"], details["records_found"], details["rows_erased"]], [job.job_id, 0, proof.base.rows_erased]);
  await project.checkpoint();
  equal(folder.bytes().includes("canary"), false);
  deepEqual(await seen(project), others);
  deepEqual(await verified(project, clock), []);
});

function forever() {
  const kinds = ["events", "decisions", "profiles", "visitors", "dead_letters", "audit", "erasures"] as const;
  return Object.fromEntries(kinds.map((kind) => [kind, Infinity])) as Record<(typeof kinds)[number], number>;
}

async function seen(project: EmbeddedProject): Promise<unknown> {
  const persons = [];
  for (let i = 1; i <= PERSONS; i++) {
    persons.push(await project.profile({ user_id: `u${i}` }), await project.profile({ anonymous_id: `a${i}` }));
  }
  const list = await project.recommend({ ref: { user_id: "u3" }, placement: "home", limit: 10 });
  return { persons, list: list!.items.map(({ item_id, score }) => [item_id, score]) };
}
