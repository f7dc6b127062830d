// Puts a plan in force in the place of the one before: what it names must answer first, and what it no longer has ends, so that
// no process is left that no command knows.
import { SettingError } from "../../server/cli/config.ts";
import type { Part } from "../parts/part.ts";
import { checkInstallations } from "./checks.ts";
import { type ClusterParts, partsOf } from "./cluster-parts.ts";
import { type ClusterSettings, planAt, writePlan } from "./settings.ts";

/**
 * Writes the plan. Whoever calls has stopped the supervisor, which would start again what ends here.
 * @throws CheckError where an installation of others does not answer or is not set up as it must be, and SettingError where our
 *   own Flink runs that the plan no longer has: nothing has changed then.
 */
export async function takePlan(
  settings: ClusterSettings,
  generation: number,
  report: (line: string) => void,
): Promise<void> {
  const { folder, plan, connection } = settings;
  const before = await planAt(folder);
  const gone = before === undefined ? [] : runningBeside(partsOf({ ...settings, plan: before }, generation), partsOf(settings, generation));
  // Its job would be cut off, and the other Flink's would begin from an older checkpoint.
  if (gone.some(({ name }) => name === "jobmanager"))
    throw new SettingError(`--flink names another Flink, and the cluster's own runs: "attune cluster down" first`);
  await checkInstallations(plan, connection, "others");
  for (const part of gone) {
    report(`stopping ${part.name}, which the cluster no longer has`);
    await part.stop();
  }
  await writePlan(settings);
}

function runningBeside(before: ClusterParts, now: ClusterParts): Part[] {
  const kept = new Set([...now.servers, ...now.installations].map(({ name }) => name));
  // Servers first, so that what they accepted is in Kafka.
  return [...before.servers, ...before.installations].filter(({ name, isAlive }) => isAlive && !kept.has(name));
}
