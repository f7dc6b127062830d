// Runs a range of seeds in this process: `run.ts FIRST COUNT`. Prints each violation with its seed, then one line of JSON.
import "./hooks.ts";
import type { FaultCounts, FaultKind } from "./disk.ts";

const [first, count] = process.argv.slice(2).map(Number) as [number, number];
const { runSeed } = await import("./scenario.ts");
const faults: FaultCounts = {};
const report = { seeds: 0, violations: 0, events: 0, simulatedMs: 0, cpuMs: 0, faults };
for (let seed = first; seed < first + count; seed++) {
  const outcome = await runSeed(seed);
  report.seeds++;
  report.events += outcome.events;
  report.simulatedMs += outcome.simulatedMs;
  for (const [kind, times] of Object.entries(outcome.faults) as [FaultKind, number][]) {
    faults[kind] = (faults[kind] ?? 0) + times;
  }
  if (outcome.violation === undefined) continue;
  report.violations++;
  process.stdout.write(`seed ${seed}: ${outcome.violation}\n`);
}
const { user, system } = process.cpuUsage();
report.cpuMs = Math.round((user + system) / 1_000);
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(report.violations === 0 ? 0 : 1);
