import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { shopProgram } from "../../core/program/shop.ts";
import { type EmbeddedHost, openHost } from "../embedded/host.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { RestoreUnfinishedError } from "../embedded/restoring.ts";
import { verifyProject } from "../embedded/verify.ts";
import { takeBackup } from "./backup.ts";
import { BoxError } from "./box.ts";
import { BackupError } from "./place.ts";
import { restoreBackup } from "./restore.ts";

const START_MS = 1_760_000_000_000;
const DAY = 86_400_000;

interface Bench {
  root: string;
  now: { ms: number };
  /** Opens the data folder of that name. */
  open(name: string): Promise<EmbeddedHost>;
  backup(options?: { whole?: boolean; to?: string }): ReturnType<typeof takeBackup>;
  restore(name: string, options?: Partial<Parameters<typeof restoreBackup>[0]>): ReturnType<typeof restoreBackup>;
}

function bench(t: TestContext, { encrypted }: { encrypted: boolean }): Bench {
  const root = mkdtempSync(join(tmpdir(), "attune-backup-"));
  const now = { ms: START_MS };
  const hosts: EmbeddedHost[] = [];
  t.after(async () => {
    for (const host of hosts) await host.close();
    rmSync(root, { recursive: true, force: true });
  });
  const [kekFolder, backupKeys, to] = [join(root, "kek"), join(root, "backup-keys"), join(root, "backup")];
  return {
    root,
    now,
    async open(name) {
      const host = await openHost({
        dataFolder: join(root, name),
        projects: { default: shopProgram, other: shopProgram },
        now: () => now.ms,
        ...(encrypted && { encryption: { kekFolder } }),
      });
      hosts.push(host);
      return host;
    },
    backup: (options) =>
      takeBackup({ dataFolder: join(root, "data"), kekFolder, to, backupKeys, now: () => now.ms, ...options }),
    restore: (name, options) =>
      restoreBackup({ from: to, backupKeys, dataFolder: join(root, name), kekFolder, ...options }),
  };
}

const event = (id: string, ref: object, timestamp: number) =>
  ({ event_id: id, ...ref, event_type: "view", item_id: "i1", timestamp, received_at: timestamp }) as never;

async function erased(project: EmbeddedProject, user: string): Promise<void> {
  const { job_id: id } = await project.erasePerson({ user_id: user });
  while ((await project.erasure(id))!.status !== "done") await new Promise((resolve) => setTimeout(resolve, 5));
}

async function checked(project: EmbeddedProject, now: { ms: number }): Promise<void> {
  const { differences, faults } = await verifyProject(project, { now: () => now.ms });
  deepEqual([differences, faults], [[], []]);
}

const contains = (folder: string, text: string): boolean =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .some((path) => statSync(path).isFile() && readFileSync(path).includes(text));

for (const encrypted of [true, false]) {
  test(`the drill: a backup under load, restored elsewhere (${encrypted ? "closed" : "open"} data)`, async (t) => {
    const { root, now, open, backup, restore } = bench(t, { encrypted });
    const source = await open("data");
    const project = source.projects.get("default")!;
    let serial = 0;
    let isLoading = true;
    const acknowledged: string[] = [];
    const load = (async () => {
      while (isLoading) {
        const id = `e${serial++}`;
        await project.submit({ events: [event(id, { user_id: `user-${serial % 20}` }, ++now.ms)], deadLetters: [] });
        acknowledged.push(id);
      }
    })();
    while (acknowledged.length < 200) await new Promise(setImmediate);
    const before = acknowledged.length;
    const first = await backup();
    while (acknowledged.length < before + 200) await new Promise(setImmediate);
    await erased(project, "user-7");
    const second = await backup();
    isLoading = false;
    await load;
    ok(second.copied_bytes > 0 && second.copied <= first.copied + 2, JSON.stringify([first, second]));
    equal(contains(join(root, "backup"), "user-"), false, "a backup is closed, whatever the data are");
    equal((await backup()).copied > 0, true);
    equal((await backup()).copied, 0, "nothing has changed");
    ok((await backup({ whole: true })).copied > 3);

    const { projects } = await restore("restored");
    deepEqual(projects.map(({ name, erasures }) => [name, erasures]), [["default", 0], ["other", 0]]);
    const restored = (await open("restored")).projects.get("default")!;
    await checked(restored, now);
    equal(restored.log.end, project.log.end);
    deepEqual(await restored.profile({ user_id: "user-3" }), await project.profile({ user_id: "user-3" }));
    const again = event("e0", { user_id: "user-1" }, now.ms);
    deepEqual(await restored.submit({ events: [again], deadLetters: [] }), ["duplicate"], "ids are known");
    await rejects(restore("restored"), BackupError);
  });
}

