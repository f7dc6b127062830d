// A compiled expression: a closure for its value, and how time alone moves it.
import type { PersonState } from "../../profile/state.ts";
import type { Series } from "../../profile/series.ts";
import type { RuleScope } from "../scope.ts";
import type { CelType } from "./value.ts";

export type Read = (scope: RuleScope) => unknown;

/** Something an expression reads that changes as time passes, without an event. */
export interface TimeLeaf {
  /** Next instant at which the value jumps; Infinity where it never does. */
  nextMs(scope: RuleScope): number;
  /** How it moves between two jumps: -1 falls, 0 stands still, 1 rises. */
  slope(scope: RuleScope): number;
  /** Where it goes in the long run, jumps included: -1 never rises, 1 never falls, 0 stands, NaN not known. */
  drift(scope: RuleScope): number;
  /** Of what moves in a straight line and never jumps: by how much a second. */
  rate?(scope: RuleScope): number;
}

/** A count of the events in a sliding window. */
export interface Counted {
  readonly windowMs: number;
  readonly seriesOf: (person: PersonState) => Series;
}

export interface CelNode {
  readonly type: CelType;
  readonly read: Read;
  /** Set for a literal, and for what is computed from literals alone. */
  readonly constant?: unknown;
  /** What time moves beneath this node; empty where only events change it. */
  readonly leaves: readonly TimeLeaf[];
  /** How a number moves as a whole; where it is not set, the leaves tell what they can. */
  readonly motion?: Pick<TimeLeaf, "slope" | "drift" | "rate">;
  /**
   * Of a condition: a time before which its value stays, with that value in `scope.verdict`; where it is not set, the
   * leaves tell.
   */
  readonly nextMs?: (scope: RuleScope) => number;
  /** Of a condition whose `nextMs` costs no more than reading it. */
  readonly isEager?: boolean;
  /** Of a count over a window: compared with a constant, its next change is read off the series, not searched. */
  readonly counted?: Counted;
  /**
   * Of a number that moves one way and never jumps: when it reaches `target`, but for rounding. NaN where it never does.
   */
  readonly reachesMs?: (scope: RuleScope, target: number) => number;
}

export const NO_LEAVES: readonly TimeLeaf[] = [];

export const joinLeaves = (...nodes: readonly CelNode[]): readonly TimeLeaf[] => {
  const moving = nodes.filter((node) => node.leaves.length > 0);
  if (moving.length === 0) return NO_LEAVES;
  return moving.length === 1 ? moving[0]!.leaves : moving.flatMap((node) => node.leaves);
};

/** Next jump of anything beneath the node. */
export function jumpMs(node: CelNode, scope: RuleScope): number {
  let next = Infinity;
  for (const leaf of node.leaves) next = Math.min(next, leaf.nextMs(scope));
  return next;
}

export function slopeOf(node: CelNode, scope: RuleScope): number {
  if (node.leaves.length === 0) return 0;
  if (node.motion !== undefined) return node.motion.slope(scope);
  return node.leaves.every((leaf) => leaf.slope(scope) === 0) ? 0 : NaN;
}

export function driftOf(node: CelNode, scope: RuleScope): number {
  if (node.leaves.length === 0) return 0;
  if (node.motion !== undefined) return node.motion.drift(scope);
  return node.leaves.every((leaf) => leaf.drift(scope) === 0) ? 0 : NaN;
}

/** Change a second of what moves in a straight line; NaN for anything else. */
export function rateOf(node: CelNode, scope: RuleScope): number {
  if (node.leaves.length === 0) return 0;
  return node.motion?.rate?.(scope) ?? NaN;
}

/** The direction of a sum of two movements: NaN where they pull apart. */
export const together = (a: number, b: number): number => (a === 0 ? b : b === 0 || a === b ? a : NaN);
