// What every candidate model offers; `laws.test.ts` holds all of them to the same laws.
import type { WholeTable } from "../wire/dirty-rows.ts";
import type { CandidateList, ScoreSheet } from "./candidates.ts";
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

export type Model = ScoringModel | OrderedModel;

interface ModelBase {
  readonly name: string;
  /** Learns one step; `situation` is what was known before it. */
  learn(reveal: Reveal, situation: Situation): void;
  /**
   * The visitor turned away from an item that others may have taught: takes back up to `reveal.weight` of what a step to
   * it would have taught. Missing where a step teaches nothing that could be taken back.
   */
  turnAway?(reveal: Reveal, situation: Situation): void;
  /** The visitor's own items (slots) behind a candidate; empty where the crowd is. Not hot. */
  because(situation: Situation, slot: number): number[];
  /** The item leaves: its slot will be another's. */
  forget(slot: number): void;
  readonly tables: readonly WholeTable[];
}

export interface ScoringModel extends ModelBase {
  /** Adds the model's candidates to an empty sheet. */
  score(situation: Situation, sheet: ScoreSheet): void;
}

/** A model whose candidates stand in order anyway. */
export interface OrderedModel extends ModelBase {
  /** Fills the list with the best of them. */
  list(list: CandidateList): void;
}

/** Bounds on what `because` names. */
export const BECAUSE_MAX = 3;
