// `attune cluster down`: ends every part that is ours, servers first, so that what they accepted is in Kafka.
import { stopJob } from "../jobs/submit.ts";
import { readJobState } from "../jobs/job-state.ts";
import { partsOf } from "./cluster-parts.ts";
import { lockCluster } from "./lock.ts";
import { type ClusterFlags, readCluster } from "./settings.ts";
import { reporter } from "./up.ts";

export interface DownFlags extends ClusterFlags {
  /** Stops the job with a savepoint, from which the next `up` goes on; without, from its newest checkpoint. */
  savepoint?: boolean | undefined;
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
    if (flags.savepoint === true) report(`savepoint ${(await stopJob(settings, generation)) ?? "none: no job runs"}`);
    // Whoever needs another ends before it: Flink before ZooKeeper, both before Kafka.
    for (const part of installations.toReversed()) await part.stop();
    report("everything is down");
  } finally {
    unlock();
  }
  return 0;
}
