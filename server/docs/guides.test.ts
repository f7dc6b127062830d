// What the guides show of a program can be put into the shop's, which they are written beside.
import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
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

test("parts of a program that stand in a guide's text are good in the shop's program", () => {
  const texts = readdirSync(FOLDER).map((guide) => readFileSync(resolve(FOLDER, guide), "utf8"));
  const inline = texts.flatMap((text) => [...text.matchAll(/`("(models|learning|tastes)": \{.*?\})`/g)]);
  ok(inline.length >= 4, `only ${inline.length} were found`);
  for (const [, text, name] of inline) {
    const part = JSON.parse(`{${text}}`) as Record<string, object>;
    const isSegment = name === "tastes";
    const kind = isSegment ? "segments" : (name as "models" | "learning");
    const more = isSegment ? part : part[kind];
    deepEqual(checkProgram({ ...shopProgram, [kind]: { ...shopProgram[kind], ...more } }), [], text);
  }
});
