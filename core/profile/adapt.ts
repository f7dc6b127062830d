// A state under another version of the program: windows, features and sequences with the same key go on, new ones start
// empty, the rest is forgotten.
import { NO_FEATURE } from "./features.ts";
import { emptyInterests } from "./interests.ts";
import { changeInterestHalfLife } from "./landmark.ts";
import { layoutOf } from "./layout.ts";
import type { FoldPlan } from "./plan.ts";
import { NO_SERIES } from "./series.ts";
import { emptySequence, type PersonState } from "./state.ts";

/**
 * Brings `state` under `plan`, in place. Interests keep their values, in the dimensions that the plan keeps; from now on they
 * decay as it says.
 */
export function adaptPerson(state: PersonState, plan: FoldPlan): void {
  const before = state.layout;
  if (before.plan === plan) return;
  const after = layoutOf(plan);
  state.windows = carryOver(before.windowHashes, state.windows, after.windowHashes, () => NO_SERIES);
  state.features = carryOver(before.featureHashes, state.features, after.featureHashes, () => NO_FEATURE);
  state.sequences = carryOver(before.sequenceHashes, state.sequences, after.sequenceHashes, emptySequence);
  if (!plan.keeps.shown) state.shown = [];
  if (!plan.keeps.bought) state.bought = [];
  if (!plan.interests.categories) state.categories = emptyInterests();
  if (!plan.interests.tags) state.tags = emptyInterests();
  state.layout = after;
  changeInterestHalfLife(state, plan.interests.halfLifeMs);
}

function carryOver<T>(before: readonly number[], states: readonly T[], after: readonly number[], empty: () => T): T[] {
  return after.map((hash) => states[before.indexOf(hash)] ?? empty());
}
