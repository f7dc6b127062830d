// Which of two mixed rankings is clicked more, as far as the lists say it.
import type { Experiment } from "../../api/types.ts";

/** The variant that surely wins more lists; null while that is open. Shares are those of the second variant. */
export function betterRanking(
  variants: readonly { readonly name: string }[],
  { interval }: NonNullable<Experiment["interleaving"]>,
): string | null {
  if (interval.low <= 0.5 && interval.high >= 0.5) return null;
  return variants[interval.low > 0.5 ? 1 : 0]!.name;
}
