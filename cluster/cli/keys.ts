// `attune cluster keys …` (also `attune keys … --cluster`): the keys of a cluster. Its servers know of a change at once.
import { parseArgs } from "node:util";
import { keysCommand } from "../../server/cli/keys.ts";
import { openPlanAccess } from "./access.ts";
import { readCluster } from "./settings.ts";

export function clusterKeysCommand(args: string[]): Promise<number> {
  // Only to see what is wanted; what else there is the command itself checks.
  const { positionals } = parseArgs({ args, strict: false, allowPositionals: true });
  return keysCommand(args, async (flags) => {
    const { keys, close } = await openPlanAccess(await readCluster(flags), positionals[0] === "secret");
    return { ring: keys, close };
  });
}
