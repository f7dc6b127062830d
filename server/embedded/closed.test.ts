import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { StateFile } from "../state/state-file.ts";
import { writeEachAlone, writePageClosed, type WriteEarlier } from "../state/testing/earlier-forms.ts";
import { openVault, type Vault } from "../vault/vault.ts";
import type { EmbeddedProject } from "./project.ts";
import { openProject, randomEvent, START_MS, testFolder, type Clock } from "./testing.ts";
import { verifyProject } from "./verify.ts";

const DAY = 86_400_000;

function newVault(): Vault {
  const { path } = testFolder();
  return openVault({ dataFolder: join(path, "v"), kekFolder: join(path, "kek") });
}

const FOREVER = { profiles: Infinity, visitors: Infinity, dead_letters: Infinity, audit: Infinity, erasures: Infinity };
const POLICY = { ...FOREVER, events: 10 * DAY, decisions: 10 * DAY };

/** Puts a folder's state into an earlier form. */
async function rewrite(folder: string, key: KeyObject, write: WriteEarlier): Promise<void> {
  const file = StateFile.openAsItLies(folder, key)!;
  const rows = [...file.all()].map(([name, bytes]): [string, Uint8Array] => [name, bytes.slice()]);
  await file.close();
  StateFile.remove(folder);
  await write(folder, key, rows);
}

async function fill(project: EmbeddedProject, clock: Clock, seed: number, events: number): Promise<void> {
  const rng = rngFrom(seed);
  for (let serial = 0; serial < events; serial++) {
    clock.nowMs += rng.between(1, 8 * 3_600_000);
    const raw = randomEvent(rng, clock, { persons: 6, serial: serial + seed * 1_000 });
    const event = { ...raw, ...("user_id" in raw && { user_id: `canary-${raw.user_id}` }), item_id: "canary-item" };
    await project.submit({ events: [event], deadLetters: [{ code: "x", path: "", message: "", source: "", body: { event } }] });
  }
}

test("a page of members after an erasure says that the list has another order", async () => {
  const clock: Clock = { nowMs: START_MS };
  const firstProgram = { segments: { all: { when: "true" } } };
  const project = await openProject(testFolder(), clock, { vault: newVault(), firstProgram });
  for (let i = 0; i < 40; i++) {
    const event = { event_id: `${i}`, user_id: `u${i}`, event_type: "view", timestamp: clock.nowMs, received_at: clock.nowMs };
    await project.submit({ events: [event], deadLetters: [] });
  }
  const { next } = (await project.segmentUsers("all", { limit: 10 }))!;
  equal((await project.segmentUsers("all", { limit: 30, after: next! }))!.users.length, 30);
  const { job_id } = await project.erasePerson({ user_id: "u7" });
  while ((await project.erasure(job_id))!.status === "running") await new Promise(setImmediate);
  await rejects(project.segmentUsers("all", { limit: 10, after: next! }), { code: "page_expired" });
  const ids = new Set<string>();
  for (let after: string | undefined; ; ) {
    const page = (await project.segmentUsers("all", { limit: 10, ...(after !== undefined && { after }) }))!;
    for (const { user_id } of page.users) ids.add(user_id!);
    if ((after = page.next) === undefined) break;
  }
  equal(ids.size, 39);
});

test("with a vault nothing that is said of anybody stands in any file, base and index included", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const vault = newVault();
  const options = { vault, retention: POLICY };
  const project = await openProject(folder, clock, options);
  for (const seed of [1, 2, 3]) {
    await fill(project, clock, seed, 100);
    await project.setAttributes({ user_id: "canary-u1" }, { name: "canary-name" });
    await project.checkpoint();
    await project.retain();
  }
  ok(readdirSync(folder.path).includes("base-1") && project.log.start > 0, "there is a base");
  equal(folder.bytes().includes("canary"), false);
  const nowMs = (): number => clock.nowMs;
  deepEqual((await verifyProject(project, { now: nowMs })).differences, []);
  const profile = await project.profile({ user_id: "canary-u1" });
  await project.close();

  const again = await openProject(folder, clock, options);
  deepEqual(await again.profile({ user_id: "canary-u1" }), profile, "it opens again");
  await again.close();

  // The key of the state is lost, that of the base is not: the state is built anew.
  vault.destroy(vault.names().filter((name) => name === "state/default/state"));
  const rebuilt = await openProject(folder, clock, options);
  deepEqual(await rebuilt.profile({ user_id: "canary-u1" }), profile);
  deepEqual((await verifyProject(rebuilt, { now: nowMs })).differences, []);
});

