// `npm run sim -- [--seeds 1000] [--from 1] [--jobs 2] [--report FILE]`: the embedded host on a simulated machine, seed by
// seed. Exits 1 where a promise was broken, and names the seeds: the same seed breaks it the same way again. A report is
// added to, part by part, so that a long run can be stopped and gone on with; the figures at the end are the whole file's.
// `npm run sim -- --bugs` plants each bug and says which seed finds it.
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { flagsOf, wholeNumber } from "../scripts/arguments.ts";
import { BUGS } from "./bugs.ts";
import { addPart, type Part, partsOf, sumOf, textOf } from "./report.ts";
import { runSeeds } from "./seeds.ts";

/** Seeds of one child process; a fresh one now and then keeps its memory small. */
const SEEDS_A_CHILD = 250;
const SEEDS_TO_FIND_A_BUG = 100;

const { values } = flagsOf("sim", {
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    report: { type: "string" },
    bugs: { type: "boolean", default: false },
  },
});
const [seeds, from, jobs] = (["seeds", "from", "jobs"] as const).map((name) => wholeNumber(`sim: --${name}`, values[name])) as [
  number, number, number,
];

process.exit((values.bugs ? await findBugs() : await run(values.report)) ? 0 : 1);

/** True where every promise held. */
async function run(file: string | undefined): Promise<boolean> {
  const commit = commitNow();
  const parts: Part[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + seeds) {
      const first = next;
      const count = Math.min(SEEDS_A_CHILD, from + seeds - first);
      next += count;
      const part = { from: first, commit, ...(await runSeeds(first, count)) };
      parts.push(part);
      if (file !== undefined) addPart(file, part);
      for (const line of part.broken) process.stdout.write(`${line}\n`);
      if (process.stderr.isTTY) process.stderr.write(`${sumOf(parts).seeds}/${seeds} seeds\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
  const sum = sumOf(file === undefined ? parts : partsOf(file));
  process.stdout.write(textOf(sum));
  return sum.violations === 0;
}

/** True where every planted bug was found. */
async function findBugs(): Promise<boolean> {
  let isAllFound = true;
  for (const [name, { breaks, seed }] of Object.entries(BUGS)) {
    const { broken } = await runSeeds(seed ?? 1, seed === undefined ? SEEDS_TO_FIND_A_BUG : 1, name);
    process.stdout.write(`${name} (${breaks}): ${broken[0] ?? "NOT FOUND"}\n`);
    isAllFound &&= broken.length > 0;
  }
  return isAllFound;
}

function commitNow(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
