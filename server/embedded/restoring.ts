// A mark in a data folder that a restore is filling: without it a restore that was cut short would be a folder like any other,
// with a part of what was accepted.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile, syncFolderOf } from "../disk/durable-file.ts";

const MARK = "restoring";

/** The folder holds a part of a backup. */
export class RestoreUnfinishedError extends Error {
  override readonly name = "RestoreUnfinishedError";
  constructor(folder: string) {
    super(`${folder} is being filled by a restore, or was left by one that was cut short: then remove it, and restore again`);
  }
}

/** Marks the folder, which is made; durable when it returns. */
export function beginRestore(folder: string): void {
  mkdirSync(folder, { recursive: true });
  replaceFile(join(folder, MARK), "");
}

/** From now on the folder can be opened. */
export function endRestore(folder: string): void {
  const mark = join(folder, MARK);
  rmSync(mark);
  syncFolderOf(mark);
}

/** @throws RestoreUnfinishedError */
export function refuseUnfinished(folder: string): void {
  if (existsSync(join(folder, MARK))) throw new RestoreUnfinishedError(folder);
}
