// kill -9 at random moments and at every kind of write, under load; then a new start, and the books are compared.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally } from "./ledger.ts";
import { settle, startLoad } from "./load.ts";
import { profileFigures, putProgram, readyNode, runCommand, type RunningNode, startNode } from "./node.ts";
import { attachTo, straced, straceMissing } from "./strace.ts";

/**
 * System calls that change the disk or what the sender knows, each with how many of them a round may let pass. strace
 * counts for each thread; a thread of a loaded node makes about a third more in PATIENCE_MS.
 */
const CALLS: readonly (readonly [call: string, passMax: number])[] = [
  ["fdatasync", 30],
  ["pwrite64", 30],
  ["fsync", 3],
  ["rename", 2],
  ["unlink", 3],
  ["writev", 15],
  ["write", 300],
  ["openat", 600],
];
/** A start under strace takes 6 s, so of four rounds three come to a node that runs. */
const FROM_START_OF_4 = 1;
const PERSONS_A_ROUND = 12;
const SENDERS = 3;
const LOAD_MS_MAX = 700;
/** Of ten rounds so many die while they start (recovery must survive its own crash), so many at a random moment. */
const START_KILLS_OF_10 = 2;
const TIME_KILLS_OF_10 = 2;
const START_MS_FACTOR = 2;
/** A call that does not come so often within this time, and while so many events are taken: the round ends with a plain kill. */
const PATIENCE_MS = 1_500;
const PATIENCE_EVENTS = 500;
/** On a machine so busy that they are not: then too. */
const PATIENCE_MS_MAX = 15_000;
const LOOK_MS = 100;

export interface KillOptions {
  folder: string;
  rounds: number;
  seed: number;
  /** After so many rounds log and state are compared whole, and the next ones begin with nothing. */
  roundsALife: number;
  onRound?: (tally: FaultTally) => void;
}

/** Compares the books after every round; asserts at each audit that the state equals a fresh fold of the log. */
export async function killRounds(options: KillOptions): Promise<FaultTally> {
  const rng = rngFrom(options.seed);
  const tally = newTally();
  const hasStrace = straceMissing() === undefined;
  for (let life = 0; tally.rounds < options.rounds; life++) {
    const dataFolder = join(options.folder, `life-${life}`);
    const rounds = Math.min(options.roundsALife, options.rounds - tally.rounds);
    await oneLife({ dataFolder, rounds, rng, tally, hasStrace, onRound: options.onRound });
    rmSync(dataFolder, { recursive: true });
  }
  return tally;
}

interface Life {
  dataFolder: string;
  rounds: number;
  rng: Rng;
  tally: FaultTally;
  hasStrace: boolean;
  onRound: ((tally: FaultTally) => void) | undefined;
}

async function oneLife({ dataFolder, rounds, rng, tally, hasStrace, onRound }: Life): Promise<void> {
  const ledger = new Ledger();
  const before = { ...tally };
  let node = await readyNode({ dataFolder });
  await putProgram(node.url, FAULTS_PROGRAM);
  for (let round = 1; round <= rounds; round++) {
    ledger.newPersons(PERSONS_A_ROUND);
    const by = await killedUnderLoad({ node, dataFolder, ledger, rng, hasStrace });
    tally.by[by] = (tally.by[by] ?? 0) + 1;
    node = await readyNode({ dataFolder });
    await compareState(node.url, ledger, tally);
    await settle(node.url, ledger, rng);
    await compareState(node.url, ledger, tally);
    tally.rounds++;
    tally.sent = before.sent + ledger.sentCount;
    tally.acked = before.acked + ledger.ackedCount;
    onRound?.(tally);
  }
  await node.stop();
  await auditLog(dataFolder, ledger, tally);
}

interface Killing {
  node: RunningNode;
  dataFolder: string;
  ledger: Ledger;
  rng: Rng;
  hasStrace: boolean;
}

