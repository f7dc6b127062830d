// What the embedded host makes of a log of the cluster, for tests.
import type { Fold } from "../../../server/embedded/fold.ts";
import { openProject, START_MS, testFolder } from "../../../server/embedded/testing.ts";
import { applyLog } from "./log-reference.ts";

export { differences, type LogEntry, type ProgramInForce } from "./log-reference.ts";

type Applied = Parameters<typeof applyLog>;

/** The embedded host's fold of the log (`applyLog`). The first program must be in force from START_MS on. */
export async function foldOfLog(entries: Applied[1], programs: Applied[2], decisions?: Applied[3]): Promise<Fold> {
  const project = await openProject(testFolder(), { nowMs: START_MS }, { firstProgram: programs[0]!.document });
  applyLog(project.fold, entries, programs, decisions);
  return project.fold;
}
