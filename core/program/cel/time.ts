// When a condition could change its value without an event.
//
// Every answer is a lower bound (nothing changes before it) and a function of the person's state at `scope.nowMs`
// alone. Where an expression compares with constants it is the very millisecond of the change. What lies at or beyond
// `scope.horizonMs` is not sought: somebody looks then anyway.
import { builtinValue } from "../../profile/reading.ts";
import { JUMPS_MAX } from "../../profile/series.ts";
import type { RuleScope } from "../scope.ts";
import { type Ask, type CelNode, driftOf, jumpOf, rateOf, type Read, slopeOf, together } from "./node.ts";
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

function gridMs(scope: RuleScope): number {
  const quietS = builtinValue(scope.person, "recency_s", scope.nowMs);
  if (!(quietS * 1_000 < HORIZON_MS)) return Infinity;
  return scope.nowMs + Math.max(GRID_MIN_MS, Math.floor((quietS * 1_000) / GRID_SHARE));
}

/** For any node: the next jump beneath it, or the grid where something moves steadily. */
export function anyChangeOf(node: CelNode): Ask {
  const jumpMs = jumpOf(node);
  const slopes = node.leaves.map((leaf) => leaf.slope);
  return (scope) => {
    const jump = jumpMs(scope);
    for (let i = 0; i < slopes.length; i++) if (slopes[i]!(scope) !== 0) return Math.min(jump, gridMs(scope));
    return jump;
  };
}

/** For a condition: when it could change; what it is now is in `scope.verdict` afterwards. */
export function changeOf(node: CelNode): Ask {
  if (node.nextMs !== undefined) return node.nextMs;
  const { read } = node;
  const changeMs = anyChangeOf(node);
  return (scope) => {
    scope.verdict = read(scope);
    return changeMs(scope);
  };
}

/** Next change of `left > right` and its like. `towards` is the direction of left - right in which it becomes true. */
export function comparisonChangeOf(holds: Read, towards: 1 | -1, left: CelNode, right: CelNode): Ask {
  const [leftRate, rightRate] = [rateOf(left), rateOf(right)];
  const [leftDrift, rightDrift] = [driftOf(left), driftOf(right)];
  const [leftSlope, rightSlope] = [slopeOf(left), slopeOf(right)];
  const [leftJump, rightJump] = [jumpOf(left), jumpOf(right)];
  const [isLeftStuck, isRightStuck] = [stuckOf(left), stuckOf(right)];
  const guessMs = meetingOf(left, right);
  const jumpMs = (scope: RuleScope): number => Math.min(leftJump(scope), rightJump(scope));
  return (scope) => {
    const before = holds(scope);
    scope.verdict = before;
    if (typeof before !== "boolean") return jumpMs(scope);
    const rate = leftRate(scope) - rightRate(scope);
    // Two straight lines: the difference is one too, and stands still where they are parallel.
    const straight = rate === rate ? Math.sign(rate) : undefined;
    const drift = straight ?? together(leftDrift(scope), -rightDrift(scope));
    if (drift === 0 || (drift === drift && (drift === towards) === before)) return Infinity;
    const jump = Math.min(scope.horizonMs, jumpMs(scope));
    if (isLeftStuck(scope) || isRightStuck(scope)) return jump;
    const slope = straight ?? together(leftSlope(scope), -rightSlope(scope));
    if (slope === 0) return drift === drift ? firstJumpMs(scope, holds, before, jump, jumpMs) : jump;
    if (slope !== slope) return Math.min(jump, gridMs(scope));
    if ((slope === towards) === before) return jump;
    return crossingMs(scope, holds, before, Math.min(jump, scope.nowMs + HORIZON_MS), guessMs(scope));
  };
}

/** When the two sides meet, but for rounding; NaN where nothing tells. */
function meetingOf(left: CelNode, right: CelNode): Ask {
  const [moving, other] = right.constant !== undefined && left.reachesMs !== undefined ? [left, right] : [right, left];
  const { reachesMs } = moving;
  if (other.constant === undefined || reachesMs === undefined) return () => NaN;
  const target = other.constant as number;
  return (scope) => reachesMs(scope, target);
}

/** The same for what moves one way without jumps (`since()`, what decays) against a constant. */
export function steadyChangeOf(holds: Read, towards: 1 | -1, left: CelNode, limit: number): Ask {
  const slopeAt = slopeOf(left);
  const reachesMs = left.reachesMs!;
  return (scope) => {
    const before = holds(scope);
    scope.verdict = before;
    const slope = slopeAt(scope);
    if (typeof before !== "boolean" || slope === 0 || (slope === towards) === before) return Infinity;
    const guess = reachesMs(scope, limit);
    const untilMs = Math.min(scope.horizonMs, scope.nowMs + HORIZON_MS);
    // Later than anybody needs to know, by more than rounding can be wrong.
    return guess > untilMs + GUESS_MARGIN_MS ? untilMs : crossingMs(scope, holds, before, untilMs, guess);
  };
}

/** Infinite and standing still (`since()` of what never happened): no finite value ever passes it. */
function stuckOf(node: CelNode): (scope: RuleScope) => boolean {
  const slopeAt = slopeOf(node);
  const { read } = node;
  return (scope) => {
    if (slopeAt(scope) !== 0) return false;
    const value = read(scope);
    return value === Infinity || value === -Infinity;
  };
}

/** Looks through the next jumps of something that only falls (or only rises) until the condition changes. */
function firstJumpMs(scope: RuleScope, holds: Read, before: boolean, jump: number, jumpMs: Ask): number {
  const now = scope.nowMs;
  let at = jump;
  for (let i = 0; i < JUMPS_MAX && at < scope.horizonMs; i++) {
    scope.moveTo(at);
    if (holds(scope) !== before) break;
    at = jumpMs(scope);
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
export function equalityChangeOf(equals: Read, reached: CelNode, passed: CelNode): Ask {
  const passesMs = changeOf(passed);
  const reachesMs = changeOf(reached);
  return (scope) => {
    let next = passesMs(scope);
    if (scope.verdict !== true) {
      const reachedMs = reachesMs(scope);
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
export function junctionChangeOf(parts: readonly CelNode[], decides: boolean): Ask {
  // What only costs a reading is asked for its change at once.
  const isEager = parts.map((part) => part.leaves.length === 0 || part.isEager === true);
  const changes = parts.map(changeOf);
  const reads = parts.map((part) => part.read);
  return (scope) => {
    let decided = -Infinity;
    let soonest = Infinity;
    let sound = true;
    for (let i = 0; i < changes.length; i++) {
      let next = isEager[i] ? changes[i]!(scope) : NaN;
      const value = isEager[i] ? scope.verdict : reads[i]!(scope);
      if (value === decides) {
        if (next !== next) next = changes[i]!(scope);
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
    for (let i = 0; i < changes.length; i++) if (!isEager[i]) soonest = Math.min(soonest, changes[i]!(scope));
    scope.verdict = sound ? !decides : FAULT;
    return soonest;
  };
}
