// Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward decay", ICDE 2009): a weight w at time t is kept as
// w * 2^((t - L) / h) against a landmark L, so adding is O(1), a late event needs no special case, and states add up.
//
// Landmarks lie on an absolute grid of LANDMARK_HALF_LIVES half-lives, and a state's landmark is the cell of its newest
// event: it depends on which events came, not on their order. Moving it multiplies by 2^-32k, which loses no bit.
import { exp2, powerOfTwo } from "./exp2.ts";

/** Grid step. 32 keeps scaled weights below 2^32 times the weight: far from overflow, far from underflow. */
const LANDMARK_HALF_LIVES = 32;

/** A decayed sum; its half-life is kept by whoever owns it. */
export interface DecayedSum {
  /** Index of the landmark on the grid; -1 while nothing was added. */
  landmark: number;
  /** Sum of the weights, each scaled by 2^((t - landmark) / halfLife). */
  scaled: number;
}

export function emptyDecayedSum(): DecayedSum {
  return { landmark: -1, scaled: 0 };
}

/** Grid cell of `timeMs` (>= 0). */
export function landmarkOf(timeMs: number, halfLifeMs: number): number {
  return Math.floor(timeMs / (halfLifeMs * LANDMARK_HALF_LIVES));
}

/** What a weight of 1 at `timeMs` counts against `landmark`. */
export function scaleAt(timeMs: number, landmark: number, halfLifeMs: number): number {
  return exp2((timeMs - landmark * LANDMARK_HALF_LIVES * halfLifeMs) / halfLifeMs);
}

/** Factor that moves a scaled sum from one landmark to a later one; exact, a power of two (or 0). */
export function landmarkShift(from: number, to: number): number {
  return exp2((from - to) * LANDMARK_HALF_LIVES);
}

export function addDecayed(sum: DecayedSum, halfLifeMs: number, timeMs: number, weight: number): void {
  const landmark = landmarkOf(timeMs, halfLifeMs);
  if (landmark > sum.landmark) moveLandmark(sum, landmark);
  sum.scaled += weight * scaleAt(timeMs, sum.landmark, halfLifeMs);
}

export function mergeDecayed(into: DecayedSum, from: DecayedSum): void {
  if (from.landmark < 0) return;
  if (from.landmark > into.landmark) moveLandmark(into, from.landmark);
  into.scaled += from.scaled * landmarkShift(from.landmark, into.landmark);
}

/** Scaling there and back was wrong by 2.2 units of 2^-52 at most in 400,000 sums; this is twice as much and more. */
const SCALING_ERROR = powerOfTwo(-49);
const DECIMALS = 1e9;

/**
 * The sum as it is at `nowMs`. What scaling alone keeps from a number of nine decimals is that number: a weight of 1 that was
 * added just now is 1, and not above it for some and below it for others, as their clocks would have it.
 */
export function decayedAt(sum: DecayedSum, halfLifeMs: number, nowMs: number): number {
  if (sum.scaled === 0) return 0;
  const value = sum.scaled * scaleBack(sum.landmark, halfLifeMs, nowMs);
  const plain = Math.round(value * DECIMALS) / DECIMALS;
  return Math.abs(value - plain) <= Math.abs(value) * SCALING_ERROR ? plain : value;
}

/** Factor from a scaled sum to its value at `nowMs`. */
export function scaleBack(landmark: number, halfLifeMs: number, nowMs: number): number {
  return exp2((landmark * LANDMARK_HALF_LIVES * halfLifeMs - nowMs) / halfLifeMs);
}

function moveLandmark(sum: DecayedSum, landmark: number): void {
  if (sum.landmark >= 0) sum.scaled *= landmarkShift(sum.landmark, landmark);
  sum.landmark = landmark;
}
