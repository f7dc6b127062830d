// `attune audit verify`: checks the audit trail of a data folder against its chain and its anchor.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { verifyNodeAudit } from "../audit/open.ts";
import { auditPlace, readSettings } from "./config.ts";
import { parseFlags } from "./flags.ts";
import { UsageError } from "./usage.ts";

export async function auditCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    options: { data: { type: "string" }, config: { type: "string" } },
    allowPositionals: true,
  });
  if (positionals.join(" ") !== "verify") throw new UsageError("attune audit verify [--data FOLDER] [--config FILE]");
  const settings = await readSettings(values, process.env);
  const { entries, fault, isThere } = verifyNodeAudit(auditPlace(settings));
  if (!isThere && !existsSync(join(settings.data, "projects"))) {
    throw new UsageError(`there is no audit trail in ${settings.data}: name another folder with --data`);
  }
  if (!isThere) process.stderr.write("attune: no node has kept a trail in this folder yet, or all of it was removed\n");
  process.stdout.write(`${entries} entries\n`);
  if (fault === undefined) return 0;
  process.stdout.write(`line ${fault.line}: ${fault.kind.replaceAll("_", " ")}\n`);
  return 1;
}
