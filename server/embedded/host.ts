// The embedded host: all projects of one data folder in this process, and nobody else's.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { lockFolder } from "../disk/folder-lock.ts";
import { openVault } from "../vault/vault.ts";
import type { ProjectOptions } from "./opening.ts";
import { checkProjectName } from "./project-name.ts";
import { EmbeddedProject } from "./project.ts";
import { refuseUnfinished } from "./restoring.ts";

export interface HostOptions extends Omit<ProjectOptions, "folder" | "name" | "firstProgram" | "vault"> {
  dataFolder: string;
  /** Projects to be opened, each with the program it starts with. */
  projects: Readonly<Record<string, unknown>>;
  /** Logs and what is derived from them are closed with keys of a vault. Without it new segments are open. */
  encryption?: { kekFolder: string | undefined } | undefined;
}

export interface EmbeddedHost {
  readonly projects: ReadonlyMap<string, EmbeddedProject>;
  /** Writes what waits, takes last checkpoints and lets go of the folder. */
  close(): Promise<void>;
}

/** Opens every project. Throws FolderLockedError where another process has the folder, RestoreUnfinishedError of a part of a backup. */
export async function openHost(options: HostOptions): Promise<EmbeddedHost> {
  const { dataFolder, projects: programs, encryption, ...projectOptions } = options;
  refuseUnfinished(dataFolder);
  const lock = lockFolder(dataFolder);
  const projects = new Map<string, EmbeddedProject>();
  const close = async (): Promise<void> => {
    for (const project of projects.values()) await project.close();
    lock.release();
  };
  try {
    const vault = encryption === undefined ? undefined : openVault({ dataFolder, kekFolder: encryption.kekFolder });
    for (const [name, firstProgram] of Object.entries(programs)) {
      checkProjectName(name);
      const folder = projectFolder(dataFolder, name);
      projects.set(name, await EmbeddedProject.open({ ...projectOptions, folder, name, firstProgram, vault }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { projects, close };
}

/** Projects that the folder holds besides those of `named`. */
export function otherProjects(dataFolder: string, named: ReadonlyMap<string, unknown>): string[] {
  const folder = join(dataFolder, "projects");
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => name).filter((name) => !named.has(name)).sort();
}

export function projectFolder(dataFolder: string, name: string): string {
  return join(dataFolder, "projects", name);
}
