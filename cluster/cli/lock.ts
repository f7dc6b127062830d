// One command at a time changes a cluster. The lock names its process, so that one that was killed locks nothing.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "../parts/identity.ts";

/** Another command works on the cluster. */
export class ClusterBusyError extends Error {
  override readonly name = "ClusterBusyError";
}

const TRIES_MAX = 5;

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

function holderOf(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
