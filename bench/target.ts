// A server under measurement: started as its own process, measured from outside, ended by pid.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Clock ticks a second in /proc/PID/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

export interface Target {
  readonly name: string;
  readonly url: string;
  /** CPU that the process has used so far, all threads, in microseconds; 10 ms fine. */
  cpuUs(): number;
  rssBytes(): number;
  /** The most memory that it ever held. */
  peakRssBytes(): number;
  stop(): Promise<void>;
}

export function startBare(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "attune-bench-"));
  return start("bare", folder, [join(ROOT, "bench/bare.ts"), join(folder, "bodies")], {});
}

export interface AttuneOptions {
  /** A configuration file. */
  readonly config?: string;
  /** Puts into the data folder what is to be there. */
  readonly prepare?: (folder: string) => Promise<void>;
}

/** The node as a user starts it, on a data folder of its own, without the demo. */
export async function startAttune(
  environment: Record<string, string> = {},
  { config, prepare }: AttuneOptions = {},
): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "attune-bench-"));
  await prepare?.(folder);
  const env = { ATTUNE_PORT: "0", ATTUNE_DATA: folder, ATTUNE_LOG_LEVEL: "error", ...environment };
  return start("attune", folder, [join(ROOT, "server/cli/main.ts"), "start", ...(config === undefined ? [] : ["--config", config])], env);
}

async function start(name: string, folder: string, args: string[], env: Record<string, string>): Promise<Target> {
  // With the flags that the launcher gives every process.
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout! });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const address = / listening on (\S+)$/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    exited.then(([code]) => reject(new Error(`${name} ended with ${code} before it listened`)));
  });
  const proc = (file: string): string => readFileSync(`/proc/${child.pid}/${file}`, "utf8");
  const statusBytes = (field: string): number =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(proc("status"))?.[1] ?? 0) * 1_024;
  return {
    name,
    url,
    cpuUs() {
      const fields = proc("stat").split(") ")[1]!.split(" ");
      return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_S) * 1e6;
    },
    rssBytes: () => statusBytes("VmRSS"),
    peakRssBytes: () => statusBytes("VmHWM"),
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
