// Who a process is: its pid alone is not enough, because the system gives a dead one's number to the next.
import { readFileSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** The machine's boot and the process's start in clock ticks since then: no two processes share both. */
  readonly started: string;
}

const STATE_FIELD = 0;
const THREADS_FIELD = 17;
const START_FIELD = 19;

/** The identity of a running process; undefined where there is none, or only what its parent has not yet fetched. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  const startTicks = runningSince(stat);
  return startTicks === undefined ? undefined : { pid, started: `${bootId()}/${startTicks}` };
}

/**
 * When the process began, by what the system says of it; undefined where it has ended. One that was killed shows its first thread
 * as ended while others still are: until the last is gone its ports are open.
 */
export function runningSince(stat: string): string | undefined {
  // The name in brackets may hold anything, so fields count from the last bracket: state is the first.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isEnded = fields[STATE_FIELD] === "Z" && Number(fields[THREADS_FIELD]) <= 1;
  return isEnded || fields[STATE_FIELD] === "X" ? undefined : fields[START_FIELD];
}

/** Whether this very process still runs. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  return identify(pid)?.started === started;
}

/** Sends a signal to this very process, never to another that got its number. False where it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

let boot: string | undefined;
const bootId = (): string => (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
