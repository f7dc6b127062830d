// `attune cluster up`: brings every part to run, or heals what does not, and waits until events pass through.
import { FlinkError, FlinkRest } from "../jobs/flink-rest.ts";
import { type JobState, lastJob, readJobState } from "../jobs/job-state.ts";
import { ensureJobJar } from "../install/job.ts";
import { hasEarlierSettings, submitJob, untilRunning } from "../jobs/submit.ts";
import type { Lifetime, Part } from "../parts/part.ts";
import { endEarlier } from "./backfill.ts";
import { checkInstallations, withoutPassword } from "./checks.ts";
import { installParts, partsOf, type ClusterParts } from "./cluster-parts.ts";
import { lockCluster, sayInterruption } from "./lock.ts";
import { openDisk } from "./open-disk.ts";
import { type ClusterFlags, type ClusterSettings, resolveCluster, serverUrl } from "./settings.ts";
import { takePlan } from "./take-plan.ts";
import { isLoopback, SettingError } from "../../server/cli/config.ts";
import { openPlanAccess } from "./access.ts";
import { ensureTopics } from "./topics.ts";

/** For a job that does not come to run. */
const HOW_TO_REPLACE =
  '"attune cluster submit" replaces it by one with the settings of the last "up", from its newest checkpoint; with "--from PATH" ' +
  'from another place, with "--backfill" from the log';

/** Says what is going on, on standard error, with the seconds since the start. */
export function reporter(): (line: string) => void {
  const startMs = performance.now();
  return (line) => {
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1).padStart(5);
    process.stderr.write(`attune ${seconds} s  ${line}\n`);
  };
}

export async function upCommand(flags: ClusterFlags): Promise<number> {
  const settings = await resolveCluster(flags);
  const unlock = lockCluster(settings.folder);
  sayInterruption(unlock);
  const { supervisor } = partsOf(settings, (await readJobState(settings.folder)).generation);
  let isWanted = supervisor.isAlive;
  try {
    await bringUp(settings, reporter());
    isWanted = true;
  } finally {
    // What ran before goes on where this failed, and as well watched over.
    if (isWanted) await supervisor.start();
    unlock();
  }
  process.stdout.write(addresses(settings));
  return 0;
}

/** Everything but the supervisor. Parts that live as long as the `caller` are for tests. */
export async function bringUp(
  settings: ClusterSettings,
  report: (line: string) => void,
  lifetime: Lifetime = "own",
): Promise<ClusterParts> {
  const { folder, plan, connection } = settings;
  await installParts(plan, report);
  const { generation } = await readJobState(folder);
  const parts = partsOf(settings, generation, lifetime);
  // What it would start meanwhile, we start.
  await parts.supervisor.stop();
  await takePlan(settings, generation, report);
  for (const part of parts.installations) await renew(part, report);
  for (const part of parts.installations) if (await part.spawn()) report(`starting ${part.name}`);
  // Built while the servers start.
  const [jar] = await Promise.all([ensureJobJar(), ...parts.installations.map((part) => part.waitUntilReady())]);
  report("Kafka, Redis and Flink are ready");
  await ensureTopics(settings, generation);
  await checkInstallations(plan, connection, "own");
  report("topics and settings are right");
  const open = openDisk(settings);
  if (open !== undefined) report(open);
  await refuseOpenServers(settings);
  // The first one writes the program that the job waits for, and the demo's catalogue, which the others then find.
  const [first] = parts.servers;
  for (const server of parts.servers) await renew(server, report);
  if (first !== undefined) {
    if (await first.spawn()) report(`starting ${first.name}`);
    await first.waitUntilReady();
  }
  for (const part of parts.servers) if (await part.spawn()) report(`starting ${part.name}`);
  await untilRunning(new FlinkRest(plan.flink.url), await submitJob(settings, { generation })).catch((error: Error) => {
    throw new FlinkError(`${error.message}\n${HOW_TO_REPLACE}`, { cause: error });
  });
  const state = await readJobState(folder);
  const { hash } = lastJob(state, generation) ?? {};
  if (hash !== undefined && hash !== jar.hash)
    report('the job runs from earlier sources: "attune cluster submit" replaces it, without a gap');
  const earlier = sayEarlierSettings(settings, state);
  if (earlier !== undefined) report(earlier);
  report("the job runs");
  await Promise.all(parts.servers.map((part) => part.waitUntilReady()));
  await endEarlier(settings, report);
  return parts;
}

/** Where the job that runs has other settings than the plan, what takes those over. */
export function sayEarlierSettings(settings: ClusterSettings, state: JobState): string | undefined {
  if (!hasEarlierSettings(settings, state)) return undefined;
  return 'the job runs with earlier settings (parallelism, checkpoints, projects, a password …): "attune cluster submit" takes over those of the last "up"';
}

/** One that runs with settings of before is started again with those of now: one after the other, so that the others answer. */
async function renew(part: Part, report: (line: string) => void): Promise<void> {
  if (!part.isAlive || part.hasSettings) return;
  report(`${part.name} runs with earlier settings: starting it again`);
  await part.stop();
  await part.start();
}

/**
 * Servers without keys that others can reach would refuse to start: said here, where it is read, with the command that
 * helps. @throws SettingError
 */
export async function refuseOpenServers(settings: ClusterSettings): Promise<void> {
  const { servers } = settings.plan;
  if (isLoopback(servers.host) || servers.settings?.oidc !== undefined) return;
  const access = await openPlanAccess(settings);
  const isOpen = access.keys.isEmpty;
  await access.close();
  if (!isOpen) return;
  throw new SettingError(
    `--host is "${servers.host}", which others can reach, and the cluster has no keys. Kafka runs: ` +
      'attune cluster keys create --role admin, then "attune cluster up" again; or bind 127.0.0.1',
  );
}

function addresses({ folder, plan }: ClusterSettings): string {
  const { ports } = plan.servers;
  const rows = [
    ...ports.map((port, i) => [`server-${i + 1}`, serverUrl(plan.servers, port)]),
    ["kafka", plan.kafka.brokers.join(",")],
    ["flink", plan.flink.url],
    ["redis", withoutPassword(plan.redis.url)],
    ["data", folder],
  ];
  return `the cluster is up\n${rows.map(([name, address]) => `  ${name!.padEnd(10)} ${address}\n`).join("")}`;
}
