// How evenly a visitor's recent items spread over categories.
import { log2 } from "../math/exp2.ts";
import { RECENT_CATEGORIES_MAX, RECENT_MAX } from "./state.ts";

const occurrences = new Uint16Array(RECENT_MAX * RECENT_CATEGORIES_MAX + 1);

/**
 * Entropy of the counts over the entropy of an even spread, 0-1; 0 with fewer than two categories. Sums by count, not
 * by category, so the map's order does not show in the last bit.
 */
export function diversityOf(counts: ReadonlyMap<string, number>): number {
  if (counts.size < 2) return 0;
  occurrences.fill(0);
  let total = 0;
  let largest = 0;
  for (const count of counts.values()) {
    occurrences[count]!++;
    total += count;
    if (count > largest) largest = count;
  }
  let sum = 0;
  for (let count = 2; count <= largest; count++) {
    if (occurrences[count]! > 0) sum += occurrences[count]! * count * log2(count);
  }
  return Math.min(1, Math.max(0, (log2(total) - sum / total) / log2(counts.size)));
}
