// What is written where there is no room for all of it.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

/** Runs code of which no file may grow beyond 1 KiB: as on a disk that has room for so much, a write takes less than it was given. */
function cramped(code: string): string {
  const options = { cwd: import.meta.dirname, encoding: "utf8" } as const;
  const script = 'trap "" XFSZ; ulimit -f 1; exec "$0" --input-type=module -e "$1"';
  const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, code], options);
  equal(stderr, "");
  return stdout;
}

test("where there is no room for all of a file the old one stays, of which no byte is overwritten", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-durable-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "vault.json");
  const old = "k".repeat(900);
  for (const replace of ["replaceFile", "overwriteAndReplace"]) {
    writeFileSync(path, old);
    const code = `
      import { ${replace} } from "./durable-file.ts";
      try { ${replace}(${JSON.stringify(path)}, "n".repeat(5_000)); console.log("replaced"); } catch (error) { console.log(error.code); }`;
    deepEqual([cramped(code), readFileSync(path, "utf8")], ["EFBIG\n", old], replace);
  }
});

test("a box that has no room is none", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-box-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const code = `
    import { createSecretKey } from "node:crypto";
    import { sealBox } from "../backup/box.ts";
    const sealing = sealBox(Buffer.alloc(5_000), ${JSON.stringify(join(folder, "1.box"))}, createSecretKey(Buffer.alloc(32)));
    console.log(await sealing.then(() => "sealed", ({ code }) => code));`;
  match(cramped(code), /^EFBIG\n$/);
});
