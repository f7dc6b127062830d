// One command at a time changes a cluster.
import { join } from "node:path";
import { FolderLockedError, lockFolder } from "../../server/disk/folder-lock.ts";

/** Another command works on the cluster. */
export class ClusterBusyError extends Error {
  override readonly name = "ClusterBusyError";
}

/** As a shell says it of SIGINT. */
const INTERRUPTED = 130;

/**
 * Takes the lock of a cluster's folder, and gives back what releases it; it ends with the process too. @throws ClusterBusyError
 * and FolderUnusableError.
 */
export function lockCluster(folder: string): () => void {
  try {
    const lock = lockFolder(join(folder, "command"));
    return () => lock.release();
  } catch (cause) {
    if (!(cause instanceof FolderLockedError)) throw cause;
    throw new ClusterBusyError(`${cause.holder} is working on ${folder}: wait for it, or end it`, { cause });
  }
}

/** For commands that take a while: an interruption says what to do next, instead of leaving a cluster without a word. */
export function sayInterruption(unlock: () => void): void {
  const onInterrupt = (): void => {
    process.stderr.write('attune: interrupted; what runs goes on: "attune cluster up" brings it to an end, or "… down"\n');
    unlock();
    process.exit(INTERRUPTED);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, onInterrupt);
}
