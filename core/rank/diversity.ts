// Re-ranking for variety, in the manner of maximal marginal relevance (Carbonell & Goldstein 1998), by categories.
import type { Item } from "../item/item.ts";

export interface RankCandidate {
  readonly slot: number;
  readonly score: number;
  readonly item: Item | undefined;
}

/**
 * The best `limit` of `pool` (best first), each step choosing what is both high in the pool and unlike what was chosen.
 * `diversity` 0 keeps the order, 1 looks at categories alone. O(limit · pool).
 */
export function diversify<T extends RankCandidate>(pool: readonly T[], limit: number, diversity: number): T[] {
  if (diversity <= 0 || pool.length <= 1) return pool.slice(0, limit);
  const taken = new Uint8Array(pool.length);
  const chosenBy = new Map<string, number>();
  const chosen: T[] = [];
  while (chosen.length < limit && chosen.length < pool.length) {
    let best = -1;
    let bestValue = -Infinity;
    for (let i = 0; i < pool.length; i++) {
      if (taken[i] === 1) continue;
      // By place, not by score: the scores of the first few lie far above the rest, and nothing would ever move.
      const byPlace = (1 - diversity) * (1 - i / pool.length);
      if (byPlace <= bestValue) break; // Nothing further down can do better.
      const value = byPlace - diversity * sameness(pool[i]!.item, chosenBy, chosen.length);
      if (value > bestValue) {
        bestValue = value;
        best = i;
      }
    }
    taken[best] = 1;
    const winner = pool[best]!;
    chosen.push(winner);
    for (const category of winner.item?.categories ?? []) chosenBy.set(category, (chosenBy.get(category) ?? 0) + 1);
  }
  return chosen;
}

/** Share of the chosen that have the item's most frequent category. */
function sameness(item: Item | undefined, chosenBy: ReadonlyMap<string, number>, chosen: number): number {
  if (chosen === 0 || item === undefined) return 0;
  let most = 0;
  for (const category of item.categories) most = Math.max(most, chosenBy.get(category) ?? 0);
  return most / chosen;
}
