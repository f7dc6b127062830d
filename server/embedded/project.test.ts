// The embedded project against its promises: accepted is durable, counted once and visible; after any crash the state is
// the one that never crashed; and `verify` agrees with all of it.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { FilterError, type PersonChange } from "../ports.ts";
import { DIRTY_PERSONS_MAX } from "./derived.ts";
import { decodeRecord } from "./record-codec.ts";
import { openProject, randomEvent, recordsOf, START_MS, testFolder } from "./testing.ts";
import type { EmbeddedProject } from "./project.ts";
import { verifyProject } from "./verify.ts";

const view = (id: string, user: string, item: string, atMs: number): LoggedEvent => ({
  event_id: id,
  user_id: user,
  event_type: "view",
  item_id: item,
  timestamp: atMs,
  received_at: atMs,
});
const submit = (project: EmbeddedProject, ...events: LoggedEvent[]) => project.submit({ events, deadLetters: [] });

test("an accepted event is in the log, the profile and the next list; sent again it is a duplicate", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  await project.putItems([
    { item_id: "lamp", title: "Lamp", categories: ["lamps"], tags: [] },
    { item_id: "chair", title: "Chair", categories: ["chairs"], tags: [] },
  ]);
  deepEqual(await submit(project, view("e1", "ada", "lamp", clock.nowMs)), ["accepted"]);
  const profile = await project.profile({ user_id: "ada" });
  equal(profile?.recent[0]?.item_id, "lamp");
  deepEqual(Object.keys(profile!.interests), ["lamps"]);
  deepEqual(await submit(project, view("e1", "ada", "lamp", clock.nowMs)), ["duplicate"]);
  deepEqual(await submit(project, view("e2", "ada", "lamp", clock.nowMs), view("e2", "ada", "lamp", clock.nowMs)), [
    "accepted",
    "duplicate",
  ]);
  deepEqual(await submit(project, view("e1", "bob", "lamp", clock.nowMs)), ["accepted"], "ids are within a person");
  const kinds = recordsOf(project, decodeRecord).map(({ kind }) => kind);
  deepEqual(kinds, ["program", "item_put", "item_put", "event", "event", "event"]);
  const list = await project.recommend({ ref: { user_id: "ada" }, placement: "home", limit: 5, explain: true });
  ok(list!.items.some(({ item_id }) => item_id === "chair"));
  equal(list!.profile_version, (await project.profile({ user_id: "ada" }))!.version);
});

test("a known id stays known: after a restart, after checkpoints, and under the name that a link brought", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  let project = await openProject(folder, clock);
  const anonymous: LoggedEvent = { ...view("e1", "x", "lamp", clock.nowMs), anonymous_id: "phone" };
  delete anonymous.user_id;
  await submit(project, anonymous, view("e2", "ada", "lamp", clock.nowMs));
  await project.close();
  project = await openProject(folder, clock);
  deepEqual(await submit(project, anonymous, view("e2", "ada", "lamp", clock.nowMs)), ["duplicate", "duplicate"]);
  const linking = { ...view("e3", "ada", "lamp", clock.nowMs), anonymous_id: "phone" };
  deepEqual(await submit(project, linking), ["accepted"]);
  deepEqual(await submit(project, { ...view("e1", "ada", "lamp", clock.nowMs) }), ["duplicate"]);
});

/** Views of one person: under the user's name, and on a device alone. */
function viewsAt(atMs: number) {
  const ada = (id: string): LoggedEvent => view(id, "ada", "lamp", atMs);
  const on = (device: string, id: string): LoggedEvent => {
    const { user_id: _user, ...event } = ada(id);
    return { ...event, anonymous_id: device };
  };
  return { ada, on };
}

test("an id that came under one of a person's names is known under the others, later and within one group", async () => {
  const clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  const { ada, on } = viewsAt(clock.nowMs);
  await submit(project, { ...ada("e1"), anonymous_id: "phone" }, { ...ada("e2"), anonymous_id: "tablet" });
  await submit(project, ada("e3"), on("phone", "e4"));
  // More events than a profile remembers the ids of.
  await submit(project, ...Array.from({ length: 100 }, (_, i) => ada(`later${i}`)));
  const before = await project.profile({ user_id: "ada" });
  deepEqual(await submit(project, on("phone", "e3"), on("tablet", "e4"), ada("e4")), ["duplicate", "duplicate", "duplicate"]);
  deepEqual(await project.profile({ user_id: "ada" }), before);
  deepEqual(await submit(project, ada("e5"), on("phone", "e5"), on("tablet", "e5")), ["accepted", "duplicate", "duplicate"]);
  deepEqual(await submit(project, on("phone", "e6"), ada("e6")), ["accepted", "duplicate"]);
  deepEqual(await submit(project, on("strange", "e3")), ["accepted"], "nobody's yet");
});

