// `attune cluster audit verify`: checks the servers' audit trail against its chain, its anchor in Redis, and what the last
// check on this machine saw.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kekFolder } from "../../server/cli/kek-folder.ts";
import { UsageError } from "../../server/cli/usage.ts";
import { verifySharedAudit } from "../access/shared-audit.ts";
import { RedisLink } from "../redis/link.ts";
import { checkBroker } from "./checks.ts";
import { redisConnection } from "./redis-rows.ts";
import { type ClusterFlags, readCluster } from "./settings.ts";

export async function auditCommand(flags: ClusterFlags, words: readonly string[]): Promise<number> {
  if (words.join(" ") !== "verify") throw new UsageError("attune cluster audit verify [--data FOLDER] [--config FILE]");
  const { plan, connection } = await readCluster(flags);
  // Whoever reads the trail waits for Kafka without end.
  await checkBroker(connection, plan);
  const file = headFile(plan.clusterKey);
  const seen = existsSync(file) ? [JSON.parse(readFileSync(file, "utf8")) as { seq: number; hash: string }] : [];
  const link = await RedisLink.open(redisConnection(plan.redis));
  const { entries, fault, head } = await verifySharedAudit({ connection, link }, seen).finally(() => {
    if (!link.isUp) process.stderr.write("attune: Redis is away: the trail was checked without its anchor there\n");
    link.close();
  });
  process.stdout.write(`${entries} entries\n`);
  if (fault === undefined) {
    writeFileSync(file, JSON.stringify(head), { mode: 0o600 });
    return 0;
  }
  process.stdout.write(`record ${fault.offset}: ${fault.kind.replaceAll("_", " ")}\n`);
  return 1;
}

/** Puts aside what the last check on this machine saw: a restored trail may end before it. */
export function putHeadAside(clusterKey: string): void {
  const file = headFile(clusterKey);
  if (existsSync(file)) renameSync(file, `${file}.before-restore`);
}

/** Beside the key-encryption keys, apart from Kafka and Redis. */
function headFile(clusterKey: string): string {
  const folder = kekFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = createHash("sha256").update(`audit ${clusterKey}`).digest("hex").slice(0, 16);
  return join(folder, `audit-cluster-${name}.json`);
}
