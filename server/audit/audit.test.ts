import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { AuditDamagedError, openAuditLog, verifyAuditTrail, type FileAuditLog } from "./audit-log.ts";
import { FIRST_HASH, firstFault, nextEntry, type Anchor, type AuditEntry } from "./chain.ts";

const ENTRIES = 40;
const TRIALS = 10_000;

function trail(): { lines: string[]; anchor: Anchor } {
  let head: Anchor = { seq: 0, hash: FIRST_HASH };
  const lines: string[] = [];
  for (let i = 0; i < ENTRIES; i++) {
    const facts = { at: 1_000 + i, project: "default", actor: "key_1", action: "profile.read", subject: `s${i}` };
    const entry: AuditEntry = nextEntry(facts, head);
    head = { seq: entry.seq, hash: entry.hash };
    lines.push(JSON.stringify(entry));
  }
  return { lines, anchor: head };
}

test(`${TRIALS} changed, removed, moved, doubled and cut trails are all found`, () => {
  const { lines, anchor } = trail();
  equal(firstFault(lines, anchor), undefined);
  const random = rngFrom(7);
  const below = (n: number): number => random.between(0, n - 1);
  const found = { changed: 0, removed: 0, moved: 0, doubled: 0, cut: 0 };
  const kinds = Object.keys(found) as (keyof typeof found)[];
  for (let trial = 0; trial < TRIALS; trial++) {
    const kind = kinds[trial % kinds.length]!;
    const copy = [...lines];
    const at = below(ENTRIES);
    if (kind === "changed") {
      const text = copy[at]!;
      const place = below(text.length);
      const other = String.fromCharCode(32 + ((text.charCodeAt(place) - 32 + 1 + below(94)) % 95));
      copy[at] = text.slice(0, place) + other + text.slice(place + 1);
    } else if (kind === "removed") copy.splice(at, 1);
    else if (kind === "doubled") copy.splice(at, 0, copy[at]!);
    else if (kind === "cut") copy.length = at;
    else {
      const to = (at + 1 + below(ENTRIES - 1)) % ENTRIES;
      copy.splice(to, 0, ...copy.splice(at, 1));
    }
    ok(firstFault(copy, anchor), `${kind} at line ${at + 1} was not found`);
    found[kind]++;
  }
  deepEqual(
    Object.values(found),
    kinds.map(() => TRIALS / kinds.length),
  );
});

test("without the anchor a cut end goes unseen: that is what it is for", () => {
  const { lines } = trail();
  equal(firstFault(lines.slice(0, 10), undefined), undefined);
});

interface Bench {
  folder: string;
  anchor: string;
  clock: { ms: number };
  open(): FileAuditLog;
}

function bench(t: TestContext): Bench {
  const root = mkdtempSync(join(tmpdir(), "attune-audit-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [folder, anchor, clock] = [join(root, "audit"), join(root, "elsewhere", "head.json"), { ms: 1_000 }];
  return {
    folder,
    anchor,
    clock,
    open: () => openAuditLog({ folder, anchor, pepper: Buffer.alloc(32), now: () => clock.ms }),
  };
}

const facts = { project: "default", actor: "key_1" };

test("the trail goes on after a restart, and a change is on disk at once", async (t) => {
  const { folder, anchor, open } = bench(t);
  const first = open();
  first.change({ ...facts, action: "program.put", details: { version: 2 } });
  equal(verifyAuditTrail(folder, anchor).entries, 1); // before any close
  first.close();
  const second = open();
  second.change({ ...facts, action: "key.revoke" });
  deepEqual(
    (await second.list({ project: "default", limit: 10 })).map(({ seq, action }) => [seq, action]),
    [
      [2, "key.revoke"],
      [1, "program.put"],
    ],
  );
  second.close();
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 2 });
});

test("repeated reads of one person within a minute are one entry", async (t) => {
  const { clock, open } = bench(t);
  const log = open();
  const subject = log.subjectOf("default", "u:ada");
  for (let i = 0; i < 5; i++) log.read({ ...facts, action: "profile.read", subject });
  log.read({ ...facts, action: "profile.read", subject: log.subjectOf("default", "u:bob") });
  clock.ms += 60_000;
  log.read({ ...facts, action: "profile.read", subject });
  equal((await log.list({ project: "default", limit: 10 })).length, 3);
  clock.ms -= 3_600_000; // Set back: it is an hour until that minute comes again.
  log.read({ ...facts, action: "profile.read", subject });
  equal((await log.list({ project: "default", limit: 10 })).length, 4);
  equal((await log.list({ project: "default", limit: 10, subject })).length, 3);
  equal((await log.list({ project: "news", limit: 10 })).length, 0);
  log.close();
});

test("no id of a person is in the trail", (t) => {
  const { folder, open } = bench(t);
  const log = open();
  log.change({ ...facts, action: "privacy.erase", subject: log.subjectOf("default", "u:ada@example.org") });
  log.close();
  ok(!readFileSync(join(folder, "audit.ndjson"), "utf8").includes("ada@"));
});

test("a line that a crash cut short is dropped; an end before the anchor, or a broken line, stops the node", (t) => {
  const { folder, anchor, open } = bench(t);
  const path = join(folder, "audit.ndjson");
  const log = open();
  for (let i = 0; i < 3; i++) log.change({ ...facts, action: `a${i}` });
  log.close();
  appendFileSync(path, '{"seq":4,"at"');
  const again = open();
  equal(again.change({ ...facts, action: "a3" }).seq, 4);
  again.close();
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 4 });
  const whole = readFileSync(path, "utf8");
  truncateSync(path, whole.indexOf('{"seq":4'));
  throws(open, AuditDamagedError);
  deepEqual(verifyAuditTrail(folder, anchor).fault, { line: 4, kind: "cut_off" });
  writeFileSync(path, whole.replace('{"seq":2', '{"seq:2'));
  throws(open, AuditDamagedError);
});

test("a trail that was written anew, hashes and all, stops the node: the next anchor would stand for it", (t) => {
  const { folder, anchor, open } = bench(t);
  const path = join(folder, "audit.ndjson");
  const log = open();
  for (let i = 0; i < 5; i++) log.change({ ...facts, action: `a${i}` });
  log.close();
  const [kept, forged] = [readFileSync(path, "utf8"), openAuditLog({ ...place(folder), now: () => 1_000 })];
  for (let i = 0; i < 5; i++) forged.change({ ...facts, actor: i === 2 ? "key_2" : "key_1", action: `a${i}` });
  forged.close();
  writeFileSync(path, readFileSync(join(place(folder).folder, "audit.ndjson")));
  deepEqual(verifyAuditTrail(folder, anchor).fault, { line: 5, kind: "changed" });
  throws(open, AuditDamagedError);
  writeFileSync(path, kept);
  const again = open();
  again.change({ ...facts, action: "a5" });
  again.close();
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 6 });
});

/** Of somebody who knows how a trail is made. */
function place(folder: string) {
  return { folder: `${folder}-forged`, anchor: `${folder}-forged/head.json`, pepper: Buffer.alloc(32) };
}
