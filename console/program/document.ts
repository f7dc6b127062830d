// The program as people edit and save it.
import type { Program } from "../api/types.ts";
import { formatJson } from "./format-json.ts";

/** The document as it is edited: without what the node adds to it. */
export function documentText(program: Program & { tag?: string }): string {
  const { version: _version, created_at: _createdAt, tag: _tag, ...document } = program;
  return formatJson(document);
}
