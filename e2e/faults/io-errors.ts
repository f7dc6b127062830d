// System calls that fail: strace answers the n-th write, sync, open, rename … of the node with an error, while it starts or
// under load. The node may refuse or end; what it acknowledged must be there when the disk is well again.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { auditLog, compareState } from "./kills.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally } from "./ledger.ts";
import { settle, startLoad } from "./load.ts";
import { postEvents, putProgram, readyNode, type RunningNode, startNode } from "./node.ts";
import { attachTo, straced } from "./strace.ts";

/** Each with how many a round may let pass before one fails; strace counts for each thread. Where none fails, it is no round. */
const CALLS: readonly (readonly [call: string, passMax: number])[] = [
  ["pwrite64", 30],
  ["fdatasync", 4],
  ["fsync", 3],
  ["ftruncate", 2],
  ["rename", 2],
  ["unlink", 3],
  ["writev", 15],
  ["openat", 400],
  ["mkdir", 3],
];
const ERRORS = ["EIO", "ENOSPC", "EDQUOT"] as const;
const PERSONS_A_ROUND = 12;
const SENDERS = 3;
const LOAD_MS = 500;
const START_MS_MAX = 60_000;
/** In a row: then strace injects nothing here. */
const MISSED_MAX = 25;

export interface IoErrorOptions {
  folder: string;
  rounds: number;
  seed: number;
  /** After so many rounds log and state are compared whole, and the next ones begin with nothing. */
  roundsALife: number;
  /** The negative control: half of the log is cut off before the node comes back, so the rig must find losses. */
  lying?: boolean;
  onRound?: (tally: FaultTally) => void;
}

export async function ioErrors(options: IoErrorOptions): Promise<FaultTally> {
  const rng = rngFrom(options.seed);
  const tally = newTally();
  for (let life = 0; tally.rounds < options.rounds; life++) {
    const dataFolder = join(options.folder, `life-${life}`);
    const rounds = Math.min(options.roundsALife, options.rounds - tally.rounds);
    await oneLife({ dataFolder, rounds, rng, tally, lying: options.lying === true, onRound: options.onRound });
    rmSync(dataFolder, { recursive: true });
  }
  return tally;
}

interface Life {
  dataFolder: string;
  rounds: number;
  rng: Rng;
  tally: FaultTally;
  lying: boolean;
  onRound: ((tally: FaultTally) => void) | undefined;
}

async function oneLife({ dataFolder, rounds, rng, tally, lying, onRound }: Life): Promise<void> {
  const ledger = new Ledger();
  const before = { ...tally };
  let node = await readyNode({ dataFolder });
  await putProgram(node.url, FAULTS_PROGRAM);
  for (let [round, missed] = [1, 0]; round <= rounds; ) {
    ledger.newPersons(PERSONS_A_ROUND);
    await node.stop();
    const { what, hasFailed } = await underErrors({ dataFolder, ledger, rng });
    if (lying) cutNewestSegment(dataFolder);
    tally.by[what] = (tally.by[what] ?? 0) + 1;
    missed = hasFailed ? 0 : missed + 1;
    assert.ok(missed < MISSED_MAX, "strace makes no call of the node fail");
    node = await readyNode({ dataFolder });
    await compareState(node.url, ledger, tally);
    if (!lying) {
      await settle(node.url, ledger, rng);
      await compareState(node.url, ledger, tally);
    }
    tally.sent = before.sent + ledger.sentCount;
    tally.acked = before.acked + ledger.ackedCount;
    if (!hasFailed) continue;
    round++;
    tally.rounds++;
    onRound?.(tally);
  }
  await node.stop();
  if (!lying) await auditLog(dataFolder, ledger, tally);
}

interface Erring {
  dataFolder: string;
  ledger: Ledger;
  rng: Rng;
}

function cutNewestSegment(dataFolder: string): void {
  const folder = join(dataFolder, "projects/default/log");
  const newest = readdirSync(folder).filter((name) => name.endsWith(".seg")).sort().at(-1)!;
  const path = join(folder, newest);
  truncateSync(path, Math.floor(statSync(path).size / 2));
  // The state holds what the log has lost.
  rmSync(join(dataFolder, "projects/default/state"), { recursive: true });
}

interface Erred {
  /** Which call was to fail, and what the node did about it. */
  what: string;
  /** Whether one did. */
  hasFailed: boolean;
}

