// Forward decay (Cormode et al. 2009) in floating point that never overflows and never needs a sweep.
//
// A weight given at time t counts 2^(t / halfLife). The exponent is split into an integer and a fraction; numbers are
// kept relative to 2^epoch, and moving them to another epoch multiplies by an exact power of two, so it changes no
// digit and may happen at any time.
import { powerOfTwo } from "../math/exp2.ts";

const FRACTION_STEPS = 4096; // Relative error ≤ 1.7e-4: a weight's age is known to 1/4096 of a half-life.

/** 2^(i / 4096) from square roots and products only, which IEEE 754 rounds the same everywhere. */
const FRACTIONS = (() => {
  const fractions = new Float64Array(FRACTION_STEPS).fill(1);
  let root = 2;
  for (let bit = FRACTION_STEPS / 2; bit >= 1; bit /= 2) {
    root = Math.sqrt(root);
    for (let i = 0; i < FRACTION_STEPS; i++) if ((i & bit) !== 0) fractions[i] = fractions[i]! * root;
  }
  return fractions;
})();

/** An instant on the scale of one half-life: weight 2^epoch · fraction, fraction in [1, 2). */
export interface DecayInstant {
  epoch: number;
  fraction: number;
}

/** The instant of `timeMs`, into an object that is there: a hot path makes none. */
export function setInstant(into: DecayInstant, timeMs: number, halfLifeMs: number): DecayInstant {
  const x = timeMs / halfLifeMs;
  into.epoch = Math.floor(x);
  into.fraction = FRACTIONS[((x - into.epoch) * FRACTION_STEPS) | 0]!;
  return into;
}

/** How much of a weight is left after `ageMs`: 0–1. */
export function decayOf(ageMs: number, halfLifeMs: number): number {
  if (ageMs <= 0) return 1;
  const x = ageMs / halfLifeMs;
  const whole = Math.floor(x);
  return powerOfTwo(-whole) / FRACTIONS[((x - whole) * FRACTION_STEPS) | 0]!;
}
