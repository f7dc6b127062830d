// Opens the data folder for one command.
import { setFlagsFromString } from "node:v8";
import { newsProgram } from "../../core/program/news.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { isThere } from "../disk/is-there.ts";
import { openHost, projectFolder, type EmbeddedHost, type HostOptions } from "../embedded/host.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import type { StateFault } from "../state/state-file.ts";
import { readSettings, retentionOf, SettingError, type NodeSettings, type SettingFlags } from "./config.ts";
import { environmentOf } from "./environment.ts";
import { UsageError } from "./usage.ts";

export const DEFAULT_PROJECT = "default";
/** The demo's newsroom, beside the shop in `default`. */
export const NEWS_PROJECT = "news";
/** What is said where the state is of an earlier form (open, or closed page by page) or damaged. */
export const REBUILT = "the state cannot be used as it is: it is built anew from the log, nothing is lost";
const PROGRAMS = { shop: shopProgram, news: newsProgram };

export type HostReports = Pick<HostOptions, "onFault" | "onClockAhead" | "onOwnAct" | "onStateRebuilt" | "onCheckpointFailed" | "onErasureFailed" | "onRetentionFailed">;

/** Opens `default` and every project that the settings name. */
export function openSettingsHost(settings: NodeSettings, reports: HostReports & Pick<HostOptions, "isBatch"> = {}): Promise<EmbeddedHost> {
  // Young objects are collected by this thread alone: helpers wait for each other longer than they help (a sixteenth of
  // the CPU of an event on two cores), and pauses are as short without them.
  setFlagsFromString("--no-parallel-scavenge");
  const named = { [DEFAULT_PROJECT]: "shop", ...settings.projects };
  const environment = environmentOf();
  return openHost({
    ...reports,
    dataFolder: settings.data,
    projects: programsOf(named),
    now: Date.now,
    retention: retentionOf(settings),
    ...encryptionOf(environment),
    ...(environment["ATTUNE_UNSAFE_NO_FSYNC"] === "1" ? { sync: "none" as const } : {}),
    ...(settings.personsCachedMax === undefined ? {} : { personsCachedMax: settings.personsCachedMax }),
    ...(settings.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: settings.checkpointEveryMs }),
  });
}

/** Off only by an explicit word. `all` is from when `on` closed the log alone. */
function encryptionOf(environment: ReturnType<typeof environmentOf>): Pick<HostOptions, "encryption"> {
  const said = environment["ATTUNE_ENCRYPTION"] ?? "on";
  if (!["on", "all", "off"].includes(said)) throw new SettingError(`ATTUNE_ENCRYPTION is "${said}": on or off`);
  if (said === "off") return {};
  return { encryption: { kekFolder: environment["ATTUNE_KEK_FOLDER"] } };
}

/** Projects with the programs that they start with, by their names. */
export function programsOf(named: Readonly<Record<string, string>>): Record<string, unknown> {
  const projects = Object.entries(named).map(([name, program]): [string, unknown] => {
    if (program in PROGRAMS) return [name, PROGRAMS[program as keyof typeof PROGRAMS]];
    throw new SettingError(`project "${name}" starts with "${program}": one of ${Object.keys(PROGRAMS).join(", ")}`);
  });
  return Object.fromEntries(projects);
}

export interface ProjectFlags extends SettingFlags {
  project?: string | undefined;
  /** What a project that does not exist yet starts with. */
  program?: string | undefined;
}

/** The flags of every command that works on one project's data folder. */
export const PROJECT_FLAGS = {
  project: { type: "string" },
  program: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
} as const;

/**
 * Runs a command on one project of the data folder, which no other process may hold, and closes it.
 * @param isMade - a project that is not there yet is made; otherwise it is a UsageError.
 */
export async function withProject(
  flags: ProjectFlags,
  { isMade }: { isMade: boolean },
  command: (project: EmbeddedProject) => Promise<number>,
): Promise<number> {
  // A batch makes garbage faster than anything else and keeps little: let the heap follow what is alive more closely.
  setFlagsFromString("--heap-growing-percent=50");
  const settings = await readSettings(flags, process.env);
  const name = flags.project ?? DEFAULT_PROJECT;
  if (!isMade && !isThere(projectFolder(settings.data, name))) {
    throw new UsageError(`there is no project "${name}" in ${settings.data}: name another folder with --data, or project with --project`);
  }
  const program = flags.program ?? settings.projects?.[name] ?? (name === NEWS_PROJECT ? "news" : "shop");
  const onStateRebuilt = (fault: StateFault): void => console.error(`${REBUILT} (${fault})`);
  const host = await openSettingsHost({ ...settings, projects: { [name]: program } }, { onStateRebuilt, isBatch: true });
  try {
    return await command(host.projects.get(name)!);
  } finally {
    await host.close();
  }
}
