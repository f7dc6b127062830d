// The cluster at length: `npm run test:cluster -- [--rounds 1] [--seed 1] [--skip-parity] [--only FAULT,…]`; its short forms are
// tests of the rooms, which `npm test -- cluster` runs. First both hosts on the same events, then each fault many times on one
// cluster: a line each, with counts before and after.
// Exits 1 where a promise was broken, or where the negative control (output at least once) doubled nothing, because a
// rig that cannot fail is no test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterMissing } from "../cluster/testing/servers.ts";
import { type Rng, rngFrom } from "../core/math/rng.ts";
import { type FaultName, faultRounds } from "../e2e/cluster/faults.ts";
import { parityRuns } from "../e2e/cluster/parity-runs.ts";
import { ClusterRig } from "../e2e/cluster/rig.ts";
import { flagsOf, misuse, wholeNumber } from "./arguments.ts";

const HEALED_WITHIN_MS = 60_000;

/** How often each is done; `--rounds 0.1` does a tenth of it. */
const ROUNDS: Readonly<Record<FaultName, number>> = {
  "TaskManager killed": 20,
  "JobManager killed": 10,
  "broker killed": 10,
  "server killed": 20,
  "Redis killed": 10,
  "Redis flushed": 10,
  "checkpoint cut": 5,
  "TaskManager paused": 2,
  "broker paused": 1,
};

const { values } = flagsOf("test:cluster", {
  options: {
    rounds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    "skip-parity": { type: "boolean", default: false },
  },
});
const share = Number(values.rounds);
if (!(share > 0 && share < Infinity)) misuse(`test:cluster: --rounds is "${values.rounds}": a number above 0`);
const only = values.only?.split(",");
const unknown = only?.find((name) => !Object.hasOwn(ROUNDS, name));
if (unknown !== undefined) misuse(`test:cluster: --only "${unknown}" is no fault; one of ${Object.keys(ROUNDS).join(", ")}`);
const seed = wholeNumber("test:cluster: --seed", values.seed);

let broken = 0;

function report(name: string, isRight: boolean, text: string): void {
  if (!isRight) broken++;
  process.stdout.write(`${isRight ? "ok  " : "FAIL"} ${name}: ${text}\n`);
}

/** `npm run bench -- cluster-parity` takes other sizes. */
async function parity(): Promise<void> {
  const sizes = { news: 100_000, generated: 20_000, asked: 500, parallelism: 2 };
  for await (const line of parityRuns(sizes, () => undefined)) {
    if (typeof line === "string") process.stdout.write(`${line}\n`);
    else report(line.name, line.isRight, line.text);
  }
}

async function faults(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "attune-cluster-"));
  const rng = rngFrom(seed);
  const rig = await ClusterRig.start({ folder, rng });
  try {
    for (const [fault, rounds] of Object.entries(ROUNDS) as [FaultName, number][]) {
      if (only !== undefined && !only.includes(fault)) continue;
      try {
        await faultLine(rig, fault, Math.max(1, Math.round(rounds * share)), rng);
      } catch (error) {
        // What does not heal is a broken promise; what comes after it says nothing.
        return report(fault, false, (error as Error).message);
      }
    }
    await auditLine(rig);
    await rig.resubmit({ exactlyOnce: false });
    await faultRounds(rig, "TaskManager killed", { rounds: 1, rng });
    const { doubled } = await rig.audit();
    report("output at least once, which must double", doubled > 0, `${doubled} twice`);
  } finally {
    await rig.stop();
    if (broken === 0) rmSync(folder, { recursive: true, force: true });
    else process.stderr.write(`logs and data stay in ${folder}\n`);
  }
}

async function faultLine(rig: ClusterRig, fault: FaultName, rounds: number, rng: Rng): Promise<void> {
  const before = { sent: rig.ledger.sentCount, acked: rig.ledger.ackedCount };
  const startMs = performance.now();
  const onRound = (round: number, healMs: number): void =>
    void process.stderr.write(`${fault} ${round}/${rounds}: healed in ${seconds(healMs)}\n`);
  const { healMs, sent, acked, lost, doubled } = await faultRounds(rig, fault, { rounds, rng, onRound });
  const sorted = healMs.toSorted((a, b) => a - b);
  const longest = sorted.at(-1)!;
  report(
    fault,
    lost === 0 && doubled === 0 && (fault !== "TaskManager killed" || longest < HEALED_WITHIN_MS),
    `${rounds} rounds, ${sent - before.sent} events sent, ${acked - before.acked} acknowledged; ${lost} lost, ` +
      `${doubled} counted twice; healed in ${seconds(sorted[Math.floor(sorted.length / 2)]!)} (median), ` +
      `${seconds(longest)} (longest); ${seconds(performance.now() - startMs)} in all`,
  );
}

async function auditLine(rig: ClusterRig): Promise<void> {
  const { logged, outputs, missing, missingBetween, doubled } = await rig.audit();
  const unlogged = rig.ledger.ackedIds().filter((id) => !logged.has(id)).length;
  const { differences, persons, records } = await rig.verify();
  const again = await rig.writtenAgain();
  const between = missingBetween === undefined ? "" : ` (logged ${missingBetween.map(clock).join(" to ")})`;
  report(
    "after all of it",
    missing + doubled + unlogged + differences.length === 0,
    `${logged.size} events in the log, ${unlogged} acknowledged ones are not; ${outputs} committed outputs, ` +
      `${missing} missing${between}, ${doubled} twice; ${again.length} transactions taken back and written again, ` +
      `${again.reduce((sum, one) => sum + one.records, 0)} outputs; verify: ${records} records, ${persons} persons, ` +
      `${differences.length} differences`,
  );
}

const clock = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const missing = clusterMissing();
if (missing !== undefined) {
  process.stdout.write(`skip: ${missing}\n`);
} else {
  if (!values["skip-parity"]) await parity();
  await faults();
}
process.exitCode = broken === 0 ? 0 : 1;
