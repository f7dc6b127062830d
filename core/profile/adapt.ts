// A state under another version of the program: windows, features and sequences with the same key go on, new ones start
// empty, the rest is forgotten.
import { emptyFeature } from "./features.ts";
import { changeInterestHalfLife } from "./landmark.ts";
import { layoutOf } from "./layout.ts";
import type { FoldPlan } from "./plan.ts";
import { emptySeries } from "./series.ts";
import { emptySequence, type PersonState } from "./state.ts";

/**
 * Brings `state` under `plan`, in place. Interests keep their values, in the dimensions that the plan keeps; from now on they
 * decay as it says.
 */
export function adaptPerson(state: PersonState, plan: FoldPlan): void {
  const before = state.layout;
  if (before.plan === plan) return;
  const after = layoutOf(plan);
  state.windows = carryOver(before.windowHashes, state.windows, after.windowHashes, emptySeries);
  state.features = carryOver(before.featureHashes, state.features, after.featureHashes, (i) => {
    return emptyFeature(plan.features[i]!);
  });
  state.sequences = carryOver(before.sequenceHashes, state.sequences, after.sequenceHashes, emptySequence);
  if (!plan.keeps.shown) state.shown = [];
  if (!plan.keeps.bought) state.bought = [];
  if (!plan.interests.categories) state.categories.clear();
  if (!plan.interests.tags) state.tags.clear();
  state.layout = after;
  changeInterestHalfLife(state, plan.interests.halfLifeMs);
}

function carryOver<T>(
  before: readonly number[], states: readonly T[], after: readonly number[], empty: (i: number) => T,
): T[] {
  return after.map((hash, i) => states[before.indexOf(hash)] ?? empty(i));
}
