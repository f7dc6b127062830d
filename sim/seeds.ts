// A range of seeds in a process of its own, with a planted bug or without.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface SimReport {
  seeds: number;
  violations: number;
  events: number;
  simulatedMs: number;
  cpuMs: number;
  faults: Record<string, number>;
  /** A line for each broken seed. */
  broken: string[];
}

const RUN = fileURLToPath(new URL("./run.ts", import.meta.url));

/** @throws Error where the process ended without a report. */
export async function runSeeds(first: number, count: number, bug?: string): Promise<SimReport> {
  const env = { ...process.env, ...(bug === undefined ? {} : { ATTUNE_SIM_BUG: bug }) };
  const args = ["--disable-warning=ExperimentalWarning", RUN, String(first), String(count)];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  await new Promise((resolve) => child.once("close", resolve));
  const lines = output.trim().split("\n");
  const last = lines.pop() ?? "";
  if (!last.startsWith("{"))
    throw new Error(`the simulation of seeds ${first} to ${first + count - 1} ended early: ${last}`);
  return { ...(JSON.parse(last) as SimReport), broken: lines.filter((line) => line.startsWith("seed ")) };
}
