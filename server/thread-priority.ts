// Worker threads that share the machine's cores with the thread that serves.
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

const NICENESS = 10; // A tenth of the weight of a thread that has not asked for less.

/**
 * Lets every thread of usual priority go before the one that calls this. Where threads cannot be told apart (anywhere but
 * on Linux) nothing changes.
 */
export function letOthersGoFirst(): void {
  if (process.platform !== "linux") return;
  // PID/task/TID of whoever reads it; to Linux a thread's id is as good as a process's.
  const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  setPriority(thread, NICENESS);
}