test("who was erased after the backup is erased from what is restored, at any point in time; nobody comes back", async (t) => {
  const { root, now, open, backup, restore } = bench(t, { encrypted: true });
  const project = (await open("data")).projects.get("default")!;
  const send = (id: string, ref: object) => project.submit({ events: [event(id, ref, ++now.ms)], deadLetters: [] });
  await send("1", { anonymous_id: "phone" });
  await send("2", { user_id: "ada", anonymous_id: "phone" });
  await send("3", { user_id: "bob", anonymous_id: "tablet" });
  await send("ada's too", { user_id: "ada", anonymous_id: "tablet" });
  const then = { atMs: now.ms, position: project.log.end };
  await send("4", { user_id: "bob" });
  await send("5", { user_id: "eve" });
  await backup();
  now.ms += DAY;
  await erased(project, "ada");
  now.ms += DAY;

  // The data folder is lost; its ledger has a copy beside the key-encryption key.
  for (const [name, point] of [["all", undefined], ["time", { atMs: then.atMs }], ["position", { position: then.position }]] as const) {
    const { projects } = await restore(name, { point });
    equal(projects.find((one) => one.name === "default")!.erasures, 1);
    const restored = (await open(name)).projects.get("default")!;
    equal(await restored.profile({ user_id: "ada" }), undefined);
    equal(await restored.profile({ anonymous_id: "phone" }), undefined);
    equal(await restored.profile({ anonymous_id: "tablet" }), undefined, "nor does her device lead to who had it before");
    equal((await restored.profile({ user_id: "bob" }))!.recent.length, point === undefined ? 2 : 1);
    equal((await restored.profile({ user_id: "eve" })) !== undefined, point === undefined, "what came later is not there");
    await checked(restored, now);
    const late = event("late", { user_id: "ada" }, START_MS);
    deepEqual(await restored.submit({ events: [late], deadLetters: [] }), ["erased"]);
    await restored.submit({ events: [event("6", { user_id: "bob" }, now.ms)], deadLetters: [] });
    await checked(restored, now);
  }

  // The next backup holds nothing of him, and what the old one was closed with is destroyed.
  const old = readFileSync(join(root, "backup", "vault.json"));
  await backup();
  writeFileSync(join(root, "backup", "vault.json"), old);
  await rejects(restore("old"), /opens no copy of/);
});

test("a backup that was changed, or whose keys are away, is told and nothing is served from it", async (t) => {
  const { root, now, open, backup, restore } = bench(t, { encrypted: true });
  const host = await open("data");
  await host.projects.get("default")!.submit({ events: [event("1", { user_id: "ada" }, now.ms)], deadLetters: [] });
  await rejects(restore("none"), BackupError);
  await backup();
  await rejects(restore("foreign", { backupKeys: join(root, "others") }), /bring the key back, or set ATTUNE_BACKUP_KEYS to/);
  const boxes = join(root, "backup", "boxes");
  const path = readdirSync(boxes).map((name) => join(boxes, name)).find((name) => statSync(name).size > 100)!;
  const bytes = readFileSync(path);
  bytes[60]! ^= 1;
  writeFileSync(path, bytes);
  await rejects(restore("damaged"), BoxError);
  equal(existsSync(join(root, "damaged", "vault.json")), false);
});

