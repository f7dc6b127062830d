// The supervisor: starts again what dies, and submits the job again where Flink has forgotten it. It may die itself:
// nothing depends on it until the next thing dies, and `cluster up` starts it again.
import { setTimeout } from "node:timers/promises";
import { FlinkError, FlinkRest } from "../jobs/flink-rest.ts";
import { readJobState } from "../jobs/job-state.ts";
import { livingJob, submitJob } from "../jobs/submit.ts";
import { sayWrittenAgain, writtenAgain } from "../kafka/written-again.ts";
import type { Part } from "../parts/part.ts";
import { toConnection } from "./kafka-properties.ts";
import { type ClusterParts, partsOf } from "./cluster-parts.ts";
import { type ClusterSettings, planAt } from "./settings.ts";

const LOOK_EVERY_MS = 500;
const JOB_LOOK_EVERY_MS = 2_000;
/** For outputs that were taken back: it only tells of them. */
const OUTPUTS_LOOK_EVERY_MS = 10_000;
/** Looks in a row that must miss the job: a JobManager that has just come back may not have read its jobs yet. */
const MISSES_MIN = 5;
/** Between two starts of a part that keeps dying; doubled each time, back to the first once it was ready. */
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MAX_MS = 30_000;

interface Watched {
  readonly part: Part;
  backOffMs: number;
  notBeforeMs: number;
  isReady: boolean;
}

/** Until `stopped`. `say` hears of each death and each start. */
export async function supervise(
  settings: ClusterSettings,
  parts: Pick<ClusterParts, "installations" | "servers">,
  options: {
    stopped: AbortSignal;
    say: (line: string) => void;
    /** Asked before each look; false ends it as `stopped` does. */
    isWanted?: () => boolean;
  },
): Promise<void> {
  const { stopped, say, isWanted = () => true } = options;
  const { installations, servers } = parts;
  const watched = [...installations, ...servers].map(
    (part): Watched => ({ part, backOffMs: BACK_OFF_FIRST_MS, notBeforeMs: 0, isReady: true }),
  );
  const flink = new FlinkRest(settings.plan.flink.url);
  let misses = 0;
  let nextJobLookMs = 0;
  const outputs = outputsWatch(settings, say);
  while (!stopped.aborted && isWanted()) {
    for (const one of watched) await heal(one, say);
    if (performance.now() >= nextJobLookMs) {
      nextJobLookMs = performance.now() + JOB_LOOK_EVERY_MS;
      misses = (await isJobMissing(flink, settings.folder)) ? misses + 1 : 0;
      if (misses >= MISSES_MIN) {
        misses = 0;
        await resubmit(settings, say);
      }
    }
    outputs.look();
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  await outputs.done();
}

/** Tells of outputs that were written again, once, beside everything else: Kafka may be away. */
function outputsWatch(settings: ClusterSettings, say: (line: string) => void) {
  let told: ReadonlySet<string> = new Set();
  let nextMs = 0;
  let asking: Promise<void> | undefined;
  async function ask(): Promise<void> {
    const { generation } = await readJobState(settings.folder);
    const all = await writtenAgain(settings.connection, generation);
    const line = sayWrittenAgain(all.filter(({ transactionalId }) => !told.has(transactionalId)));
    if (line !== undefined) say(line);
    told = new Set(all.map(({ transactionalId }) => transactionalId));
  }
  return {
    look(): void {
      if (asking !== undefined || performance.now() < nextMs) return;
      nextMs = performance.now() + OUTPUTS_LOOK_EVERY_MS;
      // A broker that is away answers the next time.
      asking = ask().catch(() => undefined).finally(() => (asking = undefined));
    },
    async done(): Promise<void> {
      await asking;
    },
  };
}

async function heal(watched: Watched, say: (line: string) => void): Promise<void> {
  const { part } = watched;
  const nowMs = performance.now();
  if (part.isAlive) {
    if (watched.isReady || !(await part.isReady())) return;
    say(`${part.name} is ready again`);
    Object.assign(watched, { isReady: true, backOffMs: BACK_OFF_FIRST_MS });
    return;
  }
  if (nowMs < watched.notBeforeMs) return;
  say(`${part.name} is dead: starting it`);
  watched.isReady = false;
  watched.notBeforeMs = nowMs + watched.backOffMs;
  watched.backOffMs = Math.min(watched.backOffMs * 2, BACK_OFF_MAX_MS);
  await part.spawn().catch((error: unknown) => say(`${part.name} could not be started: ${(error as Error).message}`));
}

/** Flink answers and knows no living job of ours. Where it does not answer nothing is known. */
async function isJobMissing(flink: FlinkRest, folder: string): Promise<boolean> {
  const { generation } = await readJobState(folder);
  try {
    return (await livingJob(flink, generation)) === undefined;
  } catch (error) {
    if (error instanceof FlinkError) return false;
    throw error;
  }
}

async function resubmit(settings: ClusterSettings, say: (line: string) => void): Promise<void> {
  const { generation } = await readJobState(settings.folder);
  say("Flink has no job: submitting it from its newest checkpoint");
  try {
    say(`submitted ${await submitJob(settings, { generation })}`);
  } catch (error) {
    say(`the job could not be submitted: ${(error as Error).message}`);
  }
}

if (import.meta.main) {
  const folder = process.argv[2]!;
  const plan = await planAt(folder);
  if (plan === undefined) throw new Error(`there is no plan in ${folder}`);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(name, () => stop.abort());
  const connection = toConnection(plan.kafka.brokers, plan.kafka.properties);
  const settings = { folder, plan, connection };
  const parts = partsOf(settings, (await readJobState(folder)).generation);
  const say = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  // One that was replaced ends by itself: two would start everything twice.
  const isWanted = (): boolean => [undefined, process.pid].includes(parts.supervisor.pid);
  await supervise(settings, parts, { stopped: stop.signal, say, isWanted });
}
