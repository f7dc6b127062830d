// Whether something is there: `existsSync` says no as well where it may not look.
import { statSync } from "node:fs";

/** @throws the system's error where it cannot be told (no permission): whoever may not look is not to hear "there is none". */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}
