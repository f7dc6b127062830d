// `npm run sim -- [--seeds 1000] [--from 1] [--jobs 2]`: the embedded host on a simulated machine, seed by seed.
// Exits 1 where a promise was broken, and names the seeds: the same seed breaks it the same way again.
import { parseArgs } from "node:util";
import { runSeeds, type SimReport } from "./seeds.ts";

/** Seeds of one child process; a fresh one now and then keeps its memory small. */
const SEEDS_A_CHILD = 500;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
  },
});
const [seeds, from, jobs] = [values.seeds, values.from, values.jobs].map((text) => {
  if (/^\d+$/.test(text)) return Number(text);
  process.stderr.write(`sim: "${text}" is no whole number\n`);
  process.exit(2);
}) as [number, number, number];

const total: SimReport = { seeds: 0, violations: 0, events: 0, simulatedMs: 0, cpuMs: 0, faults: {}, broken: [] };
let next = from;

async function work(): Promise<void> {
  while (next < from + seeds) {
    const first = next;
    const count = Math.min(SEEDS_A_CHILD, from + seeds - first);
    next += count;
    const report = await runSeeds(first, count);
    for (const key of ["seeds", "violations", "events", "simulatedMs", "cpuMs"] as const) total[key] += report[key];
    for (const [kind, times] of Object.entries(report.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + times;
    for (const line of report.broken) process.stdout.write(`${line}\n`);
    if (process.stderr.isTTY) process.stderr.write(`${total.seeds}/${seeds} seeds, ${total.violations} violations\n`);
  }
}

await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
const years = total.simulatedMs / (365.25 * 86_400_000);
const speed = Math.round(total.simulatedMs / Math.max(1, total.cpuMs));
process.stdout.write(
  `${total.seeds} seeds, ${total.events} events, ${years.toFixed(2)} simulated years at ${speed} times real time a core: ` +
    `${total.violations} violations\n`,
);
for (const [kind, times] of Object.entries(total.faults).sort(([, a], [, b]) => b - a)) {
  process.stdout.write(`  ${kind.replaceAll("_", " ")}: ${times}\n`);
}
process.exit(total.violations === 0 ? 0 : 1);
