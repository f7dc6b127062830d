// The operator's guide names every setting that there is, and what it shows of the file is taken.
import { deepEqual, equal, ok } from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { NEEDS, rolesWith, ROLES } from "../access/roles.ts";
import { readSettings } from "./config.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const GUIDE = readFileSync(join(ROOT, "docs/guides/operator.md"), "utf8");
const SECTION = GUIDE.slice(GUIDE.indexOf("## Settings"), GUIDE.indexOf("## Let others in"));
const ROWS = SECTION.split("\n").filter((line) => line.startsWith("| ")).slice(1);
/** Loses data in a power cut; only tests set it. */
const OF_TESTS = "ATTUNE_UNSAFE_NO_FSYNC";

const folder = mkdtempSync(join(tmpdir(), "attune-settings-guide-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function read(text: string): ReturnType<typeof readSettings> {
  const config = join(folder, `${++files}.ts`);
  writeFileSync(config, text);
  return readSettings({ config }, {});
}

/** The names in one column of the table. */
function column(index: number): string[] {
  return ROWS.flatMap((row) => [...row.split(" | ")[index]!.matchAll(/`([A-Za-z_-]+)/g)].map(([, name]) => name!));
}

test("the table has every setting of the file", async () => {
  const refused = await read("export default { none: 1 };").catch((error: Error) => error.message);
  const [, names = ""] = /there are (.*)/.exec(String(refused)) ?? [];
  deepEqual(column(0).sort(), names.split(", ").sort());
});

test("the table has every variable that a command reads", () => {
  const files = ["bin/launch.mjs", ...globSync("{server,cluster}/**/*.ts", { cwd: ROOT, exclude: ["**/*.test.ts", "**/testing/**"] })];
  const named = files.flatMap((file) => readFileSync(join(ROOT, file), "utf8").match(/\bATTUNE_[A-Z_]+\b/g) ?? []);
  deepEqual(column(1).sort(), [...new Set(named)].filter((name) => name !== OF_TESTS).sort());
});

test("the table of scopes says of each which roles have it", () => {
  const table = GUIDE.slice(GUIDE.indexOf("| scope |"));
  const rows = [...table.slice(0, table.indexOf("\n\n")).matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)];
  const said = rows.map(([, scope, roles = ""]) => {
    const named = [...roles.matchAll(/`(\w+)`/g)].map(([, role]) => role!);
    return [scope, roles.startsWith("all") ? ROLES.filter((role) => !named.includes(role)) : named];
  });
  deepEqual(said, NEEDS.filter((need) => need !== "public").map((need) => [need, rolesWith(need)]));
});

test("the files that the guides show are taken", async () => {
  const privacy = readFileSync(join(ROOT, "docs/guides/privacy-officer.md"), "utf8");
  const blocks = [...GUIDE.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const lines = [...privacy.matchAll(/^ {4}(export default .*)$/gm)].map(([, text]) => text!);
  equal(blocks.length, 3);
  equal(lines.length, 1);
  for (const text of [...blocks, ...lines]) {
    const settings = await read(text.startsWith("export default") ? text : `export default {\n${text}};`);
    ok(settings.port > 0);
  }
});
