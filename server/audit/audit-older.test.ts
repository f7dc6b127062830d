// Entries that are not held in memory any more, and a disk that takes none.
import { deepEqual, equal, throws } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { mountSmallDisk, unmountSmallDisk, withoutSmallDisk } from "../log/testing/small-disk.ts";
import { newest, openAuditLog, verifyAuditTrail } from "./audit-log.ts";
import { FIRST_HASH, nextEntry, type Anchor, type AuditEntry } from "./chain.ts";

const HELD_MAX = 20_000;

test("lists go on from what is held into the file, whole or cut", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-audit-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let head: Anchor = { seq: 0, hash: FIRST_HASH };
  const all: AuditEntry[] = [];
  for (let i = 0; i < 3 * HELD_MAX; i++) {
    const subject = i % 7_919 === 0 ? { subject: "rare" } : {};
    head = nextEntry({ at: i, project: i % 2 === 0 ? "shop" : "news", actor: "key", action: `a${i % 3}`, ...subject }, head);
    all.push(head as AuditEntry);
  }
  writeFileSync(join(folder, "audit.ndjson"), all.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  const audit = openAuditLog({ folder, anchor: join(folder, "anchor"), pepper: Buffer.alloc(32), now: () => 1e9 });
  const questions = [
    { project: "shop", limit: 500, subject: "rare" },
    { project: "news", limit: 5, action: "a2", before: HELD_MAX + 3 },
    { project: "news", limit: 30, before: 2 * HELD_MAX + 9 },
    { project: "shop", limit: 500, before: 40 },
    { project: "none", limit: 1 },
  ];
  for (const question of questions) deepEqual(await audit.list(question), newest(all, question), JSON.stringify(question));
  equal(audit.dropBefore(1_000), 1_000);
  all.push(audit.change({ project: "shop", actor: "key", action: "late" }));
  for (const question of questions) {
    deepEqual(await audit.list(question), newest(all.slice(1_000), question), `cut: ${JSON.stringify(question)}`);
  }
  audit.close();
  deepEqual(verifyAuditTrail(folder, join(folder, "anchor")), { entries: 2 * HELD_MAX + HELD_MAX - 1_000 + 1 });
});

test("a full disk ends no node: what it does not take is told, waits, and goes on in the chain", { skip: withoutSmallDisk }, (t) => {
  const root = mkdtempSync(join(tmpdir(), "attune-audit-"));
  const [disk, anchor] = [join(root, "disk"), join(root, "anchor")];
  const noDisk = mountSmallDisk(disk);
  t.after(() => {
    unmountSmallDisk(disk);
    rmSync(root, { recursive: true, force: true });
  });
  if (noDisk !== undefined) return t.skip(noDisk); // Without a disk to fill there is nothing to test.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const folder = join(disk, "audit");
  mkdirSync(folder);
  const audit = openAuditLog({ folder, anchor, pepper: Buffer.alloc(32), now: () => 1_000 });
  audit.change({ project: "shop", actor: "key", action: "before" });
  const ballast = join(disk, "ballast");
  throws(() => writeFileSync(ballast, Buffer.alloc(1 << 20)), { code: "ENOSPC" });
  const read = (i: number): void => audit.read({ project: "shop", actor: "key", action: `read ${i}` });
  for (let i = 0; i < 100; i++) read(i);
  t.mock.timers.tick(100);
  throws(() => audit.change({ project: "shop", actor: "key", action: "change" }), { code: "unavailable" });
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 1 }, "nothing of them is in the file");
  for (let i = 100; i < 999; i++) read(i);
  throws(() => read(999), { code: "unavailable" }, "so much waits that nobody may be shown");
  rmSync(ballast);
  t.mock.timers.tick(1_000);
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 1_001 });
  audit.close();
});
