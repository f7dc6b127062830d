// A compiled expression: a closure for its value, and how time alone moves it. Nodes are only looked at while they are
// compiled: what runs per event is closures that hold what they need, because nodes have many shapes and a look into one
// costs as much as the comparison it serves.
import type { PersonState } from "../../profile/state.ts";
import type { Series } from "../../profile/series.ts";
import type { RuleScope } from "../scope.ts";
import type { CelType } from "./value.ts";

export type Read = (scope: RuleScope) => unknown;
/** A time, or a measure of movement, at `scope.nowMs`. */
export type Ask = (scope: RuleScope) => number;

/** Something an expression reads that changes as time passes, without an event. */
export interface TimeLeaf {
  /** Next instant at which the value jumps; Infinity where it never does. */
  readonly nextMs: Ask;
  /** How it moves between two jumps: -1 falls, 0 stands still, 1 rises. */
  readonly slope: Ask;
  /** Where it goes in the long run, jumps included: -1 never rises, 1 never falls, 0 stands, NaN not known. */
  readonly drift: Ask;
  /** Of what moves in a straight line and never jumps: by how much a second. */
  readonly rate?: Ask;
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
  readonly nextMs?: Ask;
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

const never: Ask = () => Infinity;
const still: Ask = () => 0;
const unknown: Ask = () => NaN;

/** Next jump of anything beneath the node. */
export function jumpOf({ leaves }: CelNode): Ask {
  if (leaves.length === 0) return never;
  if (leaves.length === 1) return leaves[0]!.nextMs;
  const jumps = leaves.map((leaf) => leaf.nextMs);
  return (scope) => {
    let next = Infinity;
    for (let i = 0; i < jumps.length; i++) next = Math.min(next, jumps[i]!(scope));
    return next;
  };
}

export function slopeOf({ leaves, motion }: CelNode): Ask {
  if (leaves.length === 0) return still;
  return motion?.slope ?? zeroWhereAllAre(leaves.map((leaf) => leaf.slope));
}

export function driftOf({ leaves, motion }: CelNode): Ask {
  if (leaves.length === 0) return still;
  return motion?.drift ?? zeroWhereAllAre(leaves.map((leaf) => leaf.drift));
}

/** Change a second of what moves in a straight line; NaN for anything else. */
export function rateOf({ leaves, motion }: CelNode): Ask {
  return leaves.length === 0 ? still : (motion?.rate ?? unknown);
}

function zeroWhereAllAre(asks: readonly Ask[]): Ask {
  return (scope) => {
    for (let i = 0; i < asks.length; i++) if (asks[i]!(scope) !== 0) return NaN;
    return 0;
  };
}

/** The direction of a sum of two movements: NaN where they pull apart. */
export const together = (a: number, b: number): number => (a === 0 ? b : b === 0 || a === b ? a : NaN);
