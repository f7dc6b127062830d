// Logarithms of the gamma and beta functions from exact operations, the same bits in every engine.
import { log2 } from "../math/exp2.ts";

export const LN2 = 0.6931471805599453;
const HALF_LN_2PI = 0.9189385332046728;
/** From here on Stirling's series is right to the last bits. */
const STIRLING_MIN = 12;

/** Natural logarithm; as `log2`, about one unit in the last place off. */
export function ln(x: number): number {
  return log2(x) * LN2;
}

/** ln Γ(x) for x > 0, to about 1e-14 relative (Stirling's series after shifting x up; Abramowitz and Stegun 6.1.41). */
export function logGamma(x: number): number {
  let product = 1;
  let z = x;
  for (; z < STIRLING_MIN; z++) product *= z;
  const q = 1 / (z * z);
  const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188))))) / z;
  return (z - 0.5) * ln(z) - z + HALF_LN_2PI + series - ln(product);
}

/** ln B(a, b) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}
