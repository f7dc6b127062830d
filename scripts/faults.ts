// Crash and power tests at length: `npm run faults -- [--kills 200] [--cuts 100] [--unsafe-cuts 5] [--flips 500]
// [--truncations 100] [--io-errors 500] [--slow-s 20] [--overload-s 20]
// [--seed 1]`.
// `npm run faults -- --erasure 1000` searches every byte for persons who were erased instead, and
// `npm run faults -- --cluster-erasure 1000` does so in a cluster, with `--heap` in one that keeps its state on the heap.
// Prints one line a round on a terminal, a table at the end; exits 1 where a promise was broken, or where the negative
// control (no fdatasync) lost nothing, because a rig that cannot fail is no test.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { reporter } from "../cluster/cli/up.ts";
import { clusterMissing } from "../cluster/install/tools.ts";
import { clusterErasureScan } from "../e2e/cluster/erasure.ts";
import { erasureScan } from "../e2e/faults/erasure.ts";
import { fillDisk, smallDiskMissing } from "../e2e/faults/disk-full.ts";
import { ioErrors, slowSyncs } from "../e2e/faults/io-errors.ts";
import { killRounds } from "../e2e/faults/kills.ts";
import type { FaultTally } from "../e2e/faults/ledger.ts";
import { memoryCapMissing, overload, overloadFaults } from "../e2e/faults/overload.ts";
import { powerCuts, powerRigMissing } from "../e2e/faults/power.ts";
import { rot } from "../e2e/faults/rot.ts";
import { attachMissing, straceMissing } from "../e2e/faults/strace.ts";
import { flagsOf, wholeNumber } from "./arguments.ts";

const ROUNDS_A_LIFE = 10;
const MEMORY_BYTES = 512 * 1024 * 1024;

