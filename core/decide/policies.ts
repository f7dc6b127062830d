// How a slot's policy chooses: with which probability it shows each variant. The pick is drawn from exactly these
// numbers, so the propensity that is logged is no estimate, whatever the policy.
import { rngFrom } from "../math/rng.ts";
import { hash32 } from "../math/hash.ts";
import type { CompiledBandit } from "../program/compiled.ts";
import { beta } from "../stats/sample.ts";
import type { Features } from "./context-features.ts";
import type { Arm, Learner } from "./learner.ts";
import { expectedReward, uncertainty } from "./ridge.ts";

/** Draws of the posterior behind Thompson sampling's probabilities. */
const DRAWS = 100;
/**
 * SquareCB's learning rate is this times √(variants · choices) in units of the rewards' spread. Chosen on simulations
 * with other seeds than those of the benchmark (docs/decisions/decisions.md).
 */
const SHARPNESS = 4;
/** LinUCB's α, in units of the rewards' spread. Chosen as SHARPNESS was. */
const OPTIMISM = 0.5;
/** A reward's spread is not taken for less than this: before anything came it is unknown. */
const SPREAD_MIN = 0.05;

export interface Choice {
  readonly slot: string;
  readonly variants: readonly string[];
  readonly features: Features;
}

/** A probability for each of `variants`, in their order; they sum to 1. A function of its arguments alone. */
export function probabilitiesOf(
  { slot, variants, features }: Choice,
  learner: Learner,
  bandit: CompiledBandit,
): number[] {
  const arms = variants.map((variant) => learner.arms.get(variant));
  const { exploration } = bandit;
  const own =
    bandit.policy === "epsilon_greedy"
      ? greedy(arms)
      : bandit.policy === "thompson"
        ? thompsonOnce(learner, `${slot} ${learner.revision} ${variants.join(" ")}`, arms)
        : bandit.policy === "squarecb"
          ? squareCb(arms, features)
          : linUcb(arms, features);
  return own.map((probability) => (1 - exploration) * probability + exploration / variants.length);
}

/** All on the best mean; half a success more than seen, so that a variant that nobody saw is tried. */
function greedy(arms: readonly (Arm | undefined)[]): number[] {
  const values = arms.map((arm) => ((arm?.rewards ?? 0) + 0.5) / ((arm?.shown ?? 0) + 1));
  const best = values.indexOf(Math.max(...values));
  return values.map((_, i) => Number(i === best));
}

/** The last draw of each learner: it costs a tenth of a millisecond, and holds until something is learnt. */
const lastDraws = new WeakMap<Learner, { seed: string; shares: number[] }>();

function thompsonOnce(learner: Learner, seed: string, arms: readonly (Arm | undefined)[]): number[] {
  const last = lastDraws.get(learner);
  if (last?.seed === seed) return last.shares;
  const shares = thompson(arms, seed);
  lastDraws.set(learner, { seed, shares });
  return shares;
}

/**
 * The share of draws from the posteriors in which each variant is the best (Thompson 1933; rewards in 0–1 as parts of
 * hits).
 */
function thompson(arms: readonly (Arm | undefined)[], seed: string): number[] {
  const rng = rngFrom(hash32(seed));
  const posteriors = arms.map((arm) => {
    const hits = Math.max(0, arm?.rewards ?? 0);
    return [1 + hits, 1 + Math.max(0, (arm?.shown ?? 0) - hits)] as const;
  });
  const wins = arms.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) {
    let [best, bestValue] = [0, -1];
    for (let i = 0; i < posteriors.length; i++) {
      const value = beta(rng, posteriors[i]![0], posteriors[i]![1]);
      if (value > bestValue) [best, bestValue] = [i, value];
    }
    wins[best]!++;
  }
  return wins.map((count) => count / DRAWS);
}

/**
 * Inverse gap weighting (Foster and Rakhlin: "Beyond UCB: optimal and efficient contextual bandits with regression
 * oracles", ICML 2020): a variant that is expected to bring less is shown the less often, the surer the expectation.
 */
function squareCb(arms: readonly (Arm | undefined)[], features: Features): number[] {
  const values = arms.map((arm) => (arm?.ridge == null ? 0 : expectedReward(arm.ridge, features)));
  // What the expectations stand on: under a policy before, which saw no visitor, none of it was learnt.
  const learnt = arms.reduce((sum, arm) => sum + (arm?.ridge?.count ?? 0), 0);
  const rate = (SHARPNESS * Math.sqrt(arms.length * learnt)) / spreadOf(arms);
  const best = values.indexOf(Math.max(...values));
  const weights = values.map((value, i) => (i === best ? 0 : 1 / (arms.length + rate * (values[best]! - value))));
  const rest = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, i) => (i === best ? 1 - rest : weight));
}

/**
 * All on the variant whose reward could be the highest: what is expected of it and α standard deviations more (Li, Chu,
 * Langford, Schapire: "A contextual-bandit approach to personalized news article recommendation", WWW 2010, disjoint
 * models). Equals share. It is certain of its pick, so exploration alone keeps the other propensities above 0.
 */
function linUcb(arms: readonly (Arm | undefined)[], features: Features): number[] {
  const optimism = OPTIMISM * spreadOf(arms);
  const bounds = arms.map((arm) => {
    const ridge = arm?.ridge ?? null;
    return (ridge === null ? 0 : expectedReward(ridge, features)) + optimism * uncertainty(ridge, features);
  });
  const highest = Math.max(...bounds);
  const first = bounds.filter((bound) => bound === highest).length;
  return bounds.map((bound) => (bound === highest ? 1 / first : 0));
}

/** The standard deviation of one reward. */
function spreadOf(arms: readonly (Arm | undefined)[]): number {
  let [shown, rewards, squares] = [0, 0, 0];
  for (const arm of arms) {
    if (arm === undefined) continue;
    shown += arm.shown;
    rewards += arm.rewards;
    squares += arm.squares;
  }
  const mean = shown === 0 ? 0 : rewards / shown;
  return shown === 0 ? 1 : Math.sqrt(Math.max(SPREAD_MIN * SPREAD_MIN, squares / shown - mean * mean));
}
