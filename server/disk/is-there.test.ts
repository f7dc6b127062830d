import { equal, throws } from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isThere } from "./is-there.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-there-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("what is there, what is not, and what is behind a file", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  equal(isThere(folder), true);
  equal(isThere(file), true);
  equal(isThere(join(folder, "other", "deeper")), false);
  equal(isThere(join(file, "projects")), false);
});

test("where one may not look it is not told as missing", { skip: process.platform === "win32" }, (t) => {
  const closed = join(folder, "closed");
  mkdirSync(join(closed, "projects"), { recursive: true });
  chmodSync(closed, 0);
  t.after(() => chmodSync(closed, 0o700));
  // Root may look everywhere; somebody else looks for it.
  const { geteuid, seteuid } = process;
  const isRoot = geteuid?.call(process) === 0;
  if (isRoot) {
    chmodSync(folder, 0o755);
    seteuid!.call(process, 65534);
  }
  try {
    throws(() => isThere(join(closed, "projects")), { code: "EACCES" });
  } finally {
    if (isRoot) seteuid!.call(process, 0);
  }
});