const { values } = flagsOf("faults", {
  options: {
    kills: { type: "string", default: "200" },
    cuts: { type: "string", default: "100" },
    "unsafe-cuts": { type: "string", default: "5" },
    flips: { type: "string", default: "500" },
    truncations: { type: "string", default: "100" },
    "io-errors": { type: "string", default: "500" },
    "slow-s": { type: "string", default: "20" },
    "overload-s": { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    /** Only the erasure scan, of so many persons, a tenth of whom are erased. */
    erasure: { type: "string" },
    /** The same in a cluster. */
    "cluster-erasure": { type: "string" },
    heap: { type: "boolean", default: false },
    folder: { type: "string" },
  },
});
const seed = count(values.seed, "seed");
const folder = values.folder === undefined ? mkdtempSync(join(tmpdir(), "attune-faults-")) : resolve(values.folder);
mkdirSync(folder, { recursive: true });

function count(text: string, name: string): number {
  return wholeNumber(`faults: --${name}`, text);
}

let broken = 0;
const startMs = performance.now();

function report(name: string, tally: FaultTally, isRight: boolean): void {
  if (!isRight) broken++;
  const by = Object.entries(tally.by).sort(([, a], [, b]) => b - a).map(([what, n]) => `${what} ${n}`).join(", ");
  const { rounds, sent, acked, lost, doubled, unknown } = tally;
  process.stdout.write(
    `${isRight ? "ok  " : "FAIL"} ${name}: ${rounds} rounds, ${sent} events sent, ${acked} acknowledged; ` +
      `${lost} lost, ${doubled} counted twice, ${unknown} from nowhere${by === "" ? "" : ` (${by})`}\n`,
  );
}

function progress(name: string, rounds: number): (tally: FaultTally) => void {
  return (tally) => {
    if (!process.stderr.isTTY && tally.rounds % ROUNDS_A_LIFE !== 0) return;
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    const { acked, lost } = tally;
    process.stderr.write(`${name} ${tally.rounds}/${rounds}: ${acked} acknowledged, ${lost} lost, ${seconds} s\n`);
  };
}

const isClean = ({ lost, doubled, unknown }: FaultTally): boolean => lost + doubled + unknown === 0;
const skipped = (name: string, reason: string): boolean => process.stdout.write(`skip ${name}: ${reason}\n`);

function reportErasure(name: string, tally: object, isRight: boolean): never {
  process.stdout.write(`${isRight ? "ok  " : "FAIL"} ${name}: ${JSON.stringify(tally)}\n`);
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  process.exit(isRight ? 0 : 1);
}

if (values.erasure !== undefined) {
  const persons = count(values.erasure, "erasure");
  const tally = await erasureScan({ folder: join(folder, "erasure"), persons, erased: Math.ceil(persons / 10) });
  const { foundBefore, planted, foundAfter, othersLost, fingerprintsAfter, recreated } = tally;
  const isRight = foundBefore === planted && foundAfter + othersLost + fingerprintsAfter + recreated === 0;
  reportErasure("erasure", tally, isRight);
}

if (values["cluster-erasure"] !== undefined) {
  const persons = count(values["cluster-erasure"], "cluster-erasure");
  const missing = clusterMissing();
  if (missing !== undefined) {
    skipped("erasure in the cluster", missing);
    process.exit(0);
  }
  const options = { folder: join(folder, "cluster-erasure"), persons, erased: Math.ceil(persons / 10) };
  const backend = values.heap ? "heap" : "rocksdb";
  const tally = await clusterErasureScan({ ...options, backend, say: reporter() });
  const { foundBefore, planted, foundAfter, othersLost, recreated, differences } = tally;
  const isRight = foundBefore === planted && foundAfter + othersLost + recreated + differences === 0;
  reportErasure("erasure in the cluster", tally, isRight);
}

const kills = count(values.kills, "kills");
if (kills > 0) {
  const noKills = straceMissing();
  if (noKills !== undefined) skipped("kills at system calls", noKills);
  const options = { folder: join(folder, "kills"), rounds: kills, seed, roundsALife: ROUNDS_A_LIFE };
  const tally = await killRounds({ ...options, onRound: progress("kills", kills) });
  report("kill -9", tally, isClean(tally));
}

const cuts = count(values.cuts, "cuts");
const unsafeCuts = count(values["unsafe-cuts"], "unsafe-cuts");
const noPower = powerRigMissing(join(folder, "probe"));
if (noPower !== undefined) skipped("power cuts", noPower);
if (cuts > 0 && noPower === undefined) {
  const options = { folder: join(folder, "power"), cuts, seed, cutsALife: ROUNDS_A_LIFE };
  const tally = await powerCuts({ ...options, onRound: progress("power cuts", cuts) });
  report("power cut", tally, isClean(tally));
}
if (unsafeCuts > 0 && noPower === undefined) {
  const options = { folder: join(folder, "unsafe"), cuts: unsafeCuts, seed, cutsALife: 1, unsafe: true };
  const tally = await powerCuts({ ...options, onRound: progress("cuts without fdatasync", unsafeCuts) });
  report("power cut without fdatasync, which must lose", tally, tally.lost > 0);
}

const [flips, truncations] = [count(values.flips, "flips"), count(values.truncations, "truncations")];
if (flips + truncations > 0) {
  const onRound = progress("rot", flips + truncations);
  const tally = await rot({ folder: join(folder, "rot"), flips, truncations, seed, onRound });
  report("flipped bytes and cut files (lost: wrong values in silence)", tally, isClean(tally));
}

const errors = count(values["io-errors"], "io-errors");
const noStrace = straceMissing();
if (noStrace !== undefined) skipped("failing system calls", noStrace);
else if (errors > 0) {
  const options = { rounds: errors, seed, roundsALife: ROUNDS_A_LIFE, onRound: progress("failing calls", errors) };
  const tally = await ioErrors({ folder: join(folder, "io"), ...options });
  report("failing system calls", tally, isClean(tally));
  const control = await ioErrors({ folder: join(folder, "io-control"), rounds: 3, seed, roundsALife: 1, lying: true });
  report("half of the log cut off, which must lose", control, control.lost > 0);
}

const slowS = count(values["slow-s"], "slow-s");
const noAttach = attachMissing();
if (noAttach !== undefined) skipped("slow syncs", noAttach);
else if (slowS > 0) {
  const tally = await slowSyncs({ folder: join(folder, "slow"), seed, forMs: slowS * 1_000 });
  report("syncs of two seconds", tally, isClean(tally));
}

const overloadS = count(values["overload-s"], "overload-s");
const noCap = memoryCapMissing();
if (noCap !== undefined) skipped("overload", noCap);
else if (overloadS > 0) {
  for (const factor of [5, 10]) {
    const options = { folder: join(folder, `overload-${factor}`), factor, forMs: overloadS * 1_000, seed };
    const tally = await overload({ ...options, memoryBytes: MEMORY_BYTES });
    const faults = overloadFaults(tally, MEMORY_BYTES);
    report(`${factor} times what it takes, in 512 MiB${faults.map((fault) => `; ${fault}`).join("")}`, tally, faults.length === 0);
    const { capacity, offered, taken, healthMsP99, memoryBytesMax, calmAfterMs } = tally;
    const figures = { capacity, offered, taken, healthMsP99, memoryBytesMax, calmAfterMs };
    process.stdout.write(`     ${JSON.stringify(figures, (_, value: unknown) => (typeof value === "number" ? Math.round(value) : value))}\n`);
  }
}

const noSmallDisk = smallDiskMissing(folder);
if (noSmallDisk !== undefined) skipped("full disk", noSmallDisk);
else {
  const tally = await fillDisk({ folder: join(folder, "full"), seed });
  report("full disk", tally, isClean(tally));
}

if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
process.exitCode = broken === 0 ? 0 : 1;
