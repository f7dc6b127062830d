// An experiment as a log of choices: each person was given a variant with the probability of its share. What the policy
// "everybody sees this one" would have brought follows from the sums alone.
import type { CompiledExperiment } from "../program/compiled.ts";
import { adjustmentOf } from "../stats/moments.ts";
import type { OffPolicySums } from "../stats/off-policy.ts";
import type { Run } from "./run.ts";

/**
 * The sums over persons for one variant and the primary metric. The doubly robust terms expect of a person what a line
 * through what was known of him before says.
 */
export function sumsOfAlways({ variants, primary }: CompiledExperiment, run: Run, variant: number): OffPolicySums {
  const all = run.variants.map(({ moments }) => moments[primary]!);
  const own = all[variant]!;
  const everybody = all.reduce((sum, one) => sum + one.count, 0);
  // From a stop on those who come are shared out among fewer variants, so the promised shares are not the ones with which
  // all who count were given theirs: what came of it takes their place.
  const isOff = run.stops.length > 0 && own.count > 0;
  const weight = isOff ? everybody / own.count : 1 / variants[variant]!.share;
  const square = weight * weight;
  const { slope } = adjustmentOf(all);
  const level = own.count === 0 ? 0 : (own.y - slope * own.x) / own.count;
  let [count, x, xx] = [0, 0, 0];
  for (const moments of all) {
    count += moments.count;
    x += moments.x;
    xx += moments.xx;
  }
  // Expected: e = level + slope·x for everybody; what is left of y for the variant's own: r = y − e.
  const expected = level * count + slope * x;
  const expectedSquares = level * level * count + 2 * level * slope * x + slope * slope * xx;
  const left = own.y - level * own.count - slope * own.x;
  const leftTimesExpected =
    level * own.y + slope * own.xy - (level * level * own.count + 2 * level * slope * own.x + slope * slope * own.xx);
  const ownExpectedSquares = level * level * own.count + 2 * level * slope * own.x + slope * slope * own.xx;
  const leftSquares = own.yy - 2 * (level * own.y + slope * own.xy) + ownExpectedSquares;
  return {
    count,
    weights: weight * own.count,
    rewards: weight * own.y,
    robust: expected + weight * left,
    largest: own.count === 0 ? 0 : weight,
    // Each person stands alone.
    countSquares: count,
    squares: square * own.count,
    squaredRewards: square * own.yy,
    robustSquares: expectedSquares + 2 * weight * leftTimesExpected + square * leftSquares,
    weightedRewards: square * own.y,
    countedRewards: weight * own.y,
    countedRobust: expected + weight * left,
  };
}
