import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { canary, findCanaries } from "./canaries.ts";
import { erasureScan } from "./erasure.ts";

test("the search finds a canary in every form that its bytes may have, and nothing where there is none", () => {
  const text = canary(0x1a2b, 7);
  const found = (bytes: Buffer): string[] => {
    const all: string[] = [];
    findCanaries(bytes, ({ person, field }) => all.push(`${person}/${field}`));
    return [...new Set(all)];
  };
  const forms: Record<string, Buffer> = {
    raw: Buffer.from(`..${text}..`),
    upper: Buffer.from(text.toUpperCase()),
    hex: Buffer.from(`x${Buffer.from(`ab${text}cd`).toString("hex")}`),
    utf16: Buffer.from(`a${text}b`, "utf16le"),
    utf16be: Buffer.from(`a${text}b`, "utf16le").swap16(),
    gzip: Buffer.concat([Buffer.from("junk"), gzipSync(`a ${text}`)]),
  };
  for (const shift of [0, 1, 2]) forms[`base64 at ${shift}`] = Buffer.from(`"${Buffer.from("-".repeat(shift) + text + "--").toString("base64")}"`);
  for (const [form, bytes] of Object.entries(forms)) deepEqual(found(bytes), ["6699/7"], form);
  deepEqual(found(Buffer.from("nothing of the kind")), []);
});

test("erased persons are in no byte anywhere, and nobody comes back", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-erasure-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tally = await erasureScan({ folder, persons: 24, erased: 5 });
  equal(tally.foundBefore, tally.planted, "every canary is found before: the search can find");
  ok(tally.fingerprintsBefore > 0);
  deepEqual(tally.left, []);
  deepEqual([tally.foundAfter, tally.fingerprintsAfter, tally.othersLost, tally.recreated], [0, 0, 0, 0]);
});
