// Lists that belong to nobody: what is like an item, and what trends.
import { createCandidateList } from "../model/candidates.ts";
import type { Models } from "../model/models.ts";
import { NEIGHBOURS_MAX } from "../model/neighbour-rows.ts";
import type { Origin } from "./arrange.ts";
import { crowdBars } from "./bars.ts";
import type { RankedItem, RankedList, SimilarOptions, Strategy, TrendingOptions } from "./recommender.ts";

export interface Crowd {
  similar(itemId: string, options: SimilarOptions): RankedList;
  trending(options: TrendingOptions): RankedList;
}

/** `fallback` gives slots, best first, that fill a list. */
export function createCrowd(models: Models, fallback: (nowMs: number) => Iterable<[slot: number, origin: Origin]>): Crowd {
  const { items, popularity, content } = models;
  return {
    similar(itemId, options) {
      const slot = items.slotOf(itemId);
      const barOf = crowdBars(models, { filter: options.filter, not: itemId, nowMs: options.nowMs });
      const scores = new Map<number, number>();
      const sources = new Map<number, string>();
      if (slot >= 0) {
        const near = createCandidateList(NEIGHBOURS_MAX);
        models.crowd.publicPairsOf(models.cosine).neighbours(slot, options.nowMs, near);
        for (let i = 0; i < near.length; i++) {
          scores.set(near.slots[i]!, near.scores[i]!);
          sources.set(near.slots[i]!, "cosine");
        }
        // Content fills in where sessions say little.
        for (const other of content.like(slot)) {
          const likeness = content.likeness(slot, other);
          if (!scores.has(other)) sources.set(other, "content");
          scores.set(other, (scores.get(other) ?? 0) + 0.2 * likeness);
        }
      }
      const chosen = [...scores]
        .filter(([other]) => barOf(other) === undefined)
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .slice(0, options.limit);
      let strategy: Strategy = chosen.length > 0 ? "similar" : "popular";
      const listed = new Set(chosen.map(([other]) => other));
      for (const [other] of fallback(options.nowMs)) {
        if (chosen.length >= options.limit) break;
        if (listed.has(other) || barOf(other) !== undefined) continue;
        listed.add(other);
        sources.set(other, "popularity");
        chosen.push([other, 0]);
      }
      if (chosen.length === 0) strategy = "empty";
      return {
        strategy,
        items: chosen.map(([other, score]): RankedItem => {
          const source = sources.get(other)!;
          const because = source === "popularity" ? [] : [itemId];
          return options.explain === true
            ? { itemId: items.idAt(other), score, reasons: [{ source, because, weight: 1 }] }
            : { itemId: items.idAt(other), score };
        }),
      };
    },
    trending(options) {
      const barOf = crowdBars(models, { filter: options.filter, nowMs: options.nowMs });
      const { trend } = models;
      const top = trend.popular();
      const found: [slot: number, score: number][] = [];
      for (let i = 0; i < trend.popularCount; i++) {
        const slot = top[i]!;
        if (barOf(slot) !== undefined || !models.crowd.isPublicLately(slot, options.nowMs)) continue;
        const fast = trend.countAt(slot, options.nowMs);
        const steady = popularity.countAt(slot, options.nowMs) / models.trendSpeed;
        // How many events more than its own steady rate explains, in units of their chance fluctuation.
        const rise = (fast - steady) / Math.sqrt(steady + 1);
        if (rise > 0) found.push([slot, rise]);
      }
      found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const chosen = found.slice(0, options.limit);
      const listed = new Set(chosen.map(([slot]) => slot));
      for (const [slot] of fallback(options.nowMs)) {
        if (chosen.length >= options.limit) break;
        if (listed.has(slot) || barOf(slot) !== undefined) continue;
        listed.add(slot);
        chosen.push([slot, 0]);
      }
      return {
        strategy: chosen.length === 0 ? "empty" : found.length > 0 ? "trending" : "popular",
        items: chosen.map(([slot, score]) => ({ itemId: items.idAt(slot), score })),
      };
    },
  };
}