test("an id is known under the name that its own group brings, as it would be a group later", async () => {
  const clock = { nowMs: START_MS };
  const project = await openProject(testFolder(), clock);
  const { ada, on } = viewsAt(clock.nowMs);
  await submit(project, on("phone", "e1"), on("tablet", "e2"), on("laptop", "e3"), ada("e4"));
  deepEqual(await submit(project, { ...ada("e5"), anonymous_id: "phone" }, ada("e1"), on("phone", "e4")), [
    "accepted",
    "duplicate",
    "duplicate",
  ]);
  const identify = project.setAttributes({ user_id: "ada", anonymous_id: "tablet" }, {});
  deepEqual(await submit(project, ada("e2"), on("tablet", "e4")), ["duplicate", "duplicate"]);
  await identify;
  const marked: LoggedEvent = { ...ada("e6"), anonymous_id: "laptop", traffic: "bot" };
  deepEqual(await submit(project, marked, ada("e3")), ["accepted", "accepted"], "marked traffic links nobody");
  equal((await project.profile({ user_id: "ada" }))!.features["interactions"], 5);
});

test("a link makes two profiles one, and both names lead to it", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  const anonymous: LoggedEvent = { ...view("e1", "x", "lamp", clock.nowMs), anonymous_id: "phone" };
  delete anonymous.user_id;
  await submit(project, anonymous, view("e2", "ada", "chair", clock.nowMs));
  equal(project.stats().personsTotal, 2);
  const changes: PersonChange[] = [];
  project.onChange((change) => changes.push(change));
  await submit(project, { ...view("e3", "ada", "sofa", clock.nowMs + 1), anonymous_id: "phone" });
  equal(changes[0]?.mergedFrom, "a:phone");
  equal(project.stats().personsTotal, 1);
  const [byUser, byDevice] = [
    await project.profile({ user_id: "ada" }),
    await project.profile({ anonymous_id: "phone" }),
  ];
  deepEqual(byUser, byDevice);
  deepEqual(new Set(byUser!.recent.map(({ item_id }) => item_id)), new Set(["lamp", "chair", "sofa"]));
});

test("attributes with both ids link them, and listeners hear who became whom", async () => {
  const clock = { nowMs: START_MS };
  const folder = testFolder();
  const project = await openProject(folder, clock);
  const changes: PersonChange[] = [];
  project.onChange((change) => changes.push(change));
  const { user_id: _, ...anonymous } = view("e1", "x", "lamp", clock.nowMs);
  await submit(project, { ...anonymous, anonymous_id: "phone" });
  const profile = await project.setAttributes({ user_id: "ada", anonymous_id: "phone" }, { plan: "free" });
  deepEqual([profile.user_id, profile.anonymous_ids, profile.recent[0]?.item_id], ["ada", ["phone"], "lamp"]);
  await project.setAttributes({ user_id: "bob", anonymous_id: "phone" }, {});
  await project.setAttributes({ user_id: "bob", anonymous_id: "phone" }, { age: 4 });
  deepEqual(
    changes.map(({ key, mergedFrom, linkedAnonymousId }) => [key, mergedFrom, linkedAnonymousId]),
    [
      ["a:phone", undefined, undefined],
      ["u:ada", "a:phone", "phone"],
      ["u:bob", undefined, "phone"],
      ["u:bob", undefined, undefined],
    ],
  );
  equal(project.personKey({ anonymous_id: "phone" }), "u:bob");
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
});

