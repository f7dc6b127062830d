// The program's schema (core/program/program.schema.json) as parts of the OpenAPI document: its definitions are named
// `Program…` there.
import { readFileSync } from "node:fs";
import type { Schema } from "./openapi-schemas.ts";

const FILE = new URL("../../core/program/program.schema.json", import.meta.url);
const OWN_DEFINITION = /^#\/\$defs\/(.*)$/;

const { $schema: _, $id: __, $defs, ...program } = JSON.parse(readFileSync(FILE, "utf8"), (key, value: unknown) =>
  key === "$ref" ? String(value).replace(OWN_DEFINITION, (_whole, name: string) => `#/components/schemas/${nameOf(name)}`) : value,
) as Schema & { $defs: Record<string, Schema> };

export const PROGRAM_SCHEMAS: Record<string, Schema> = {
  Program: program,
  ...Object.fromEntries(Object.entries($defs).map(([name, schema]) => [nameOf(name), schema])),
};

/** `rule_segment` is `ProgramRuleSegment`. */
function nameOf(definition: string): string {
  return `Program${definition.replaceAll(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())}`;
}
