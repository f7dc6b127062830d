// Do the variants get the shares of people that the experiment promises? A test that may be looked at after each
// person.
import { ln, logGamma } from "./gamma.ts";

/** How far from the promised shares the alternative looks, as that many earlier persons would: a guess. */
const CONCENTRATION = 200;

/**
 * ln of the odds against the promised shares after these counts, by a Dirichlet mixture around them (Lindon and Malek:
 * "Anytime-valid inference for multinomial count data", NeurIPS 2022). Under the promised shares the odds reach 1/alpha
 * with probability alpha at most, whenever one looks. `shares` sum to 1.
 */
export function ratioMismatch(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let odds = logGamma(CONCENTRATION) - logGamma(CONCENTRATION + total);
  for (let i = 0; i < counts.length; i++) {
    const prior = CONCENTRATION * shares[i]!;
    odds += logGamma(prior + counts[i]!) - logGamma(prior) - counts[i]! * ln(shares[i]!);
  }
  return odds;
}