test("state is a function of the log: crashes, checkpoints in slices, restarts and program changes do not show in it", async () => {
  const seeds = 6;
  for (let seed = 0; seed < seeds; seed++) {
    const rng = rngFrom(seed);
    const clock = { nowMs: START_MS };
    let folder = testFolder();
    let project = await openProject(folder, clock, { personsCachedMax: 10 });
    const accepted = new Set<string>();
    let serial = 0;
    for (let step = 0; step < 60; step++) {
      clock.nowMs += rng.between(0, 1) === 0 ? rng.between(1, 5_000) : rng.between(1, 2 * 86_400_000);
      const events = Array.from({ length: rng.between(1, 20) }, () =>
        randomEvent(rng, clock, { persons: 60, serial: serial++ }),
      );
      const writing = submit(project, ...events);
      const checkpointing = rng.between(0, 3) === 0 ? project.checkpoint() : undefined;
      // Somebody looks, and time goes on, while the group is on its way to the disk.
      await new Promise(setImmediate);
      clock.nowMs += rng.between(0, 2 * 3_600_000);
      for (let look = 0; look < 5; look++) await project.profile({ user_id: `u${rng.between(1, 60)}` });
      const outcomes = await writing;
      outcomes.forEach((outcome, i) => {
        const key = `${events[i]!.user_id ?? events[i]!.anonymous_id} ${events[i]!.event_id}`;
        if (outcome === "accepted") accepted.add(key);
      });
      await checkpointing;
      if (step === 20)
        await project.putProgram({ ...shopProgram, segments: { fans: { when: 'count("view", "10m") >= 2' } } });
      if (step === 40) await project.rollbackProgram(1);
      if (rng.between(0, 14) === 0) {
        const copy = folder.crashed();
        await project.close();
        folder = copy;
        project = await openProject(folder, clock, { personsCachedMax: 10 });
      }
    }
    const events = recordsOf(project, decodeRecord).filter(({ kind }) => kind === "event");
    equal(events.length, accepted.size, `SEED=${seed}: accepted events are in the log once`);
    const { differences, persons } = await verifyProject(project, { now: () => clock.nowMs });
    deepEqual(differences, [], `SEED=${seed}`);
    equal(persons, project.stats().personsTotal, `SEED=${seed}`);
    const segments = await project.segments();
    for (const { name, size } of segments) {
      const users = await project.segmentUsers(name, { limit: 1_000 });
      equal(users!.users.length, size, `SEED=${seed} ${name}: as many members as the size says`);
    }
  }
});

test("verify names a profile that is not what the log says", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  await submit(project, view("e1", "ada", "lamp", clock.nowMs), view("e2", "bob", "lamp", clock.nowMs));
  project.fold.persons.change("u:ada").recent = [];
  project.fold.persons.change("u:eve");
  const { differences } = await verifyProject(project, { now: () => clock.nowMs });
  deepEqual(differences, [
    { key: "u:ada", kind: "differs" },
    { key: "u:eve", kind: "not_in_log" },
  ]);
});

test("lists are the same after a crash as without it", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  const rng = rngFrom(11);
  for (let serial = 0; serial < 600; serial++) {
    clock.nowMs += 3_000;
    await submit(project, randomEvent(rng, clock, { persons: 20, serial }));
    if (serial === 300) await project.checkpoint();
  }
  const copy = folder.crashed();
  const recovered = await openProject(copy, clock);
  const idsOf = async (from: EmbeddedProject, user: string) =>
    (await from.recommend({ ref: { user_id: user }, placement: "home", limit: 20 }))!.items.map(
      ({ item_id, score }) => [item_id, score],
    );
  for (const user of ["u1", "u2", "u3", "nobody"]) deepEqual(await idsOf(recovered, user), await idsOf(project, user));
});

test("a state file that rotted is thrown away and built anew from the log", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const first = await openProject(folder, clock);
  await submit(first, ...Array.from({ length: 50 }, (_, i) => view(`e${i}`, `u${i}`, "lamp", clock.nowMs)));
  await first.close();
  const path = join(
    folder.path,
    "state",
    readdirSync(join(folder.path, "state")).find((name) => name.endsWith(".mdb"))!,
  );
  const bytes = readFileSync(path);
  for (let at = bytes.indexOf('"position"'); at >= 0; at = bytes.indexOf('"position"', at + 1)) bytes[at + 12]! ^= 1;
  writeFileSync(path, bytes);
  const again = await openProject(folder, clock);
  equal(again.stats().personsTotal, 50);
  deepEqual(await submit(again, view("e7", "u7", "lamp", clock.nowMs)), ["duplicate"]);
  deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
});

test("a person's row that rotted is never served, and the next start rebuilds it", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const first = await openProject(folder, clock);
  await submit(first, ...Array.from({ length: 50 }, (_, i) => view(`e${i}`, `someone-${i}`, "lamp", clock.nowMs)));
  await first.close();
  const path = join(folder.path, "state", "state.mdb");
  const bytes = readFileSync(path);
  const name = Buffer.from("someone-7");
  // After each copy of the name in the file, some bytes on, lies the value.
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes[at + name.length + 30]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = await openProject(folder, clock);
  await rejects(damaged.profile({ user_id: "someone-7" }), { code: "state_corrupt" });
  equal((await damaged.profile({ user_id: "someone-8" }))!.recent.length, 1);
  await damaged.close();
  const again = await openProject(folder, clock);
  equal((await again.profile({ user_id: "someone-7" }))!.recent.length, 1);
  deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
});

