// What each feature does to a candidate's log score under the linear ranker: its weight times how far the candidate's
// value is from the average candidate's. A model's features count as one.
import { GENERAL_NAMES, PER_MODEL, type Union } from "./union.ts";

const EFFECT_MIN = 0.005; // In log score; smaller ones move nothing by a place.

/** What one feature does to a candidate's log score, against the average of the list's candidates. */
export interface FeatureEffect {
  /** A model's name, or one of GENERAL_NAMES. */
  readonly name: string;
  readonly effect: number;
}

/** How the ranker that serves came to the scores of the candidates that `rank` gave last. */
export interface Effects {
  /** `mix`, `calibrated`, or the model whose own order is served. */
  readonly ranker: string;
  /** Strongest first; empty for a slot that is no candidate. */
  of(slot: number): FeatureEffect[];
}

export function effectsIn(
  union: Union,
  weights: Float64Array,
  modelNames: readonly string[],
): { of(slot: number): FeatureEffect[] } {
  const means = new Float64Array(weights.length);
  let described = 0;
  for (let i = 0; i < union.count; i++) described += union.isDescribed[i]!;
  for (let i = 0; i < union.count; i++) if (union.isDescribed[i] === 1) union.addTo(means, i, 1 / described);
  const general = modelNames.length * PER_MODEL;
  return {
    of(slot) {
      const candidate = union.find(slot);
      if (candidate < 0 || union.isDescribed[candidate] === 0) return [];
      const features = new Float64Array(weights.length);
      union.addTo(features, candidate, 1);
      const effect = (j: number): number => weights[j]! * (features[j]! - means[j]!);
      const ofModel = (m: number): number => {
        let sum = 0;
        for (let j = m * PER_MODEL; j < (m + 1) * PER_MODEL; j++) sum += effect(j);
        return sum;
      };
      const effects = [
        ...modelNames.map((name, m) => ({ name, effect: ofModel(m) })),
        ...GENERAL_NAMES.map((name, g) => ({ name, effect: effect(general + g) })),
      ];
      return effects
        .filter((one) => Math.abs(one.effect) >= EFFECT_MIN)
        .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
    },
  };
}
