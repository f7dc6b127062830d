// Re-ranking for variety, in the manner of maximal marginal relevance (Carbonell & Goldstein 1998), by categories,
// within what caps leave room for.
import type { Item } from "../item/item.ts";
import type { FullCap } from "./query.ts";
import type { CapCounter } from "./caps.ts";

export interface RankCandidate {
  readonly slot: number;
  readonly score: number;
  readonly item: Item | undefined;
}

export interface Choice<T> {
  readonly limit: number;
  /** 0 keeps the order, 1 looks at categories alone. */
  readonly diversity: number;
  /** Places over which a candidate's worth falls to nothing; the pool's length where it is not said. */
  readonly depth?: number;
  readonly caps?: CapCounter | undefined;
  /** Told of each candidate that a cap keeps out. */
  readonly onCapped?: ((candidate: T, cap: FullCap) => void) | undefined;
}

/**
 * The best of `pool` (best first), each step choosing what is both high in the pool and unlike what was chosen.
 * O(limit · pool). What it chooses is counted in `caps`.
 */
export function diversify<T extends RankCandidate>(pool: readonly T[], choice: Choice<T>): T[] {
  const { limit, diversity, caps, onCapped } = choice;
  if (caps === undefined && (diversity <= 0 || pool.length <= 1)) return pool.slice(0, limit);
  const depth = choice.depth ?? pool.length;
  const taken = new Uint8Array(pool.length);
  const chosenBy = new Map<string, number>();
  const chosen: T[] = [];
  while (chosen.length < limit && chosen.length < pool.length) {
    let best = -1;
    let bestValue = -Infinity;
    for (let i = 0; i < pool.length; i++) {
      if (taken[i] === 1) continue;
      // By place, not by score: the scores of the first few lie far above the rest, and nothing would ever move.
      const byPlace = (1 - diversity) * (1 - i / depth);
      if (byPlace <= bestValue) break; // Nothing further down can do better.
      const full = caps?.fullFor(pool[i]!.item);
      if (full !== undefined) {
        taken[i] = 1; // Counts only grow.
        onCapped?.(pool[i]!, full);
        continue;
      }
      const value = byPlace - diversity * sameness(pool[i]!.item, chosenBy, chosen.length);
      if (value > bestValue) {
        bestValue = value;
        best = i;
      }
    }
    if (best < 0) break;
    taken[best] = 1;
    const winner = pool[best]!;
    chosen.push(winner);
    caps?.add(winner.item);
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
