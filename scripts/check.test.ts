import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECTS, typecheck } from "./check.ts";

for (const project of PROJECTS) {
  test(`${project} has no type errors`, async () => {
    assert.equal(await typecheck(project), "");
  });
}
