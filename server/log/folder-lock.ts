// One writer per data folder.
//
// Node has no flock, and a file that names a process id outlives a kill -9 and says nothing to another container.
// SQLite, which Node carries, takes the locks of the operating system on every platform; they end with the process.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** Another process holds the folder. */
export class FolderLockedError extends Error {
  override readonly name = "FolderLockedError";
  readonly code = "data_folder_in_use";
}

export interface FolderLock {
  release(): void;
}

/**
 * Takes the folder for this process until `release` or its death, whatever kills it. Creates the folder.
 * Throws FolderLockedError, which names the holder, where it is taken already, also by this process.
 */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const holderFile = join(folder, "holder");
  const database = new DatabaseSync(join(folder, "lock"));
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
    throw new FolderLockedError(
      `${folder} is in use by ${readHolder(holderFile)}. Stop that process, or start this one with another ` +
        "folder (ATTUNE_DATA).",
      { cause },
    );
  }
  nameHolder(holderFile);
  return {
    release() {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

/** The name is only for the message of the refused one, so a full disk may go without it. */
function nameHolder(file: string): void {
  try {
    writeFileSync(file, String(process.pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function readHolder(file: string): string {
  try {
    return `process ${readFileSync(file, "utf8")}`;
  } catch {
    return "another process";
  }
}
