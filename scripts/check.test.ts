import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { PROJECTS, typecheck } from "./check.ts";

const ROOT = resolve(import.meta.dirname, "..");

for (const project of PROJECTS) {
  test(`${project} has no type errors`, async () => {
    assert.equal(await typecheck(project), "");
  });
}

test("every room with TypeScript is checked", () => {
  const { include } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8")) as { include: string[] };
  const exclude = ["node_modules/**", "dist/**"];
  const rooms = new Set(globSync("*/**/*.{ts,tsx}", { cwd: ROOT, exclude }).map((file) => file.split("/")[0]!));
  assert.deepEqual([...rooms].toSorted(), include.toSorted());
});
