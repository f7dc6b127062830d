// One list for one visitor: the union of the models' candidates, blended, without what must not be shown, in an order
// that is never empty while there is an item to show.
import type { Item } from "../item/item.ts";
import { hash32 } from "../math/hash.ts";
import { createCandidateList, nextBest, startBestFirst } from "../model/candidates.ts";
import { LIST_MAX } from "../model/config.ts";
import type { Models } from "../model/models.ts";
import { diversify, type RankCandidate } from "./diversity.ts";
import { excludedByHistory, feedbackOf } from "./feedback.ts";
import type { RankedItem, RankedList, RankQuery, Reason, SimilarOptions, Strategy, TrendingOptions } from "./recommender.ts";

export const LIMIT_MAX = 200;
const POOL_FACTOR = 3; // Candidates that diversity chooses from, per item of the list.
const BOOSTED_FACTOR = 3; // Candidates that boosts may lift, per item of the list; rules cost more than all models.
const BOOSTED_MIN = 60;
const EXPLORE_AMONG_MAX = 48; // Newest items that are compared for one place in the list.
const REASONS_MAX = 3;
const REASON_WEIGHT_MIN = 0.01;

const NEW_ITEM_MS = 3 * 86_400_000;
const NEW_ITEM_EVENTS_MAX = 20; // By then the models know it.
const EXPLORE_LIMIT_MIN = 5; // Shorter lists have no place to spare.
const EXPLORE_PLACES = 5; // The new item takes one of the last places.
const SEED = 0x3f29a1;

export interface Ranking {
  recommend(query: RankQuery): RankedList;
  similar(itemId: string, options: SimilarOptions): RankedList;
  trending(options: TrendingOptions): RankedList;
  modelLists(query: RankQuery): string[][];
}

/** Decides which items may be in a list at all. */
type Gate = (slot: number) => boolean;

