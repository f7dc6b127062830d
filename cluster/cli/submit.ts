// `attune cluster submit` and `cluster savepoint`.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { SettingError } from "../../server/cli/config.ts";
import { FlinkError, FlinkRest } from "../jobs/flink-rest.ts";
import { readJobState } from "../jobs/job-state.ts";
import { livingJob, stopJob, submitJob, untilRunning } from "../jobs/submit.ts";
import { partsOf } from "./cluster-parts.ts";
import { lockCluster, sayInterruption } from "./lock.ts";
import { type ClusterFlags, type ClusterSettings, readCluster } from "./settings.ts";
import { ensureTopics } from "./topics.ts";
import { reporter } from "./up.ts";

export interface SubmitFlags extends ClusterFlags {
  /** A savepoint or a checkpoint to start from, instead of where the job is now. */
  from?: string | undefined;
  backfill?: boolean | undefined;
}

/** Replaces the running job by one from the sources as they are. Records wait in Kafka meanwhile. */
export async function submitCommand(flags: SubmitFlags): Promise<number> {
  const settings = await readCluster(flags);
  const report = reporter();
  // Before anything is stopped for it.
  const from = flags.from === undefined ? {} : { from: startOf(flags.from, settings) };
  const unlock = lockCluster(settings.folder);
  sayInterruption(unlock);
  const { generation } = await readJobState(settings.folder);
  const { supervisor } = partsOf(settings, generation);
  const isSupervised = supervisor.isAlive;
  try {
    if (flags.backfill === true) {
      const { backfill } = await import("./backfill.ts");
      await backfill(settings, report);
      return 0;
    }
    // It would take the stopped job for a lost one.
    await supervisor.stop();
    // A later release may need topics that the running one does not know.
    await ensureTopics(settings, generation);
    report(await stopJob(settings, generation));
    const jobId = await submitJob(settings, { generation, ...from });
    await untilRunning(new FlinkRest(settings.plan.flink.url), jobId);
    report(`job ${jobId} runs`);
  } finally {
    if (isSupervised) await supervisor.start();
    unlock();
  }
  return 0;
}

/** What `--from` names, where this machine can see it. @throws SettingError where there is nothing to start from. */
function startOf(path: string, { plan }: ClusterSettings): string {
  if (plan.flink.own === undefined) return path;
  const folder = resolve(path.replace(/^file:\/*/, "/"));
  if (existsSync(join(folder, "_metadata"))) return folder;
  throw new SettingError(`--from is "${path}", which is no savepoint and no checkpoint: there is no _metadata in it`);
}

export async function savepointCommand(flags: ClusterFlags, folder: string | undefined): Promise<number> {
  const { folder: clusterFolder, plan } = await readCluster(flags);
  const flink = new FlinkRest(plan.flink.url);
  const { generation } = await readJobState(clusterFolder);
  const job = await livingJob(flink, generation);
  if (job === undefined) throw new FlinkError('no job runs: "attune cluster up" submits it');
  // Our own Flink writes where this command was called; another one's machines know folders of their own.
  const target = folder === undefined || plan.flink.own === undefined ? folder : resolve(folder);
  process.stdout.write(`${await flink.savepoint(job.jid, target)}\n`);
  return 0;
}
