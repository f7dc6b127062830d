// `attune cluster down`: ends every part that is ours, servers first, so that what they accepted is in Kafka.
import { FlinkError } from "../jobs/flink-rest.ts";
import { stopJob } from "../jobs/submit.ts";
import { readJobState } from "../jobs/job-state.ts";
import { partsOf } from "./cluster-parts.ts";
import { lockCluster } from "./lock.ts";
import { type ClusterFlags, type ClusterSettings, readCluster } from "./settings.ts";
import { reporter } from "./up.ts";

export interface DownFlags extends ClusterFlags {
  /** Without a savepoint: the next `up` goes on from the newest checkpoint. */
  now?: boolean | undefined;
}

export async function downCommand(flags: DownFlags): Promise<number> {
  const settings = await readCluster(flags);
  const report = reporter();
  const unlock = lockCluster(settings.folder);
  try {
    const { generation } = await readJobState(settings.folder);
    const { supervisor, servers, installations } = partsOf(settings, generation);
    await supervisor.stop();
    await Promise.all(servers.map((part) => part.stop()));
    report("the servers have drained");
    // A job that ends with a savepoint has committed everything. One that is cut off leaves its last transaction to the
    // next one, which must come before Kafka's patience with it ends.
    const jobManager = installations.find(({ name }) => name === "jobmanager");
    const isFlinkDown = jobManager?.isAlive === false;
    if (isFlinkDown) report('Flink was down already; the next "up" goes on where the job ended');
    else if (flags.now !== true) await stopWithSavepoint(settings, generation, report);
    // Whoever needs another ends before it: Flink before ZooKeeper, both before Kafka.
    for (const part of installations.toReversed()) await part.stop();
    report("everything is down");
  } finally {
    unlock();
  }
  return 0;
}

/** A job that does not answer, or cannot write a savepoint, must not keep anybody from ending it. */
async function stopWithSavepoint(
  settings: ClusterSettings,
  generation: number,
  report: (line: string) => void,
): Promise<void> {
  try {
    report(await stopJob(settings, generation));
  } catch (error) {
    if (!(error instanceof FlinkError)) throw error;
    report(`no savepoint: ${error.message}; the next "up" goes on from the newest checkpoint`);
  }
}
