import { deepEqual } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { environmentOf } from "./environment.ts";

test("a variable that is set to nothing is not set", () => {
  deepEqual(environmentOf({ ATTUNE_PORT: "", ATTUNE_HOST: "::1", ATTUNE_DATA: " ", ATTUNE_DEMO: undefined }), {
    ATTUNE_HOST: "::1",
    ATTUNE_DATA: " ",
    ATTUNE_DEMO: undefined,
  });
});

test("no command reads a variable past it", () => {
  const root = resolve(import.meta.dirname, "../..");
  const commands = globSync("{server,cluster}/cli/*.ts", { cwd: root, exclude: ["**/*.test.ts"] });
  deepEqual(commands.filter((file) => /process\.env[[.]/.test(readFileSync(join(root, file), "utf8"))), []);
});
