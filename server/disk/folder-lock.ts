// One holder per folder: who writes its data, or changes its cluster.
//
// Node has no flock, and a file that names a process id outlives a kill -9 and says nothing to another container.
// SQLite, which Node carries, takes the locks of the operating system on every platform; they end with the process.
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** Another process holds the folder. */
export class FolderLockedError extends Error {
  override readonly name = "FolderLockedError";
  readonly code = "data_folder_in_use";
  /** Who, as far as is known: "process 4711". */
  readonly holder: string;
  constructor(folder: string, holder: string, cause: Error) {
    super(
      `${folder} is in use by ${holder}. Stop that process, or start this one with another folder (ATTUNE_DATA).`,
      { cause },
    );
    this.holder = holder;
  }
}

/** The folder cannot be made, or nothing can be written there. */
export class FolderUnusableError extends Error {
  override readonly name = "FolderUnusableError";
  constructor(folder: string, cause: Error) {
    super(`${folder} cannot hold data: ${cause.message}. Name another folder (ATTUNE_DATA), or make this one writable.`, { cause });
  }
}

export interface FolderLock {
  release(): void;
}

/**
 * Takes the folder for this process until `release` or its death, whatever kills it. Creates the folder.
 * Throws FolderLockedError, which names the holder, where it is taken already, also by this process, and FolderUnusableError
 * where the folder is a file, on a read-only or a full disk, or somebody else's.
 */
export function lockFolder(folder: string): FolderLock {
  const holderFile = join(folder, "holder");
  const database = openDatabase(folder);
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw new FolderUnusableError(folder, cause as Error);
    throw new FolderLockedError(folder, readHolder(holderFile), cause as Error);
  }
  nameHolder(holderFile);
  return {
    release() {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function openDatabase(folder: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // SQLite would say only that it cannot open its file.
    accessSync(folder, constants.W_OK);
    return new DatabaseSync(join(folder, "lock"));
  } catch (cause) {
    throw new FolderUnusableError(folder, cause as Error);
  }
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