/** Leaves no node behind. */
async function underErrors({ dataFolder, ledger, rng }: Erring): Promise<Erred> {
  const [call, passMax] = CALLS[rng.between(0, CALLS.length - 1)]!;
  const error = ERRORS[rng.between(0, ERRORS.length - 1)]!;
  const nth = rng.between(1, passMax);
  // Half of the disks are broken from then on, half only once.
  const when = rng.between(0, 1) === 0 ? `${nth}` : `${nth}+`;
  const trace = `${dataFolder}.trace`;
  const options = ["-o", trace, "-e", `trace=${call}`, "-e", `inject=${call}:error=${error}:when=${when}`];
  const traced = await startedUnder(dataFolder, options, call);
  const hasFailed = (): boolean => readFileSync(trace, "utf8").includes("(INJECTED)");
  if (traced === undefined) {
    assert.ok(hasFailed(), "a node starts where nothing fails");
    return { what: `${call}: did not start`, hasFailed: true };
  }
  const load = startLoad(traced.url, ledger, rng, SENDERS);
  await Promise.race([setTimeout(LOAD_MS), load.broken]);
  const hasEnded = traced.isGone;
  await traced.kill();
  await load.stop();
  if (!hasFailed()) return { what: `${call}: did not come`, hasFailed: false };
  const refused = [...load.refusals.keys()].sort().join(" and ");
  return { what: `${call}: ${hasEnded ? "ended" : refused === "" ? "went on" : `refused with ${refused}`}`, hasFailed: true };
}

/** Undefined: the node did not start, and said so. */
async function startedUnder(dataFolder: string, options: readonly string[], call: string): Promise<RunningNode | undefined> {
  const start = startNode({ dataFolder, wrap: straced(options) });
  const traced = await Promise.race([start.ready, setTimeout(START_MS_MAX, "late" as const, { ref: false })]);
  assert.ok(traced !== "late", `a failing ${call} must not keep a start hanging:\n${start.stderr()}`);
  if (traced === undefined) assert.notEqual(start.child.exitCode, 0, "a node that did not start says so");
  return traced;
}

/** The whole disk takes two seconds for each write of the log: reads go on, senders are told to wait, nothing is lost. */
export async function slowSyncs(options: { folder: string; seed: number; forMs: number }): Promise<FaultTally> {
  const rng = rngFrom(options.seed);
  const ledger = new Ledger();
  const tally = newTally();
  ledger.newPersons(PERSONS_A_ROUND);
  const node = await readyNode({ dataFolder: options.folder });
  await putProgram(node.url, FAULTS_PROGRAM);
  await settleSome(node, ledger, rng);
  const slow = await attachTo(node.pid, [
    ...["-e", "trace=pwrite64,fdatasync,fsync", "-e", "inject=pwrite64,fdatasync,fsync:delay_exit=2000000"],
  ]);
  const load = startLoad(node.url, ledger, rng, SENDERS);
  const endMs = performance.now() + options.forMs;
  const [user] = ledger.userIds();
  while (performance.now() < endMs) {
    const startMs = performance.now();
    const answer = await fetch(`${node.url}/v1/recommendations?user_id=${user}`);
    assert.equal(answer.status, 200, "reads go on while the disk is slow");
    await answer.arrayBuffer();
    tally.rounds++;
    const took = performance.now() - startMs;
    const bucket = took < 100 ? "reads under 100 ms" : took < 1_000 ? "reads under 1 s" : "reads over 1 s";
    tally.by[bucket] = (tally.by[bucket] ?? 0) + 1;
    await setTimeout(20);
  }
  await slow.end();
  await load.stop();
  const sinceMs = performance.now();
  ledger.newPersons(1);
  assert.notEqual(await postEvents(node.url, ledger.newEvents(rng, 1)), "gone");
  tally.by["ms until an event is answered again"] = Math.round(performance.now() - sinceMs);
  for (const [status, count] of load.refusals) tally.by[`refused with ${status}`] = count;
  await settle(node.url, ledger, rng);
  await compareState(node.url, ledger, tally);
  await node.stop();
  await auditLog(options.folder, ledger, tally);
  return { ...tally, sent: ledger.sentCount, acked: ledger.ackedCount };
}

async function settleSome(node: RunningNode, ledger: Ledger, rng: Rng): Promise<void> {
  ledger.newEvents(rng, 50);
  await settle(node.url, ledger, rng);
}
