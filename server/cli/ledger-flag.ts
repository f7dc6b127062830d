// `--ledger PROJECT=FILE`: a ledger of erasures that a restore is to know.
import { existsSync } from "node:fs";
import { UsageError } from "./usage.ts";

/** @throws UsageError */
export function ledgerOf(text: string): [project: string, path: string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`--ledger ${text}: PROJECT=FILE`);
  const path = text.slice(at + 1);
  if (!existsSync(path)) throw new UsageError(`--ledger ${text}: there is no ${path}`);
  return [text.slice(0, at), path];
}