/** Leaves no node behind. What ended the last one: `time`, `start`, or the system call. */
async function killedUnderLoad({ node, dataFolder, ledger, rng, hasStrace }: Killing): Promise<string> {
  const kind = rng.between(0, 9);
  const [call, passMax] = CALLS[rng.between(0, CALLS.length - 1)]!;
  const nth = rng.between(1, passMax);
  const fromStart = rng.between(1, 4) <= FROM_START_OF_4;
  const waitMs = rng.between(20, LOAD_MS_MAX);
  if (kind < START_KILLS_OF_10) {
    await node.kill();
    const start = startNode({ dataFolder });
    await Promise.race([setTimeout(waitMs * START_MS_FACTOR), start.ready]);
    await start.kill();
    return "start";
  }
  if (!hasStrace || kind < START_KILLS_OF_10 + TIME_KILLS_OF_10) {
    const load = startLoad(node.url, ledger, rng, SENDERS);
    await Promise.race([setTimeout(waitMs), load.broken]);
    assert.ok(!node.isGone, "nothing but the rig ends the node");
    await node.kill();
    await load.stop();
    return "time";
  }
  if (!fromStart) {
    const trace = await attachTo(node.pid, killAt(call, nth));
    const byCall = await brokenUnder({ node, ledger, rng });
    await trace.gone;
    assert.equal(node.endedBy, "SIGKILL", "nothing but the rig ends the node");
    return byCall ? call : "time";
  }
  await node.kill();
  const start = startNode({ dataFolder, wrap: straced(killAt(call, nth)) });
  const traced = await start.ready;
  if (traced === undefined) {
    assert.equal(start.child.signalCode, "SIGKILL", `the node did not start:\n${start.stderr()}`);
    return call;
  }
  const byCall = await brokenUnder({ node: traced, ledger, rng });
  assert.equal(start.child.signalCode, "SIGKILL", `the node ended by itself:\n${start.stderr()}`);
  return byCall ? call : "time";
}

/** Kills the process as it enters its `nth` such call. Not with --seccomp-bpf: strace 6.1 then injects no signal. */
function killAt(call: string, nth: number): string[] {
  return ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
}

/** Whether the node died of its own call under load; it is killed where that takes too long. */
async function brokenUnder({ node, ledger, rng }: Pick<Killing, "node" | "ledger" | "rng">): Promise<boolean> {
  const before = ledger.ackedCount;
  const isPatient = (waitedMs: number): boolean =>
    waitedMs < PATIENCE_MS || (ledger.ackedCount - before < PATIENCE_EVENTS && waitedMs < PATIENCE_MS_MAX);
  const load = startLoad(node.url, ledger, rng, SENDERS);
  const hasEnded = load.broken.then(() => node.exited).then(() => true);
  let byCall = false;
  for (let waitedMs = 0; !byCall && isPatient(waitedMs); waitedMs += LOOK_MS) {
    byCall = await Promise.race([hasEnded, setTimeout(LOOK_MS, false)]);
  }
  await node.kill();
  await load.stop();
  return byCall;
}

export async function compareState(url: string, ledger: Ledger, tally: FaultTally): Promise<void> {
  // Under load more is promised while profiles are read.
  const promised = ledger.promised();
  const { lost, doubled } = ledger.compareProfiles(await profileFigures(url, ledger.userIds()), promised);
  tally.lost += lost;
  tally.doubled += doubled;
}

/** The log event by event, and every profile against a fresh fold of it. The node must be down. */
export async function auditLog(dataFolder: string, ledger: Ledger, tally: FaultTally): Promise<void> {
  const exported = await runCommand(dataFolder, "export");
  assert.equal(exported.code, 0, exported.output);
  const { lost, doubled, unknown } = ledger.compareExport(exported.output.split("\n").filter((line) => line !== ""));
  tally.lost += lost;
  tally.doubled += doubled;
  tally.unknown += unknown;
  const verified = await runCommand(dataFolder, "verify");
  assert.equal(verified.code, 0, verified.output);
  assert.match(verified.output, /^0 differences$/m);
}
