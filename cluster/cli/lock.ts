// One command at a time changes a cluster. The lock names its process, so that one that was killed locks nothing.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "../parts/identity.ts";

/** Another command works on the cluster. */
export class ClusterBusyError extends Error {
  override readonly name = "ClusterBusyError";
}

const TRIES_MAX = 5;
/** As a shell says it of SIGINT. */
const INTERRUPTED = 130;

/** Takes the lock of a cluster's folder, and gives back what releases it. @throws ClusterBusyError */
export function lockCluster(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(identify(process.pid)));
  try {
    for (let i = 0; i < TRIES_MAX; i++) {
      try {
        // A link appears whole or fails: nobody reads half a name.
        linkSync(draft, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = holderOf(path);
      if (holder !== undefined && isAlive(holder))
        throw new ClusterBusyError(`process ${holder.pid} is working on ${folder}: wait for it, or end it`);
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw new ClusterBusyError(`others keep taking the lock of ${folder}`);
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

function holderOf(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
