// What every candidate model offers; `model-laws.ts` (tests) holds all of them to the same laws.
import type { SnapshotSource } from "../wire/dirty-rows.ts";
import type { ScoreSheet } from "./candidates.ts";
import type { Situation } from "./situation.ts";

/** One step as the models see it: the situation before it, and the item that it reveals. */
export interface Reveal {
  slot: number;
  ref: number;
  timeMs: number;
  weight: number;
  /** The item was in the session's trail already. */
  isRepeat: boolean;
  /** Number of the session in the session store, and whether its neighbours may be told about it from this step on. */
  sessionNumber: number;
}

export interface Model {
  readonly name: string;
  /** Learns one step; `situation` is what was known before it. */
  learn(reveal: Reveal, situation: Situation): void;
  /** Adds the model's candidates to an empty sheet. */
  score(situation: Situation, sheet: ScoreSheet): void;
  /** The visitor's own items (slots) behind a candidate; empty where the crowd is. Not hot. */
  because(situation: Situation, slot: number): number[];
  /** The item leaves: its slot will be another's. */
  forget(slot: number): void;
  readonly tables: readonly SnapshotSource[];
}

/** Bounds on what `because` names. */
export const BECAUSE_MAX = 3;
