// `attune cluster submit --backfill`: a second job reads the log from its start into the next generation of topics,
// beside the running one. When it has caught up, and Redis holds what it made, the servers change over one after the
// other, and the old job ends. At every moment some server answers from a whole generation.
import { setTimeout } from "node:timers/promises";
import { FlinkError, FlinkRest } from "../jobs/flink-rest.ts";
import { type JobState, readJobState, writeJobState } from "../jobs/job-state.ts";
import { earlierJobs, livingJob, submitJob, untilRunning } from "../jobs/submit.ts";
import { lagOf } from "../kafka/lag.ts";
import { checkTopics } from "../kafka/topics.ts";
import { RedisLink } from "../redis/link.ts";
import { groupId, projectTopics } from "../wire/topics.ts";
import { partsOf } from "./cluster-parts.ts";
import { type Fill, fillRedis, forgetGeneration, redisConnection } from "./redis-rows.ts";
import type { ClusterSettings } from "./settings.ts";
import { clusterTopics, ensureTopics } from "./topics.ts";

const LOOK_EVERY_MS = 1_000;
const REPORT_EVERY_LOOKS = 10;
/** What a job that has caught up is still behind: it confirms with each checkpoint, and every second brings ticks. */
const CAUGHT_UP_CHECKPOINTS = 5;
const TICKS_A_SECOND = 1;

/** Goes on with a backfill that was interrupted. Resolves when the new generation has taken over. */
export async function backfill(settings: ClusterSettings, report: (line: string) => void): Promise<void> {
  const { folder, plan, connection } = settings;
  const { generation } = await readJobState(folder);
  const next = generation + 1;
  const flink = new FlinkRest(plan.flink.url);
  await ensureTopics(settings, next);
  await begin(folder, await readJobState(folder), next);
  const jobId = await submitJob(settings, { generation: next });
  await untilRunning(flink, jobId);
  report(`generation ${next} reads the log from its start: job ${jobId}`);
  await untilCaughtUp(settings, { generation: next, besides: generation, report });
  report(`generation ${next} has caught up`);

  const partitions = await checkTopics(connection, clusterTopics(plan.projects, next), plan.partitions);
  const link = await RedisLink.open(redisConnection(plan.redis));
  try {
    const fills: Fill[] = [];
    const closeFills = async (): Promise<void> => void (await Promise.all(fills.map((fill) => fill.close())));
    try {
      for (const project of Object.keys(plan.projects)) {
        const topics = projectTopics(project, { generation: next });
        fills.push(await fillRedis({ connection, link, project, generation: next, topics, partitions, report }));
      }
      await Promise.all(fills.map((fill) => fill.whole()));
      report("Redis holds it");
      await changeOver(settings, next, { report, onFirst: closeFills });
    } finally {
      await closeFills();
    }
  } finally {
    // Left open it would keep a command that failed from ending.
    link.close();
  }
  await endGeneration(settings, generation, report);
}

/** Ends what a backfill left behind that was interrupted after its generation took over. */
export async function endEarlier(settings: ClusterSettings, report: (line: string) => void): Promise<void> {
  const jobs = await earlierJobs(new FlinkRest(settings.plan.flink.url), await readJobState(settings.folder));
  for (const generation of new Set(jobs.map((job) => job.generation))) await endGeneration(settings, generation, report);
}

async function endGeneration(
  { plan }: ClusterSettings,
  generation: number,
  report: (line: string) => void,
): Promise<void> {
  const flink = new FlinkRest(plan.flink.url);
  const old = await livingJob(flink, generation);
  if (old !== undefined) await flink.cancel(old.jid);
  const link = await RedisLink.open(redisConnection(plan.redis));
  try {
    for (const project of Object.keys(plan.projects)) await forgetGeneration(link, project, generation);
  } finally {
    link.close();
  }
  report(`generation ${generation} has ended; its topics can be deleted once nobody wants to look back`);
}

/** From this moment on the new job passes anonymous records on too; what is older the old one has passed on. */
async function begin(folder: string, state: JobState, next: number): Promise<void> {
  if (state.passOnAfterMs?.[next] !== undefined) return;
  await writeJobState(folder, { ...state, passOnAfterMs: { ...state.passOnAfterMs, [next]: Date.now() } });
}

export interface CatchingUp {
  readonly generation: number;
  /** The one that runs beside it, and may be behind as far; default: none. */
  readonly besides?: number;
  readonly report: (line: string) => void;
}

/** @throws FlinkError where the job ends before. */
export async function untilCaughtUp({ plan, connection }: ClusterSettings, options: CatchingUp): Promise<void> {
  const { generation, besides, report } = options;
  const flink = new FlinkRest(plan.flink.url);
  const topics = Object.keys(plan.projects).flatMap((name) => projectTopics(name, { generation }).log);
  const ticks = TICKS_A_SECOND * plan.partitions * Math.max(1, plan.servers.ports.length);
  for (let look = 0; ; look++) {
    if ((await livingJob(flink, generation)) === undefined) {
      const goesOn = besides === undefined ? "" : "; the running one goes on as before";
      throw new FlinkError(`the job of generation ${generation} has ended${goesOn}`);
    }
    const ours = await lagOf(connection, groupId(generation), topics);
    const theirs = besides === undefined ? [] : await lagOf(connection, groupId(besides), topics);
    const bound = (lag: number): number =>
      lag + Math.ceil((ticks * CAUGHT_UP_CHECKPOINTS * plan.checkpointMs) / 1_000);
    if (ours.every(({ lag }, i) => lag !== undefined && lag <= bound(theirs[i]?.lag ?? 0))) return;
    const behind = ours.reduce((sum, { lag, end }) => sum + (lag ?? end), 0);
    if (look % REPORT_EVERY_LOOKS === 0) report(`${behind} records behind`);
    await setTimeout(LOOK_EVERY_MS);
  }
}

/** `onFirst` runs when the first server answers from the new generation: from then on it fills Redis, and tells. */
async function changeOver(
  settings: ClusterSettings,
  next: number,
  { report, onFirst }: { report: (line: string) => void; onFirst: () => Promise<void> },
): Promise<void> {
  const { folder } = settings;
  const { supervisor, servers } = partsOf(settings, next);
  // It would start a server that stops, with the old generation.
  const isSupervised = supervisor.isAlive;
  await supervisor.stop();
  await writeJobState(folder, { ...(await readJobState(folder)), generation: next });
  for (const [i, server] of servers.entries()) {
    await server.stop();
    await server.start();
    if (i === 0) await onFirst();
    report(`${server.name} answers from generation ${next}`);
  }
  if (isSupervised) await supervisor.start();
}
