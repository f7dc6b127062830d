// What a run of the simulation says at its end, and a file of parts that several runs add to.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { SimReport } from "./seeds.ts";

/** One child's seeds. */
export interface Part extends SimReport {
  from: number;
  /** Of the code that ran; the seed and it replay a failure. */
  commit: string;
}

const YEAR_MS = 365.25 * 86_400_000;

export function addPart(file: string, part: Part): void {
  appendFileSync(file, `${JSON.stringify(part)}\n`);
}

/** The parts in `file`, of this run and of earlier ones. */
export function partsOf(file: string): Part[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Part);
}

export function sumOf(parts: readonly SimReport[]): SimReport {
  const sum: SimReport = { seeds: 0, violations: 0, events: 0, simulatedMs: 0, cpuMs: 0, faults: {}, broken: [] };
  for (const part of parts) {
    for (const key of ["seeds", "violations", "events", "simulatedMs", "cpuMs"] as const) sum[key] += part[key];
    for (const [kind, times] of Object.entries(part.faults)) sum.faults[kind] = (sum.faults[kind] ?? 0) + times;
    sum.broken.push(...part.broken);
  }
  return sum;
}

/** For people: the sums, then each fault kind with how often it happened. */
export function textOf({ seeds, violations, events, simulatedMs, cpuMs, faults }: SimReport): string {
  const years = (simulatedMs / YEAR_MS).toFixed(2);
  const speed = Math.round(simulatedMs / Math.max(1, cpuMs));
  const head = `${seeds} seeds, ${events} events, ${years} simulated years at ${speed} times real time a core`;
  const kinds = Object.entries(faults).sort(([, a], [, b]) => b - a);
  const lines = kinds.map(([kind, times]) => `  ${kind.replaceAll("_", " ")}: ${times}\n`);
  return `${head}: ${violations} violations\n${lines.join("")}`;
}
