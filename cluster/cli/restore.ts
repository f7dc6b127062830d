// `attune cluster restore`: puts a backup's log into Kafka, has a job build everything from it, and verifies that.
import { setTimeout } from "node:timers/promises";
import { kekFolder } from "../../server/cli/kek-folder.ts";
import { ledgerOf } from "../../server/cli/ledger-flag.ts";
import { timeOf } from "../../server/cli/time-flag.ts";
import { UsageError } from "../../server/cli/usage.ts";
import { forgetAnchor } from "../access/audit-anchor.ts";
import { openClusterBackup } from "../backup/manifest.ts";
import { type ClusterRestored, restoreLog } from "../backup/restore.ts";
import { type CopiedLedger, ledgerCopyPath, readLedgerCopy } from "../erasure/ledger-copy.ts";
import { FlinkRest } from "../jobs/flink-rest.ts";
import { type JobState, readJobState, writeJobState } from "../jobs/job-state.ts";
import { livingJob } from "../jobs/submit.ts";
import { RedisLink } from "../redis/link.ts";
import { putHeadAside } from "./audit.ts";
import { untilCaughtUp } from "./backfill.ts";
import { backupKeys, topicsOf } from "./backup.ts";
import { CheckError, checkInstallations } from "./checks.ts";
import { installParts, partsOf } from "./cluster-parts.ts";
import { lockCluster } from "./lock.ts";
import { forgetProject, redisConnection } from "./redis-rows.ts";
import { type ClusterFlags, type ClusterSettings, resolveCluster } from "./settings.ts";
import { takePlan } from "./take-plan.ts";
import { bringUp, reporter } from "./up.ts";
import { verifyCommand } from "./verify.ts";

export interface RestoreFlags extends ClusterFlags {
  from?: string | undefined;
  at?: string | undefined;
  /** `PROJECT=FILE`: a copy of a ledger that a server kept elsewhere. */
  ledger?: string[] | undefined;
}

const ENDED_POLL_MS = 500;
const USAGE = 'attune cluster restore --from FOLDER [--at TIME] [--ledger PROJECT=FILE …] [--data FOLDER] [--config FILE] and the settings of "up"';
/** What the job before may not have passed on when the copy ended. */
const PASS_ON_AGAIN_MS = 60_000;
/** So long a copy that was passed on twice is known, with a day to spare (the job remembers ids for eight days). */
const COPIES_KNOWN_MS = 7 * 86_400_000;

export async function restoreCommand(flags: RestoreFlags): Promise<number> {
  const { from, at, ledger = [] } = flags;
  if (from === undefined) throw new UsageError(USAGE);
  const atMs = at === undefined ? undefined : timeOf(at);
  const backup = await openClusterBackup(from, backupKeys(), "read");
  const manifest = backup.manifest!;
  const settings = await resolveCluster(flags, manifest.settings);
  const { folder, plan, connection } = settings;
  if (plan.clusterKey !== manifest.settings.clusterKey)
    throw new CheckError(`${folder} has another cluster's key than the backup: name a --data folder without a plan, or that key`);
  const named = new Map(ledger.map(ledgerOf));
  const copyOf = (project: string, salt: string): CopiedLedger | undefined =>
    readLedgerCopy(named.get(project) ?? ledgerCopyPath(kekFolder(), project, salt));
  const report = reporter();
  const unlock = lockCluster(folder);
  try {
    const before = await readJobState(folder);
    // A job that read another log must not go on from where it was in it.
    const generation = before.jobs.length === 0 ? before.generation : before.generation + 1;
    await startInstallations(settings, before, report);
    const projects = topicsOf(Object.keys(plan.projects), generation);
    const onAccepted = (): Promise<void> => endJob(settings, before, report);
    const { replicas } = plan;
    const restored = await restoreLog({ connection, backup, projects, replicas, atMs, copyOf, onAccepted, report });
    const { records, erased } = restored;
    process.stdout.write(`backup of ${manifest.at}: ${records} records are back, ${erased} of erased persons are not\n`);
    await forgetServed(settings);
    const passOnAfterMs = { ...before.passOnAfterMs, [generation]: passOnAfter(restored) };
    await writeJobState(folder, { ...before, generation, passOnAfterMs });
    const { supervisor } = await bringUp(settings, report);
    await supervisor.start();
    await untilCaughtUp(settings, { generation, report });
  } finally {
    unlock();
  }
  return verifyCommand(flags);
}

/** Kafka, Redis and Flink as far as they are ours; nothing that writes to the log. @throws CheckError where that runs. */
async function startInstallations(
  settings: ClusterSettings,
  { generation }: JobState,
  report: (line: string) => void,
): Promise<void> {
  const { plan, connection } = settings;
  const { servers, supervisor, installations } = partsOf(settings, generation);
  const running = [...servers, supervisor].filter((part) => part.isAlive).map(({ name }) => name);
  if (running.length > 0) throw new CheckError(`${running.join(", ")} still run: "attune cluster down" first`);
  await installParts(plan, report);
  await takePlan(settings, generation, report);
  for (const part of installations) if (await part.spawn()) report(`starting ${part.name}`);
  await Promise.all(installations.map((part) => part.waitUntilReady()));
  await checkInstallations(plan, connection, "own");
}

/** Flink brings a job back that nobody has stopped; its log is no more, so it cannot go on, and no savepoint is worth it. */
async function endJob({ plan }: ClusterSettings, { generation }: JobState, report: (line: string) => void): Promise<void> {
  const flink = new FlinkRest(plan.flink.url);
  const job = await livingJob(flink, generation);
  if (job === undefined) return;
  report(`ending job ${job.jid}, which read the log that is no more`);
  await flink.cancel(job.jid);
  while ((await livingJob(flink, generation)) !== undefined) await setTimeout(ENDED_POLL_MS);
}

/** What Redis, and the last check of the audit trail on this machine, know of the log before. */
async function forgetServed({ plan }: ClusterSettings): Promise<void> {
  const link = await RedisLink.open(redisConnection(plan.redis));
  try {
    for (const project of Object.keys(plan.projects)) await forgetProject(link, project);
    await forgetAnchor(link);
  } finally {
    link.close();
  }
  putHeadAside(plan.clusterKey);
}

function passOnAfter({ logEndMs }: ClusterRestored): number {
  return Date.now() - logEndMs < COPIES_KNOWN_MS ? Math.max(0, logEndMs - PASS_ON_AGAIN_MS) : logEndMs;
}