test("time alone moves a person out of a segment, and listeners hear of it", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock, {
    firstProgram: {
      segments: { active: { when: 'count("view", "10m") >= 1' }, lapsed: { when: 'since("view") > 600.0' } },
    },
  });
  await submit(project, view("e1", "ada", "lamp", clock.nowMs));
  deepEqual((await project.profile({ user_id: "ada" }))!.segments, ["active"]);
  await project.checkpoint();
  const change = new Promise<PersonChange>((resolve) => project.onChange(resolve));
  clock.nowMs += 601_000;
  const { entered, left, event } = await change;
  deepEqual({ entered, left, event }, { entered: ["lapsed"], left: ["active"], event: undefined });
  deepEqual(
    (await project.segments()).map(({ name, size }) => [name, size]),
    [
      ["active", 0],
      ["lapsed", 1],
    ],
  );
});

test("a person on disk only is woken too, after a restart", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const options = { firstProgram: { segments: { lapsed: { when: 'since("view") > 604800.0' } } } };
  const first = await openProject(folder, clock, options);
  await submit(first, view("e1", "ada", "lamp", clock.nowMs));
  await first.close();
  clock.nowMs += 8 * 86_400_000;
  const again = await openProject(folder, clock, options);
  const { key, entered } = await new Promise<PersonChange>((resolve) => again.onChange(resolve));
  deepEqual({ key, entered }, { key: "u:ada", entered: ["lapsed"] });
});

test("programs that are put at the same moment get versions of their own", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock, { firstProgram: {} });
  const put = await Promise.all([1, 2, 3].map(() => project.putProgram({})));
  deepEqual(put, [{ version: 2 }, { version: 3 }, { version: 4 }]);
  await project.close();
  const again = await openProject(folder, clock);
  equal((await again.program())!.version, 4);
  await again.close();
});

test("a machine whose clock went back between two starts breaks nothing", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const firstProgram = { segments: { lapsed: { when: 'since("view") >= 3600.0' } } };
  const project = await openProject(folder, clock, { firstProgram });
  await submit(project, view("e1", "ada", "lamp", clock.nowMs));
  clock.nowMs += 2 * 3_600_000;
  deepEqual((await project.profile({ user_id: "ada" }))!.segments, ["lapsed"]);
  await project.checkpoint();
  await project.close();
  clock.nowMs -= 90 * 60_000;
  const again = await openProject(folder, clock);
  await submit(again, view("e2", "ada", "lamp", clock.nowMs));
  deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
  await again.close();
});

test("a new program takes effect at once, for everybody; a bad one changes nothing; an old one comes back", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock, { firstProgram: {} });
  await submit(project, view("e1", "ada", "lamp", clock.nowMs), view("e2", "bob", "lamp", clock.nowMs));
  const bad = await project.putProgram({ segments: { broken: { when: "count(" } } });
  ok("faults" in bad && bad.faults[0]!.path.startsWith("/segments/broken"));
  equal((await project.program())!.version, 1);
  deepEqual(await project.putProgram({ segments: { lookers: { when: 'since("view") < 1000000.0' } } }), { version: 2 });
  deepEqual((await project.profile({ user_id: "ada" }))!.segments, ["lookers"]);
  deepEqual(await project.rollbackProgram(1), { version: 3 });
  deepEqual((await project.profile({ user_id: "ada" }))!.segments, []);
  equal(await project.rollbackProgram(9), undefined);
});

test("dead letters are listed newest first, page by page, and leave the list when they are resolved", async (t) => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  t.mock.method(Date, "now", () => clock.nowMs);
  let project = await openProject(folder, clock);
  for (let i = 0; i < 5; i++) {
    if (i === 3) clock.nowMs -= 3_600_000; // NTP sets the machine's clock back.
    const letter = { code: "bad", path: "/x", message: "bad", source: "http", body: { i } };
    await project.submit({ events: [], deadLetters: [letter] });
    if (i === 2) await project.checkpoint();
  }
  await project.close();
  project = await openProject(folder, clock);
  const page = await project.deadLetters({ limit: 2 });
  equal(page.total, 5);
  const second = await project.deadLetters({ limit: 9, before: page.letters[1]!.id });
  deepEqual(
    [...page.letters, ...second.letters].map(({ body }) => (body as { i: number }).i),
    [4, 3, 2, 1, 0],
  );
  await project.resolveDeadLetter(page.letters[0]!.id);
  equal((await project.deadLetters({ limit: 9 })).total, 4);
  equal(await project.deadLetter(page.letters[0]!.id), undefined);
});