for (const encrypted of [true, false]) {
  test(`what a restore left that was cut short is opened by nobody (${encrypted ? "closed" : "open"} data)`, async (t) => {
    const { root, now, open, backup, restore } = bench(t, { encrypted });
    const host = await open("data");
    await host.projects.get("default")!.submit({ events: [event("1", { user_id: "ada" }, now.ms)], deadLetters: [] });
    await backup();
    // Of the last file: the log of each project is in its place when it fails.
    const boxes = join(root, "backup", "boxes");
    const last = Math.max(...readdirSync(boxes).map((name) => Number.parseInt(name)));
    const path = join(boxes, `${last}.box`);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 1));
    await rejects(restore("part"), BoxError);
    await rejects(open("part"), RestoreUnfinishedError);
    await rejects(restore("part"), RestoreUnfinishedError);
    writeFileSync(path, bytes);
    rmSync(join(root, "part"), { recursive: true });
    await restore("part");
    const restored = await open("part");
    equal((await restored.projects.get("default")!.profile({ user_id: "ada" }))?.recent.length, 1);
  });
}

test("the data folder is no place for its backup, and a backup that lost a file says which", async (t) => {
  const { root, now, open, backup, restore } = bench(t, { encrypted: false });
  const host = await open("data");
  await host.projects.get("default")!.submit({ events: [event("1", { user_id: "ada" }, now.ms)], deadLetters: [] });
  await rejects(backup({ to: join(root, "data") }), /is the data folder itself: name another folder/);
  deepEqual([existsSync(join(root, "data", "boxes")), existsSync(join(root, "data", "vault.json"))], [false, false]);
  await backup();
  const box = join(root, "backup", "boxes", "1.box");
  const bytes = readFileSync(box);
  rmSync(box);
  await rejects(restore("no-box"), /1\.box is missing: the backup is not whole/);
  writeFileSync(box, bytes);
  rmSync(join(root, "backup", "vault.json"));
  for (const attempt of [restore("no-vault"), backup()]) await rejects(attempt, /has lost its vault\.json/);
  equal(existsSync(join(root, "backup", "vault.json")), false, "none is made in its place");
});

test("a backup opens with the key of its own moment, which each backup that replaces a file makes anew", async (t) => {
  const { root, now, open, backup, restore } = bench(t, { encrypted: true });
  const project = (await open("data")).projects.get("default")!;
  await project.submit({ events: [event("1", { user_id: "ada" }, now.ms)], deadLetters: [] });
  await backup();
  const old = join(root, "old-keys");
  cpSync(join(root, "backup-keys"), old, { recursive: true });
  await project.submit({ events: [event("2", { user_id: "ada" }, now.ms)], deadLetters: [] });
  await backup();
  await rejects(restore("old", { backupKeys: old }), /folder and key must be of one moment. Bring back the key that was there with this folder/);
  await restore("new");
});

test("retention's base is part of a backup, and bounds how far back one can go", async (t) => {
  const { now, open, backup, restore } = bench(t, { encrypted: true });
  const project = (await open("data")).projects.get("default")!;
  for (let day = 0; day < 120; day += 4) {
    await project.submit({ events: [event(`d${day}`, { user_id: "ada" }, now.ms)], deadLetters: [] });
    now.ms += 4 * DAY;
    await project.retain();
  }
  ok(project.log.start > 0);
  await backup();
  await restore("restored");
  const restored = (await open("restored")).projects.get("default")!;
  await checked(restored, now);
  deepEqual(await restored.profile({ user_id: "ada" }), await project.profile({ user_id: "ada" }));
  await rejects(restore("too-early", { point: { atMs: START_MS + DAY } }), /retention has taken away/);
});
