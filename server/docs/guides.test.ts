// What the guides show of a program can be put into the shop's, which they are written beside.
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { checkProgram } from "../../core/program/compile.ts";
import { shopProgram } from "../../core/program/shop.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/guides");

/** Each `"NAME": {…}` of a guide, in order. */
function partsOf(guide: string): Record<string, object>[] {
  const blocks = readFileSync(resolve(FOLDER, guide), "utf8").matchAll(/^```json\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, text]) => JSON.parse(`{${text}}`) as Record<string, object>);
}

const GUIDES: Readonly<Record<string, readonly ("segments" | "slots" | "experiments" | "placements")[]>> = {
  "analyst.md": ["segments", "slots", "experiments"],
  "merchandiser.md": ["placements"],
};

for (const [guide, kinds] of Object.entries(GUIDES)) {
  test(`the program's parts of ${guide} are good in the shop's program`, () => {
    const parts = partsOf(guide);
    equal(parts.length, kinds.length);
    for (const [index, kind] of kinds.entries()) {
      deepEqual(checkProgram({ ...shopProgram, [kind]: { ...shopProgram[kind], ...parts[index] } }), [], kind);
    }
  });
}
