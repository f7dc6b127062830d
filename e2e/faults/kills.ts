// kill -9 at random moments and at every kind of write, under load; then a new start, and the books are compared.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { FAULTS_PROGRAM, Ledger } from "./ledger.ts";
import { settle, startLoad } from "./load.ts";
import { profileFigures, putProgram, readyNode, runCommand, startNode } from "./node.ts";

/** System calls that change what is on disk or what the sender knows, each with how many of them a round may let pass. */
const CALLS: readonly (readonly [call: string, passMax: number])[] = [
  ["fdatasync", 120],
  ["fsync", 12],
  ["pwrite64", 150],
  ["pwritev", 20],
  ["write", 400],
  ["writev", 200],
  ["rename", 6],
  ["ftruncate", 4],
  ["unlink", 8],
  ["openat", 900],
];
const PERSONS_A_ROUND = 12;
const SENDERS = 3;
const LOAD_MS_MAX = 700;
/** A round in five dies while it starts: recovery must survive its own crash. */
const START_KILLS_IN = 5;
const START_MS_MAX = 900;
/** A call that does not come so often within this time: the round ends with a plain kill. */
const PATIENCE_MS = 2_500;

export interface FaultTally {
  rounds: number;
  sent: number;
  acked: number;
  lost: number;
  doubled: number;
  /** Events in the log that nobody sent. */
  unknown: number;
  /** Rounds by what ended them. */
  readonly by: Record<string, number>;
}

export interface KillOptions {
  dataFolder: string;
  rounds: number;
  seed: number;
  /** Log and state are compared whole after so many rounds, and at the end. */
  auditEvery: number;
  onRound?: (tally: FaultTally) => void;
}

/** Why strace cannot be used here; undefined where it can. */
export function straceMissing(): string | undefined {
  const done = spawnSync("strace", ["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "true"], { stdio: "ignore" });
  if (done.error !== undefined) return "strace is not installed (apt-get install strace)";
  return done.status === 0 ? undefined : "strace is not allowed to trace here";
}

/** Asserts after every round that nothing acknowledged is lost and nothing counted twice. */
export async function killRounds(options: KillOptions): Promise<FaultTally> {
  const { dataFolder, rounds, seed, auditEvery } = options;
  const rng = rngFrom(seed);
  const ledger = new Ledger();
  const tally: FaultTally = { rounds: 0, sent: 0, acked: 0, lost: 0, doubled: 0, unknown: 0, by: {} };
  const hasStrace = straceMissing() === undefined;
  ledger.newPersons(PERSONS_A_ROUND);
  const first = await readyNode({ dataFolder });
  await putProgram(first.url, FAULTS_PROGRAM);
  await first.stop();
  for (let round = 1; round <= rounds; round++) {
    const by = await killedUnderLoad({ dataFolder, ledger, rng, hasStrace });
    tally.by[by] = (tally.by[by] ?? 0) + 1;
    const node = await readyNode({ dataFolder });
    await compareState(node.url, ledger, tally);
    await settle(node.url, ledger, rng);
    await compareState(node.url, ledger, tally);
    tally.rounds = round;
    tally.sent = ledger.sentCount;
    tally.acked = ledger.ackedCount;
    if (round % auditEvery === 0 || round === rounds) {
      await node.stop();
      await auditLog(dataFolder, ledger, tally);
    } else {
      await node.kill();
    }
    options.onRound?.(tally);
    ledger.newPersons(PERSONS_A_ROUND);
  }
  return tally;
}

/** What ended the node: `start`, `time`, or the system call. */
async function killedUnderLoad(of: { dataFolder: string; ledger: Ledger; rng: Rng; hasStrace: boolean }): Promise<string> {
  const { dataFolder, ledger, rng, hasStrace } = of;
  if (rng.between(1, START_KILLS_IN) === 1) {
    const start = startNode({ dataFolder });
    await Promise.race([setTimeout(rng.between(0, START_MS_MAX)), start.ready]);
    await start.kill();
    return "start";
  }
  const [call, passMax] = CALLS[rng.between(0, CALLS.length - 1)]!;
  const injected = hasStrace && rng.between(0, 2) > 0;
  const wrap = injected ? killAt(call, rng.between(1, passMax)) : [];
  const start = startNode({ dataFolder, wrap });
  const node = await start.ready;
  if (node === undefined) {
    assert.ok(injected, `the node did not start:\n${start.stderr()}`);
    return call;
  }
  const load = startLoad(node.url, ledger, rng, SENDERS);
  await Promise.race([setTimeout(injected ? PATIENCE_MS : rng.between(20, LOAD_MS_MAX)), node.exited, load.broken]);
  const byCall = injected && (node.isGone || (await Promise.race([load.broken.then(() => true), setTimeout(0, false)])));
  await node.kill();
  await load.stop();
  return byCall ? call : "time";
}

/** Kills the node as it enters its `nth` such call; strace counts for each thread. */
function killAt(call: string, nth: number): string[] {
  const options = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
  return ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", ...options];
}

export async function compareState(url: string, ledger: Ledger, tally: FaultTally): Promise<void> {
  const { lost, doubled } = ledger.compareProfiles(await profileFigures(url, ledger.userIds()));
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
