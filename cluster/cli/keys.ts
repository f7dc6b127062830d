// `attune cluster keys …` (also `attune keys … --cluster`): the keys of a cluster. Its servers know of a change at once.
import { parseArgs } from "node:util";
import { keysCommand, type OpenRing } from "../../server/cli/keys.ts";
import { openClusterAccess } from "../access/cluster-access.ts";
import { createTopics } from "../kafka/topics.ts";
import { readCluster } from "./settings.ts";
import { sharedNeeds } from "./topics.ts";

export function clusterKeysCommand(args: string[]): Promise<number> {
  // Before the cluster is asked: what it is asked is checked by the command itself.
  const { positionals } = parseArgs({ args, strict: false, allowPositionals: true });
  return keysCommand(args, (flags) => openRing(flags, positionals[0] === "secret"));
}

async function openRing(flags: { data?: string; config?: string }, isNewKey: boolean): Promise<OpenRing> {
  const { plan, connection } = await readCluster(flags);
  await createTopics(connection, sharedNeeds(), plan);
  const { keys, close } = await openClusterAccess({
    kafka: connection,
    key: plan.clusterKey,
    isNewKey,
    now: Date.now,
    onCorrupt: (error) => process.stderr.write(`attune: a record was left out: ${error.message}\n`),
  });
  return { ring: keys, close };
}
