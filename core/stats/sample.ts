// Random variates from a seeded generator, by exact operations alone: the same numbers in every engine.
import { exp2, log2 } from "../math/exp2.ts";
import type { Rng } from "../math/rng.ts";
import { ln } from "./gamma.ts";

const UINT32 = 4_294_967_296;

/** In (0, 1), never at an end: 32 bits and a half. */
export function uniform(rng: Rng): number {
  return (rng.between(0, UINT32 - 1) + 0.5) / UINT32;
}

/** Standard normal: Marsaglia's polar method, which needs no trigonometry. */
export function normal(rng: Rng): number {
  while (true) {
    const u = 2 * uniform(rng) - 1;
    const v = 2 * uniform(rng) - 1;
    const s = u * u + v * v;
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * ln(s)) / s);
  }
}

/** Gamma with this shape > 0 and scale 1 (Marsaglia and Tsang 2000; below shape 1 their boost). */
export function gamma(rng: Rng, shape: number): number {
  if (shape < 1) return gamma(rng, shape + 1) * exp2(log2(uniform(rng)) / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = normal(rng);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    if (ln(uniform(rng)) < 0.5 * x * x + d - d * v + d * ln(v)) return d * v;
  }
}

/** Beta(a, b) for a, b > 0. */
export function beta(rng: Rng, a: number, b: number): number {
  const x = gamma(rng, a);
  const y = gamma(rng, b);
  return x + y > 0 ? x / (x + y) : 0.5;
}

/** An index drawn with these probabilities, which sum to 1, by one number in (0, 1). */
export function pickBy(probabilities: readonly number[], lot: number): number {
  let rest = lot;
  for (let i = 0; i < probabilities.length - 1; i++) {
    rest -= probabilities[i]!;
    if (rest < 0) return i;
  }
  return probabilities.length - 1;
}
