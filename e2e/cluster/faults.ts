// The faults, each in rounds under load with one count at the end.
import { setTimeout } from "node:timers/promises";
import type { Rng } from "../../core/math/rng.ts";
import { type ClusterRig, type Counts, TRANSACTION_TIMEOUT_MS } from "./rig.ts";

export interface FaultReport extends Counts {
  readonly fault: FaultName;
  readonly rounds: number;
  /** From the fault until an event that was sent after it is visible on every server, and checkpoints complete. */
  readonly healMs: readonly number[];
}

type Fault = (rig: ClusterRig, rng: Rng) => Promise<void>;

const CHECKPOINTS_CUT_AFTER_MS = 200;

const taskManager = (rng: Rng): string => `taskmanager-${rng.between(1, 2)}`;

const FAULTS = {
  "TaskManager killed": (rig, rng) => rig.part(taskManager(rng)).kill(),
  "JobManager killed": (rig) => rig.part("jobmanager").kill(),
  "broker killed": (rig) => rig.part("kafka").kill(),
  "server killed": (rig, rng) => rig.part(`server-${rng.between(1, 2)}`).kill(),
  "Redis killed": (rig) => rig.part("redis").kill(),
  "Redis flushed": (rig) => rig.flushRedis(),
  "checkpoint cut": async (rig, rng) => {
    const part = rig.part(taskManager(rng));
    // It answers no barrier any more, so the next checkpoint begins and cannot end.
    part.pause();
    await rig.untilCheckpointing();
    await setTimeout(CHECKPOINTS_CUT_AFTER_MS);
    await part.kill();
  },
  "TaskManager paused": async (rig, rng) => {
    const part = rig.part(taskManager(rng));
    part.pause();
    await setTimeout(TRANSACTION_TIMEOUT_MS + LONGER_MS);
    part.resume();
  },
  "broker paused": async (rig) => {
    const part = rig.part("kafka");
    part.pause();
    await setTimeout(TRANSACTION_TIMEOUT_MS + LONGER_MS);
    part.resume();
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

const LONGER_MS = 5_000;
const UNDER_LOAD_MS = [300, 1_500] as const;

export async function faultRounds(
  rig: ClusterRig,
  fault: FaultName,
  options: { rounds: number; rng: Rng; onRound?: (round: number, healMs: number) => void },
): Promise<FaultReport> {
  const { rounds, rng, onRound } = options;
  const healMs: number[] = [];
  rig.startLoad();
  for (let round = 1; round <= rounds; round++) {
    await setTimeout(rng.between(...UNDER_LOAD_MS));
    await FAULTS[fault](rig, rng);
    healMs.push(await rig.untilHealed());
    onRound?.(round, healMs.at(-1)!);
  }
  return { fault, rounds, healMs, ...(await rig.count()) };
}
