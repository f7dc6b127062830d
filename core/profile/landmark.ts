// Engagement and both dimensions of interests share one half-life, and so one landmark: that of `engagement`.
import { landmarkOf, landmarkShift, scaleAt, scaleBack } from "../math/decay.ts";
import { scaleInterests } from "./interests.ts";
import type { PersonState } from "./state.ts";

/** Moves engagement and interests to a later landmark; loses nothing. */
export function moveInterestLandmark(state: PersonState, landmark: number): void {
  const { engagement } = state;
  if (engagement.landmark >= 0) scaleWeights(state, landmarkShift(engagement.landmark, landmark));
  engagement.landmark = landmark;
}

/** Goes on with another half-life: every weight keeps the value that it has at the person's newest event. */
export function changeInterestHalfLife(state: PersonState, halfLifeMs: number): void {
  const before = state.interestHalfLifeMs;
  state.interestHalfLifeMs = halfLifeMs;
  const { engagement } = state;
  if (before === halfLifeMs || engagement.landmark < 0) return;
  const atMs = state.lastMs;
  const landmark = landmarkOf(atMs, halfLifeMs);
  const factor = scaleBack(engagement.landmark, before, atMs) * scaleAt(atMs, landmark, halfLifeMs);
  scaleWeights(state, factor);
  engagement.landmark = landmark;
}

function scaleWeights({ engagement, categories, tags }: PersonState, factor: number): void {
  engagement.scaled *= factor;
  scaleInterests(categories, factor);
  scaleInterests(tags, factor);
}
