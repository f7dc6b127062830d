// Lists that belong to nobody: what is like an item, and what trends.
import { createCandidateList } from "../model/candidates.ts";
import type { Models } from "../model/models.ts";
import { NEIGHBOURS_MAX } from "../model/neighbour-rows.ts";
import { crowdBars, type BarOf } from "./bars.ts";
import type { Origin, RankedItem, RankedList, SimilarOptions, TrendingOptions } from "./query.ts";

export interface CrowdLists {
  /** Never the item itself; filled up where too little is like it. An item that nobody knows has a list of fillers alone. */
  similar(itemId: string, options: SimilarOptions): RankedList;
  /** What rises most, then what fills the list. */
  trending(options: TrendingOptions): RankedList;
}

const CONTENT_WEIGHT = 0.2; // Content fills in where sessions say little.

interface Listed {
  readonly slot: number;
  readonly score: number;
  /** The model that proposed it, or how it came to fill the list. */
  readonly source: string;
}

/** `fallback` gives slots, best first, that fill a list. */
export function createCrowdLists(
  models: Models,
  fallback: (nowMs: number) => Iterable<[slot: number, origin: Origin]>,
): CrowdLists {
  const { items, popularity, trend, content, crowd } = models;
  const pairs = crowd.publicPairsOf(models.cosine);
  const near = createCandidateList(NEIGHBOURS_MAX);

  /** The best of `found`, and behind them what fills the list. */
  const listOf = (
    found: readonly Listed[],
    barOf: BarOf,
    { limit, nowMs, strategy }: { limit: number; nowMs: number; strategy: "similar" | "trending" },
  ): { strategy: RankedList["strategy"]; listed: Listed[] } => {
    const listed = [...found].sort((a, b) => b.score - a.score || a.slot - b.slot).slice(0, limit);
    const known = new Set(listed.map(({ slot }) => slot));
    for (const [slot, origin] of fallback(nowMs)) {
      if (listed.length >= limit) break;
      if (known.has(slot) || barOf(slot) !== undefined) continue;
      known.add(slot);
      listed.push({ slot, score: 0, source: origin });
    }
    if (listed.length === 0) return { strategy: "empty", listed };
    return { strategy: found.length > 0 ? strategy : strategyOfFillers(listed.map(({ source }) => source)), listed };
  };

  return {
    similar(itemId, { limit, nowMs, explain }) {
      const barOf = crowdBars(models, { not: itemId, nowMs });
      const found = new Map<number, Listed>();
      const own = items.slotOf(itemId);
      if (own >= 0) {
        pairs.neighbours(own, nowMs, near);
        for (let i = 0; i < near.length; i++) {
          const slot = near.slots[i]!;
          found.set(slot, { slot, score: near.scores[i]!, source: "cosine" });
        }
        for (const slot of content.like(own)) {
          const { score = 0, source = "content" } = found.get(slot) ?? {};
          found.set(slot, { slot, score: score + CONTENT_WEIGHT * content.likeness(own, slot), source });
        }
      }
      const allowed = [...found.values()].filter(({ slot }) => barOf(slot) === undefined);
      const { strategy, listed } = listOf(allowed, barOf, { limit, nowMs, strategy: "similar" });
      return {
        strategy,
        items: listed.map(({ slot, score, source }): RankedItem => {
          if (explain !== true) return { itemId: items.idAt(slot), score };
          const because = found.has(slot) ? [itemId] : [];
          return { itemId: items.idAt(slot), score, reasons: [{ source, because, weight: 1 }] };
        }),
      };
    },
    trending({ limit, nowMs, filter }) {
      const barOf = crowdBars(models, { filter, nowMs });
      const top = trend.popular();
      const found: Listed[] = [];
      for (let i = 0; i < trend.popularCount; i++) {
        const slot = top[i]!;
        if (barOf(slot) !== undefined || !crowd.isPublicLately(slot, nowMs)) continue;
        const fast = trend.countAt(slot, nowMs);
        const steady = popularity.countAt(slot, nowMs) / models.trendSpeed;
        // How many events more than its own steady rate explains, in units of their chance fluctuation.
        const rise = (fast - steady) / Math.sqrt(steady + 1);
        if (rise > 0) found.push({ slot, score: rise, source: "trend" });
      }
      const { strategy, listed } = listOf(found, barOf, { limit, nowMs, strategy: "trending" });
      return { strategy, items: listed.map(({ slot, score }) => ({ itemId: items.idAt(slot), score })) };
    },
  };
}

/** Of a list that nothing but fillers is in: it is popular where anything of it is. */
export function strategyOfFillers(sources: readonly (string | undefined)[]): "popular" | "newest" {
  return sources.includes("popular") ? "popular" : "newest";
}
