// strace, which makes system calls of a node fail, wait, or end it.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** The kernel stops the node at traced calls alone: without, a start takes twice as long. */
const FROM_START = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"] as const;

/** Why strace cannot be used here; undefined where it can. */
export function straceMissing(): string | undefined {
  const [command, ...args] = FROM_START;
  const done = spawnSync(command, [...args, "true"], { stdio: "ignore" });
  if (done.error !== undefined) return "strace is not installed (apt-get install strace)";
  return done.status === 0 ? undefined : "strace is not allowed to trace here";
}

/** Why strace cannot attach to a process that runs; undefined where it can. */
export function attachMissing(): string | undefined {
  const done = spawnSync("sh", ["-c", "sleep 2 & exec timeout 1 strace -qq -o /dev/null -p $!"], { encoding: "utf8" });
  if (done.error !== undefined) return "no shell";
  return done.status === 124 ? undefined : `strace cannot attach here: ${done.stderr.trim()}`;
}

/** What runs the node from its start on; `options` say what to trace and what to inject. */
export function straced(options: readonly string[]): string[] {
  return [...FROM_START, ...options];
}

export interface Trace {
  /** Lets the process go on alone. */
  end(): Promise<void>;
  /** Resolves when the process, and strace with it, has ended. */
  readonly gone: Promise<void>;
}

/** Resolves when strace has all threads of the process. */
export async function attachTo(pid: number, options: readonly string[]): Promise<Trace> {
  const child = spawn("strace", ["-f", "-o", "/dev/null", ...options, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on("line", (line) => line.includes(" attached") && resolve());
    void gone.then(() => reject(new Error(`strace did not attach to ${pid}`)));
  });
  return {
    gone,
    async end() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}
