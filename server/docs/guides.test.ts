// What the guides show of a program can be put into the shop's, which they are written beside.
import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import type { Item } from "../../core/item/item.ts";
import { modelConfig } from "../../core/model/config.ts";
import { checkProgram, compileProgram } from "../../core/program/compile.ts";
import { Visit } from "../../core/program/scope.ts";
import { newsProgram } from "../../core/program/news.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { programWarnings } from "../../core/program/warnings.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/guides");

/** Each `"NAME": {…}` of a guide, in order. */
function partsOf(guide: string): Record<string, object>[] {
  const blocks = readFileSync(resolve(FOLDER, guide), "utf8").matchAll(/^```json\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, text]) => JSON.parse(`{${text}}`) as Record<string, object>);
}

const GUIDES: Readonly<Record<string, readonly ("segments" | "slots" | "experiments" | "placements")[]>> = {
  "analyst.md": ["segments", "slots", "experiments"],
  "merchandiser.md": ["placements", "placements"],
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

test("the operator's bounds on crowds are good in the shop's program, and leave nothing of them to warn of", () => {
  const block = /^```json\n("models": [\s\S]*?)^```$/m.exec(readFileSync(resolve(FOLDER, "operator.md"), "utf8"))![1]!;
  const { models } = JSON.parse(`{${block}}`) as Pick<ProgramDocument, "models">;
  const program = { ...shopProgram, models: { ...shopProgram.models, ...models } };
  deepEqual(checkProgram(program), []);
  deepEqual(programWarnings(program, { webhooks: "signed" }).filter(({ path }) => path.includes("crowd")), []);
});

test("the merchandiser's rules for a week hold until the second that they name, and not from it on", () => {
  const compiled = compileProgram({ ...shopProgram, placements: { ...shopProgram.placements, ...partsOf("merchandiser.md")[1] } }, 1);
  ok("program" in compiled);
  const { scope, placements } = compiled.program;
  const { pins, boosts } = placements.get("home")!;
  const lamp: Item = { item_id: "lamps-04", categories: ["lamps"], tags: [], published_at: Date.UTC(2027, 0, 11) };
  const endMs = Date.UTC(2027, 1, 8);
  for (const { when } of [pins[0]!, boosts[0]!]) {
    const holds = (item: Item, nowMs: number): boolean => when!(new Visit(scope, undefined, nowMs))(item);
    deepEqual([endMs - 7 * 86_400_000, endMs - 1, endMs].map((nowMs) => holds(lamp, nowMs)), [true, true, false]);
    equal(holds({ ...lamp, item_id: "chairs-04", categories: ["chairs"] }, endMs - 1), false);
  }
});

test("the operator's guide says which models are not asked for a list", () => {
  const guide = readFileSync(resolve(FOLDER, "operator.md"), "utf8").replaceAll(/\s+/g, " ");
  const [, shop = "", news = ""] = /`shop` asks all but ([^,]+), `news` all but ([^;]+);/.exec(guide) ?? [];
  for (const [said, { models }] of [[shop, shopProgram], [news, newsProgram]] as const) {
    deepEqual(said.match(/\w+(?=`)/g)?.sort(), [...modelConfig(models).off].sort());
  }
});

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
