// How long the state file is, noted beside it after each checkpoint. LMDB reads the file as memory: what a cut file lacks
// kills the process that reads it, at each start again. The file never shrinks by itself, so a shorter one was cut.
import { readFileSync, statSync, writeFileSync } from "node:fs";

const noteOf = (path: string): string => `${path}.size`;

/** Not synced: a note that a crash takes back is smaller than the file, and says nothing. */
export function noteSize(path: string): void {
  writeFileSync(noteOf(path), String(statSync(path).size));
}

/** True where the file was longer once. */
export function isCutOff(path: string): boolean {
  try {
    return statSync(path).size < Number(readFileSync(noteOf(path), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