export function createRanking(models: Models): Ranking {
  const { items, popularity, content, blend, lists, situation } = models;
  const proposed = createCandidateList(lists.length * LIST_MAX);

  const itemForRules = (slot: number): Item => items.itemAt(slot) ?? { item_id: items.idAt(slot), categories: [], tags: [] };

  const gateOf = (query: {
    filter?: ((item: Item) => boolean) | undefined;
    excluded?: (itemId: string) => boolean;
    isOwn?: (slot: number) => boolean;
  }): Gate => {
    const { filter, excluded, isOwn } = query;
    const { catalogueOnly } = models.config;
    return (slot) => {
      const item = items.itemAt(slot);
      if (item === undefined ? catalogueOnly : item.available === false) return false;
      if (isOwn?.(slot) === true || excluded?.(items.idAt(slot)) === true) return false;
      return filter === undefined || filter(itemForRules(slot));
    };
  };

  const gateOfQuery = (query: RankQuery): Gate => {
    const kinds = query.excludeKinds ?? [];
    const fromHistory = excludedByHistory(query.history, kinds);
    const { exclude, pageItemId, filter } = query;
    const { trail, trailLength } = situation;
    const leavesSession = kinds.includes("session") || kinds.includes("seen");
    const isOwn = leavesSession
      ? (slot: number): boolean => {
          for (let i = 0; i < trailLength; i++) if (trail[i] === slot) return true;
          return false;
        }
      : undefined;
    const hasExcluded = fromHistory.size > 0 || pageItemId !== undefined || (exclude !== undefined && exclude.size > 0);
    const excluded = (id: string): boolean => id === pageItemId || fromHistory.has(id) || exclude?.has(id) === true;
    return gateOf({ filter, ...(hasExcluded ? { excluded } : {}), ...(isOwn === undefined ? {} : { isOwn }) });
  };

  /** Slots in order, best first, beyond what the models propose: the popular, then the newest, then any. */
  function* fallback(): Generator<[slot: number, strategy: Strategy]> {
    const top = popularity.popular();
    for (let i = 0; i < popularity.popularCount; i++) yield [top[i]!, "popular"];
    for (const slot of models.newest()) yield [slot, "newest"];
    for (let slot = items.slotEnd - 1; slot >= 0; slot--) if (items.isUsed(slot)) yield [slot, "newest"];
  }

  const strategyOf = (): Strategy => {
    if (situation.trailLength > 0) return "blend";
    if (situation.pastLength > 0) return "history";
    const names = models.models.map((model) => model.name);
    if (situation.interests.length > 0 && lists[names.indexOf("content")]!.length > 0) return "interests";
    if (lists[names.indexOf("context")]!.length > 0) return "context";
    if (popularity.popularCount > 0) return "popular";
    return items.count > 0 ? "newest" : "empty";
  };

  const isOwn = (slot: number): boolean => situation.trail.subarray(0, situation.trailLength).includes(slot);

  /** Which models put the item where it is, and on what account; shares of the sum of their chances. */
  const reasonsOf = (slot: number, strategy: Strategy): Reason[] => {
    const found: Reason[] = [];
    let all = 0;
    for (let m = 0; m < lists.length; m++) {
      const rank = lists[m]!.slots.subarray(0, lists[m]!.length).indexOf(slot);
      if (rank < 0) continue;
      const weight = blend.chance(m, lists[m]!, rank, { lengthBucket: situation.lengthBucket, isOwn: isOwn(slot) });
      all += weight;
      const because = models.models[m]!.because(situation, slot).map((own) => items.idAt(own));
      found.push({ source: models.models[m]!.name, because, weight });
    }
    if (found.length === 0) return [{ source: strategy, because: [], weight: 1 }];
    for (const reason of found) reason.weight /= all;
    found.sort((a, b) => b.weight - a.weight);
    return found.slice(0, REASONS_MAX).filter((reason, i) => i === 0 || reason.weight >= REASON_WEIGHT_MIN);
  };

  /** A new item that this visitor may be shown, by his interests or by hash; -1 for none. */
  const exploration = (query: RankQuery, gate: Gate, isListed: (slot: number) => boolean): number => {
    if (popularity.popularCount === 0) return -1;
    let best = -1;
    let bestAppeal = -1;
    let compared = 0;
    const appealOf = content.appealTo(situation);
    for (const slot of models.newest()) {
      if (compared >= EXPLORE_AMONG_MAX) break;
      if (items.listedAt(slot) + NEW_ITEM_MS < query.nowMs) continue;
      if (popularity.countAt(slot, query.nowMs) > NEW_ITEM_EVENTS_MAX || isListed(slot) || !gate(slot)) continue;
      compared++;
      // Equal appeal: another item every minute, the same for all servers.
      const lot = hash32(`${query.personKey}|${items.idAt(slot)}|${Math.floor(query.nowMs / 60_000)}`, SEED) / 4_294_967_296;
      const appeal = appealOf(slot) + lot * 0.1;
      if (appeal > bestAppeal) {
        bestAppeal = appeal;
        best = slot;
      }
    }
    return best;
  };

  return {
    recommend(query) {
      const limit = Math.max(0, Math.min(query.limit, LIMIT_MAX));
      models.list(query, query.nowMs);
      let strategy = strategyOf();
      const gate = gateOfQuery(query);
      const feedback = feedbackOf(models, query.history, query.nowMs);
      const wanted = Math.max(BOOSTED_MIN, BOOSTED_FACTOR * limit);
      models.rank(proposed);
      if (feedback !== undefined) {
        const { slots, scores } = proposed;
        for (let i = 0; i < proposed.length; i++) scores[i] = scores[i]! * feedback.factor(slots[i]!);
      }
      startBestFirst(proposed);
      const found: RankCandidate[] = [];
      while (found.length < wanted && proposed.length > 0) {
        const at = nextBest(proposed);
        const slot = proposed.slots[at]!;
        if (gate(slot)) found.push({ slot, score: proposed.scores[at]!, item: items.itemAt(slot) });
      }
      const ranked = found.map(({ slot, score, item }): RankCandidate => {
        let boosted = score;
        for (const { when, by } of query.boosts ?? []) if (when(itemForRules(slot))) boosted *= by;
        return { slot, score: boosted, item };
      });
      ranked.sort((a, b) => b.score - a.score || a.slot - b.slot);

      const diversity = query.diversity ?? 0;
      const pool = ranked.slice(0, diversity > 0 ? limit * POOL_FACTOR : limit);
      if (pool.length < limit) {
        const inPool = new Set(pool.map(({ slot }) => slot));
        if (pool.length === 0) strategy = "popular";
        for (const [slot] of fallback()) {
          if (pool.length >= limit) break;
          if (inPool.has(slot) || !gate(slot)) continue;
          inPool.add(slot);
          pool.push({ slot, score: 0, item: items.itemAt(slot) });
        }
      }
      const chosen = diversify(pool, limit, diversity);
      if (limit >= EXPLORE_LIMIT_MIN && chosen.length >= EXPLORE_LIMIT_MIN) {
        const fresh = exploration(query, gate, (slot) => chosen.some((candidate) => candidate.slot === slot));
        if (fresh >= 0) {
          const place = chosen.length - 1 - (hash32(query.personKey, SEED) % EXPLORE_PLACES);
          chosen.splice(place, 0, { slot: fresh, score: chosen[place]!.score, item: items.itemAt(fresh) });
          chosen.length = Math.min(chosen.length, limit);
        }
      }
      return {
        strategy: chosen.length === 0 ? "empty" : strategy,
        items: chosen.map(({ slot, score }): RankedItem => {
          const itemId = items.idAt(slot);
          return query.explain === true ? { itemId, score, reasons: reasonsOf(slot, strategy) } : { itemId, score };
        }),
      };
    },
    similar(itemId, options) {
      const slot = items.slotOf(itemId);
      const gate = gateOf({ filter: options.filter, excluded: (id) => id === itemId });
      const scores = new Map<number, number>();
      const sources = new Map<number, string>();
      if (slot >= 0) {
        models.cosine.neighbours(slot, options.nowMs, (other, cosine) => {
          scores.set(other, cosine);
          sources.set(other, "cosine");
        });
        // Content fills in where sessions say little.
        for (const other of content.like(slot)) {
          const likeness = content.likeness(slot, other);
          if (!scores.has(other)) sources.set(other, "content");
          scores.set(other, (scores.get(other) ?? 0) + 0.2 * likeness);
        }
      }
      const chosen = [...scores]
        .filter(([other]) => gate(other))
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .slice(0, options.limit);
      let strategy: Strategy = chosen.length > 0 ? "similar" : "popular";
      const listed = new Set(chosen.map(([other]) => other));
      for (const [other] of fallback()) {
        if (chosen.length >= options.limit) break;
        if (listed.has(other) || !gate(other)) continue;
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
      const gate = gateOf({ filter: options.filter });
      const { trend } = models;
      const top = trend.popular();
      const found: [slot: number, score: number][] = [];
      for (let i = 0; i < trend.popularCount; i++) {
        const slot = top[i]!;
        if (!gate(slot)) continue;
        const fast = trend.countAt(slot, options.nowMs);
        const steady = popularity.countAt(slot, options.nowMs) / models.trendSpeed;
        // How many events more than its own steady rate explains, in units of their chance fluctuation.
        const rise = (fast - steady) / Math.sqrt(steady + 1);
        if (rise > 0) found.push([slot, rise]);
      }
      found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const chosen = found.slice(0, options.limit);
      const listed = new Set(chosen.map(([slot]) => slot));
      for (const [slot] of fallback()) {
        if (chosen.length >= options.limit) break;
        if (listed.has(slot) || !gate(slot)) continue;
        listed.add(slot);
        chosen.push([slot, 0]);
      }
      return {
        strategy: chosen.length === 0 ? "empty" : found.length > 0 ? "trending" : "popular",
        items: chosen.map(([slot, score]) => ({ itemId: items.idAt(slot), score })),
      };
    },
    modelLists(query) {
      const gate = gateOfQuery(query);
      return lists.map(({ slots, length }) => {
        const ids: string[] = [];
        for (let i = 0; i < length && ids.length < query.limit; i++) if (gate(slots[i]!)) ids.push(items.idAt(slots[i]!));
        return ids;
      });
    },
  };
}
