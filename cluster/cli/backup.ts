// `attune cluster backup`: copies the log beside the running cluster.
import { environmentOf } from "../../server/cli/environment.ts";
import { UsageError } from "../../server/cli/usage.ts";
import { takeClusterBackup } from "../backup/take.ts";
import { projectTopics } from "../wire/topics.ts";
import { checkBroker } from "./checks.ts";
import { type ClusterFlags, readCluster } from "./settings.ts";

export interface BackupFlags extends ClusterFlags {
  to?: string | undefined;
  whole?: boolean | undefined;
}

/** Where the backups' key-encryption keys lie; keep them apart from the backups. */
export const backupKeys = (): string | undefined => environmentOf()["ATTUNE_BACKUP_KEYS"];

export async function backupCommand(flags: BackupFlags): Promise<number> {
  const { to, whole = false } = flags;
  if (to === undefined) throw new UsageError("attune cluster backup --to FOLDER [--whole] [--data FOLDER] [--config FILE]");
  const { plan, connection } = await readCluster(flags);
  // Where Kafka is away this says so in a line.
  await checkBroker(connection, plan);
  const { clusterKey, demo, partitions } = plan;
  const report = await takeClusterBackup({
    connection,
    projects: topicsOf(Object.keys(plan.projects)),
    settings: { clusterKey, demo, partitions },
    to,
    whole,
    backupKeys: backupKeys(),
    now: Date.now,
  });
  const { at, topics, total_records: records, total_bytes: bytes } = report;
  process.stdout.write(
    `backup of ${at}: ${topics} topics, ${records} records, ${bytes} bytes; ` +
      `${report.copied_records} records, ${report.copied_bytes} bytes copied\n`,
  );
  return 0;
}

export function topicsOf(projects: readonly string[], generation = 1): Record<string, ReturnType<typeof projectTopics>> {
  return Object.fromEntries(projects.map((project) => [project, projectTopics(project, { generation })]));
}