test("too much at a time is refused, and nothing of it is lost or taken twice", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  const submissions = Array.from({ length: 90 }, (_, n) =>
    submit(project, ...Array.from({ length: 1_000 }, (_, i) => view(`e${n}-${i}`, `u${i % 7}`, "lamp", clock.nowMs))),
  );
  const settled = await Promise.allSettled(submissions);
  const refused = settled.filter(({ status }) => status === "rejected");
  ok(refused.length > 0 && refused.length < 90);
  for (const { reason } of refused as PromiseRejectedResult[]) equal(reason.code, "overloaded");
  const events = recordsOf(project, decodeRecord).filter(({ kind }) => kind === "event");
  equal(events.length, (90 - refused.length) * 1_000);
  await project.close();
  await rejects(submit(project, view("late", "u1", "lamp", clock.nowMs)), { code: "shutting_down" });
});

test("who is ahead of the clock is read at his own time: by segments, by slots and by the profile", async () => {
  const clock = { nowMs: START_MS };
  const often = 'features.frequency >= 3.0 || since("view") > 900.0';
  const firstProgram = {
    segments: { often: { when: often } },
    slots: { hero: { variants: { on: {}, off: {} }, policy: "rules", rules: [{ when: often, variant: "on" }], default: "off" } },
  };
  const project = await openProject(testFolder(), clock, { firstProgram });
  const seen = async () => {
    const { features, segments, session } = (await project.profile({ user_id: "ada" }))!;
    const { variant } = (await project.decide({ user_id: "ada" }, "hero"))!;
    return [features["frequency"], features["recency_s"], session!.active, segments, variant];
  };
  const minute = 60_000;
  await submit(project, ...[9, 8, 5].map((ago) => view(`e${ago}`, "ada", "lamp", clock.nowMs - ago * minute)));
  deepEqual(await seen(), [3, 300, true, ["often"], "on"]);
  await submit(project, { ...view("ahead", "ada", "lamp", clock.nowMs + 4 * minute), event_type: "impression" });
  deepEqual(await seen(), [1, 540, true, [], "off"]);
  clock.nowMs += 4 * minute;
  deepEqual(await seen(), [1, 540, true, [], "off"], "when the clock has come there");
});

test("a filter that is no CEL over the item is refused with its fault", async () => {
  const folder = testFolder();
  const project = await openProject(folder, { nowMs: START_MS });
  await rejects(project.trending(5, "item.price <"), FilterError);
  equal(await project.recommend({ ref: { user_id: "x" }, placement: "nowhere", limit: 5 }), undefined);
});

test("data that are ahead of the machine's clock are told of, at the opening and in figures", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS + 400 * 86_400_000 };
  const wrong = await openProject(folder, clock);
  equal(wrong.stats().clockAheadMs, 0);
  await wrong.close();
  const told: number[] = [];
  clock.nowMs = START_MS;
  const project = await openProject(folder, clock, { onClockAhead: (aheadMs) => told.push(aheadMs) });
  deepEqual(told, [400 * 86_400_000]);
  equal(project.stats().clockAheadMs, 400 * 86_400_000);
  await project.close();
  clock.nowMs = START_MS + 400 * 86_400_000 - 60_000;
  const set = await openProject(folder, clock, { onClockAhead: (aheadMs) => told.push(aheadMs) });
  deepEqual([told.length, set.stats().clockAheadMs], [1, 60_000]);
});

test("a start from the log alone takes checkpoints for those who changed, so that memory does not hold them all", async () => {
  const clock = { nowMs: START_MS };
  const folder = testFolder();
  const project = await openProject(folder, clock);
  const persons = DIRTY_PERSONS_MAX + 500;
  for (let i = 0; i < persons; i += 500) {
    await submit(project, ...Array.from({ length: 500 }, (_, k) => view(`${i + k}`, `u${i + k}`, "lamp", clock.nowMs)));
  }
  await project.close();
  folder.remove("state", "ids");
  const rebuilt = await openProject(folder, clock);
  equal(rebuilt.stats().personsTotal, persons);
  ok(rebuilt.fold.persons.dirtyCount <= 500, `${rebuilt.fold.persons.dirtyCount} wait for the next checkpoint`);
});
