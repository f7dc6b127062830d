// When a condition could change its value without an event.
//
// Every answer is a lower bound (nothing changes before it) and a function of the person's state at `scope.nowMs`
// alone. Where an expression compares with constants it is the very millisecond of the change. What lies at or beyond
// `scope.horizonMs` is not sought: somebody looks then anyway.
import { builtinValue } from "../../profile/reading.ts";
import type { RuleScope } from "../scope.ts";
import { type CelNode, driftOf, jumpMs, rateOf, type Read, slopeOf, together } from "./node.ts";

/** How far ahead a crossing is searched; what lies beyond is looked at again then. */
const HORIZON_MS = 400 * 86_400_000;
/** Jumps of a window that are looked through in one go before settling for a lower bound. */
const JUMPS_MAX = 8;
/**
 * The grid for what cannot be solved (`features.a > features.b` while both decay): it is looked at again after a 32nd
 * of the time since the person's last interaction, but not more often than each second. So a quiet person costs a
 * bounded number of looks (about 400 in a month), and a change is seen late by 3 % of his silence at most.
 */
const GRID_SHARE = 32;
const GRID_MIN_MS = 1_000;

export function gridMs(scope: RuleScope): number {
  const quietS = builtinValue(scope.person, "recency_s", scope.nowMs);
  if (!(quietS * 1_000 < HORIZON_MS)) return Infinity;
  return scope.nowMs + Math.max(GRID_MIN_MS, Math.floor((quietS * 1_000) / GRID_SHARE));
}

/** For any node: the next jump beneath it, or the grid where something moves steadily. */
export function anyChangeMs(node: CelNode, scope: RuleScope): number {
  const jump = jumpMs(node, scope);
  for (const leaf of node.leaves) if (leaf.slope(scope) !== 0) return Math.min(jump, gridMs(scope));
  return jump;
}

export function changeMs(node: CelNode, scope: RuleScope): number {
  if (node.leaves.length === 0) return Infinity;
  return node.nextMs === undefined ? anyChangeMs(node, scope) : node.nextMs(scope);
}

/** Next change of `left > right` and its like. `towards` is the direction of left - right in which it becomes true. */
export function comparisonChangeMs(holds: Read, towards: 1 | -1, left: CelNode, right: CelNode) {
  return (scope: RuleScope): number => {
    const before = holds(scope);
    if (typeof before !== "boolean") return Math.min(jumpMs(left, scope), jumpMs(right, scope));
    const rate = rateOf(left, scope) - rateOf(right, scope);
    // Two straight lines: the difference is one too, and stands still where they are parallel.
    const straight = rate === rate ? Math.sign(rate) : undefined;
    const drift = straight ?? together(driftOf(left, scope), -driftOf(right, scope));
    if (drift === 0 || (drift === drift && (drift === towards) === before)) return Infinity;
    const jump = Math.min(scope.horizonMs, jumpMs(left, scope), jumpMs(right, scope));
    if (stuck(left, scope) || stuck(right, scope)) return jump;
    const slope = straight ?? together(slopeOf(left, scope), -slopeOf(right, scope));
    if (slope === 0) return drift === drift ? firstJumpMs(scope, holds, before, jump, left, right) : jump;
    if (slope !== slope) return Math.min(jump, gridMs(scope));
    if ((slope === towards) === before) return jump;
    const guess = right.constant !== undefined && left.reachesMs !== undefined
      ? left.reachesMs(scope, right.constant as number)
      : left.constant !== undefined && right.reachesMs !== undefined
        ? right.reachesMs(scope, left.constant as number)
        : NaN;
    return crossingMs(scope, holds, before, Math.min(jump, scope.nowMs + HORIZON_MS), guess);
  };
}

/** Infinite and standing still (`since()` of what never happened): no finite value ever passes it. */
function stuck(node: CelNode, scope: RuleScope): boolean {
  if (slopeOf(node, scope) !== 0) return false;
  const value = node.read(scope);
  return value === Infinity || value === -Infinity;
}

/** Looks through the next jumps of something that only falls (or only rises) until the condition changes. */
function firstJumpMs(
  scope: RuleScope, holds: Read, before: boolean, jump: number, left: CelNode, right: CelNode,
): number {
  const now = scope.nowMs;
  let at = jump;
  for (let i = 0; i < JUMPS_MAX && at < scope.horizonMs; i++) {
    scope.moveTo(at);
    if (holds(scope) !== before) break;
    at = Math.min(jumpMs(left, scope), jumpMs(right, scope));
  }
  scope.moveTo(now);
  return at;
}

/** First millisecond after now at which the condition differs from `before`, by bisection; `limit` where none does. */
function crossingMs(scope: RuleScope, holds: Read, before: boolean, limit: number, guess: number): number {
  const now = scope.nowMs;
  const differs = (at: number): boolean => {
    scope.moveTo(at);
    return holds(scope) !== before;
  };
  let low = now;
  let high = limit;
  if (limit === scope.horizonMs && !differs(limit)) {
    scope.moveTo(now);
    return limit;
  }
  const near = Math.ceil(guess);
  // The guess is right but for rounding: two looks beside it end most searches.
  if (near > low && near < high) {
    if (differs(near)) high = near;
    else low = near;
    const beside = high === near ? near - 1 : near + 1;
    if (beside > low && beside < high) {
      if (differs(beside)) high = beside;
      else low = beside;
    }
  }
  if (high === limit && limit !== scope.horizonMs && !differs(limit)) low = limit;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (differs(middle)) high = middle;
    else low = middle;
  }
  scope.moveTo(now);
  return high;
}

/** Next change of `left == right` over numbers: when the difference reaches zero, or leaves it. */
export function equalityChangeMs(reached: CelNode, passed: CelNode) {
  return (scope: RuleScope): number => {
    if (passed.read(scope) === true) return changeMs(passed, scope);
    if (reached.read(scope) === true) return Math.min(changeMs(reached, scope), changeMs(passed, scope));
    return changeMs(reached, scope);
  };
}

/**
 * Next change of a conjunction (`decides` false) or a disjunction (`decides` true): while one part decides it alone,
 * nothing else matters, so it stays at least until the last of those that do could change.
 */
export function junctionChangeMs(parts: readonly CelNode[], decides: boolean) {
  return (scope: RuleScope): number => {
    let decided = -Infinity;
    for (const part of parts) {
      if (part.read(scope) !== decides) continue;
      decided = Math.max(decided, changeMs(part, scope));
      if (decided >= scope.horizonMs) return decided;
    }
    if (decided > -Infinity) return decided;
    let soonest = Infinity;
    for (const part of parts) soonest = Math.min(soonest, changeMs(part, scope));
    return soonest;
  };
}
