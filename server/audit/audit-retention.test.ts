import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openAuditLog, verifyAuditTrail } from "./audit-log.ts";

const DAY = 86_400_000;

test("old entries go, the chain of the rest holds, and what is changed or cut beyond that is still found", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-audit-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [anchor, path] = [join(folder, "anchor.json"), join(folder, "audit.ndjson")];
  const clock = { nowMs: 1_760_000_000_000 };
  const options = { folder, anchor, pepper: Buffer.alloc(32), now: () => clock.nowMs };
  const log = openAuditLog(options);
  for (let day = 0; day < 10; day++) {
    log.change({ project: "default", actor: "key", action: `day ${day}` });
    clock.nowMs += DAY;
  }
  const whole = readFileSync(path, "utf8");
  equal(log.dropBefore(clock.nowMs - 4 * DAY), 6);
  log.change({ project: "default", actor: "key", action: "after" });
  const actions = (await log.list({ project: "default", limit: 20 })).map(({ action }) => action);
  deepEqual(actions, ["after", "day 9", "day 8", "day 7", "day 6"]);
  log.close();
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 5 });
  equal(readFileSync(path, "utf8").includes("day 5"), false);

  const kept = readFileSync(path, "utf8");
  const [, ...rest] = kept.split("\n");
  writeFileSync(path, rest.join("\n"));
  equal(verifyAuditTrail(folder, anchor).fault?.kind, "out_of_order", "more than the anchor says is gone");
  writeFileSync(path, kept);

  // A crash between the anchor's word and the cut: the trail is whole yet.
  const [, ...added] = kept.trimEnd().split("\n").slice(-2);
  writeFileSync(path, `${whole}${added.join("\n")}\n`);
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 11 });

  clock.nowMs += 100 * DAY;
  const again = openAuditLog({ ...options, keptMs: 30 * DAY });
  equal((await again.list({ project: "default", limit: 20 })).length, 1, "the newest stays: the next is chained to it");
  again.change({ project: "default", actor: "key", action: "late" });
  again.close();
  deepEqual(verifyAuditTrail(folder, anchor), { entries: 2 });
});
