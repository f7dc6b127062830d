// When a condition could change its value without an event.
//
// Every answer is a lower bound (nothing changes before it) and a function of the person's state at `scope.nowMs`
// alone. Where an expression compares with constants it is the very millisecond of the change. What lies at or beyond
// `scope.horizonMs` is not sought: somebody looks then anyway.
import { builtinValue } from "../../profile/reading.ts";
import { JUMPS_MAX } from "../../profile/series.ts";
import type { RuleScope } from "../scope.ts";
import { type CelNode, driftOf, jumpMs, rateOf, type Read, slopeOf, together } from "./node.ts";
import { FAULT } from "./value.ts";

/** How far ahead a crossing is searched; what lies beyond is looked at again then. */
const HORIZON_MS = 400 * 86_400_000;
/**
 * The grid for what cannot be solved (`features.a > features.b` while both decay): it is looked at again after a 32nd
 * of the time since the person's last interaction, but not more often than each second. So a quiet person costs a
 * bounded number of looks (about 400 in a month), and a change is seen late by 3 % of his silence at most.
 */
const GRID_SHARE = 32;
const GRID_MIN_MS = 1_000;
/** A guess by logarithms is right to a few 2^-50 of the half-life: to less than a millisecond over years. */
const GUESS_MARGIN_MS = 1_000;

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

/** For a condition: when it could change; what it is now is in `scope.verdict` afterwards. */
export function changeMs(node: CelNode, scope: RuleScope): number {
  if (node.nextMs !== undefined) return node.nextMs(scope);
  scope.verdict = node.read(scope);
  return node.leaves.length === 0 ? Infinity : anyChangeMs(node, scope);
}

/** Next change of `left > right` and its like. `towards` is the direction of left - right in which it becomes true. */
export function comparisonChangeMs(holds: Read, towards: 1 | -1, left: CelNode, right: CelNode) {
  return (scope: RuleScope): number => {
    const before = holds(scope);
    scope.verdict = before;
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

/** The same for what moves one way without jumps (`since()`, what decays) against a constant. */
export function steadyChangeMs(holds: Read, towards: 1 | -1, left: CelNode, limit: number) {
  return (scope: RuleScope): number => {
    const before = holds(scope);
    scope.verdict = before;
    const slope = slopeOf(left, scope);
    if (typeof before !== "boolean" || slope === 0 || (slope === towards) === before) return Infinity;
    const guess = left.reachesMs!(scope, limit);
    const untilMs = Math.min(scope.horizonMs, scope.nowMs + HORIZON_MS);
    // Later than anybody needs to know, by more than rounding can be wrong.
    return guess > untilMs + GUESS_MARGIN_MS ? untilMs : crossingMs(scope, holds, before, untilMs, guess);
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
export function equalityChangeMs(equals: Read, reached: CelNode, passed: CelNode) {
  return (scope: RuleScope): number => {
    let next = changeMs(passed, scope);
    if (scope.verdict !== true) {
      const reachedMs = changeMs(reached, scope);
      next = scope.verdict === true ? Math.min(reachedMs, next) : reachedMs;
    }
    scope.verdict = equals(scope);
    return next;
  };
}

/**
 * Next change of a conjunction (`decides` false) or a disjunction (`decides` true): while one part decides it alone,
 * nothing else matters, so it stays at least until the last of those that do could change.
 */
export function junctionChangeMs(parts: readonly CelNode[], decides: boolean) {
  // What only costs a reading is asked for its change at once.
  const isEager = parts.map((part) => part.leaves.length === 0 || part.isEager === true);
  return (scope: RuleScope): number => {
    let decided = -Infinity;
    let soonest = Infinity;
    let sound = true;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      let next = isEager[i] ? changeMs(part, scope) : NaN;
      const value = isEager[i] ? scope.verdict : part.read(scope);
      if (value === decides) {
        if (next !== next) next = changeMs(part, scope);
        if (next > decided) decided = next;
        if (decided >= scope.horizonMs) break;
      } else {
        if (value !== !decides) sound = false;
        if (next < soonest) soonest = next;
      }
    }
    if (decided > -Infinity) {
      scope.verdict = decides;
      return decided;
    }
    for (let i = 0; i < parts.length; i++) if (!isEager[i]) soonest = Math.min(soonest, changeMs(parts[i]!, scope));
    scope.verdict = sound ? !decides : FAULT;
    return soonest;
  };
}