test("a folder that was open is closed from then on, its base too", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const open = await openProject(folder, clock, { retention: POLICY });
  for (const seed of [1, 2]) {
    await fill(open, clock, seed, 100);
    await open.retain();
  }
  const profile = await open.profile({ user_id: "canary-u1" });
  await open.close();
  ok(folder.bytes().includes("canary"));

  const told: string[] = [];
  const onStateRebuilt = (fault: string): void => void told.push(fault);
  const closed = await openProject(folder, clock, { retention: POLICY, vault: newVault(), onStateRebuilt });
  deepEqual(told, ["other_form"]);
  deepEqual(await closed.profile({ user_id: "canary-u1" }), profile);
  clock.nowMs += 12 * DAY;
  await closed.retain();
  clock.nowMs += 2 * DAY;
  await fill(closed, clock, 3, 3);
  await closed.retain();
  await closed.checkpoint();
  deepEqual((await verifyProject(closed, { now: () => clock.nowMs })).differences, []);
  equal(folder.bytes().includes("canary"), false, "the open part of the log has gone, and the base is closed");
});

for (const [form, write] of [["whose pages LMDB closed", writePageClosed], ["whose rows were closed each alone", writeEachAlone]] as const) {
  test(`state and base ${form} are taken over: the state from the log, the base as it is`, async () => {
    const clock: Clock = { nowMs: START_MS };
    const folder = testFolder();
    const vault = newVault();
    const project = await openProject(folder, clock, { vault, retention: POLICY });
    for (const seed of [1, 2]) {
      await fill(project, clock, seed, 100);
      await project.retain();
    }
    const profile = await project.profile({ user_id: "canary-u1" });
    await project.close();
    for (const name of ["state", "base-1"]) {
      await rewrite(join(folder.path, name), vault.find(`state/default/${name}`)!, write);
    }

    const told: string[] = [];
    const again = await openProject(folder, clock, { vault, retention: POLICY, onStateRebuilt: (fault) => told.push(fault) });
    deepEqual(told, ["other_form"]);
    deepEqual(await again.profile({ user_id: "canary-u1" }), profile);
    deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
    clock.nowMs += 12 * DAY;
    await again.retain();
    clock.nowMs += 2 * DAY;
    await fill(again, clock, 3, 3);
    await again.retain();
    const [base] = readdirSync(folder.path).filter((name) => /^base-\d+$/.test(name)) as [string];
    equal(base, "base-2", "the base was written anew");
    equal(StateFile.opensWith(join(folder.path, base), vault.find(`state/default/${base}`)), true);
    deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
    equal(folder.bytes().includes("canary"), false);
  });
}

test("the state survives that the key-encryption key is replaced; without it, or with another, nothing opens", async () => {
  const clock: Clock = { nowMs: START_MS };
  const folder = testFolder();
  const { path } = testFolder();
  const place = { dataFolder: join(path, "v"), kekFolder: join(path, "kek") };
  const vault = openVault(place);
  const told: string[] = [];
  const onStateRebuilt = (fault: string): void => void told.push(fault);
  const project = await openProject(folder, clock, { vault, onStateRebuilt });
  await fill(project, clock, 1, 50);
  const profile = await project.profile({ user_id: "canary-u1" });
  await project.close();
  vault.make("of something else");
  vault.destroy(["of something else"]);
  equal(vault.epoch, 2);

  const again = await openProject(folder, clock, { vault: openVault(place), onStateRebuilt });
  deepEqual(await again.profile({ user_id: "canary-u1" }), profile);
  deepEqual(told, [], "from the state, not from the log");
  await again.close();
  await rejects(openProject(folder, clock, { vault: newVault(), onStateRebuilt }), /its key is not in the vault; bring the vault back/);
  await rejects(openProject(folder, clock, { onStateRebuilt }), /encryption is off; turn it on/);
  const last = await openProject(folder, clock, { vault: openVault(place), onStateRebuilt });
  deepEqual(await last.profile({ user_id: "canary-u1" }), profile);
  deepEqual(told, [], "what could not be opened was not thrown away");
});
