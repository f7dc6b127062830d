// One list for one visitor: the union of the models' candidates, blended, without what must not be shown, in an order
// that is never empty while there is an item to show.
import { decayFactor } from "../math/exp2.ts";
import { hash32 } from "../math/hash.ts";
import { createCandidateList, nextBest, startBestFirst } from "../model/candidates.ts";
import { LIST_MAX } from "../model/config.ts";
import type { Models } from "../model/models.ts";
import { arrange, type Candidate, type Origin } from "./arrange.ts";
import { barsOf, itemForRules, type BarOf } from "./bars.ts";
import { createCrowd } from "./crowd.ts";
import { feedbackOf } from "./feedback.ts";
import { inspectionOf, newTrace, type Trace } from "./inspect.ts";
import { reasonsOf } from "./reasons.ts";
import type {
  Inspection, RankedItem, RankedList, RankPin, RankQuery, ScoreFactor, SimilarOptions, Strategy, TrendingOptions,
} from "./recommender.ts";

export const LIMIT_MAX = 200;
const BOOSTED_FACTOR = 3; // Candidates that boosts may lift, per item of the list; rules cost more than all models.
const BOOSTED_MIN = 60;
const EXPLORE_AMONG_MAX = 24; // Newest items that are compared for one place in the list.
const PIN_LOOK_MAX = 2_000; // Items beyond the candidates that a pin's condition is asked of.

const NEW_ITEM_MS = 3 * 86_400_000;
const NEW_ITEM_EVENTS_MAX = 20; // By then the models know it.
const EXPLORE_LIMIT_MIN = 5; // Shorter lists have no place to spare.
const EXPLORE_PLACES = 5; // The new item takes one of the last places.
const SEED = 0x3f29a1;

export interface Ranking {
  recommend(query: RankQuery): RankedList;
  inspect(query: RankQuery, itemIds: readonly string[]): Inspection;
  similar(itemId: string, options: SimilarOptions): RankedList;
  trending(options: TrendingOptions): RankedList;
  modelLists(query: RankQuery): string[][];
}

interface Made {
  readonly strategy: Strategy;
  readonly chosen: readonly Candidate[];
  readonly barOf: BarOf;
}

export function createRanking(models: Models): Ranking {
  const { items, popularity, content, contexts, lists, situation } = models;
  const proposed = createCandidateList(lists.length * LIST_MAX);
  const listOfModel = new Map(models.models.map((model, m) => [model.name, lists[m]!]));

  /** Candidates in order, best first, beyond what the models propose: the popular, then the newest, then any. */
  function* fallback(nowMs: number): Generator<[slot: number, origin: Origin]> {
    const top = popularity.popular();
    for (let i = 0; i < popularity.popularCount; i++) {
      if (models.crowd.isPublic(top[i]!, nowMs)) yield [top[i]!, "popular"];
    }
    for (const slot of models.newest()) yield [slot, "newest"];
    for (let slot = items.slotEnd - 1; slot >= 0; slot--) if (items.isUsed(slot)) yield [slot, "newest"];
  }
  function* fillers(barOf: BarOf): Generator<Candidate> {
    for (const [slot, origin] of fallback(situation.nowMs)) {
      if (barOf(slot) === undefined) yield { slot, score: 0, item: items.itemAt(slot), origin };
    }
  }
  const crowd = createCrowd(models, fallback);

  const strategyOf = (): Strategy => {
    if (situation.trailLength > 0) return "blend";
    if (situation.pastLength > 0) return "history";
    if (situation.interests.length > 0 && listOfModel.get("content")!.length > 0) return "interests";
    if (listOfModel.get("context")!.length > 0) return contexts.isDemographic(situation) ? "demographics" : "context";
    if (popularity.popularCount > 0) return "popular";
    return items.count > 0 ? "newest" : "empty";
  };

  /** A new item that this visitor may be shown, by his interests or by hash; -1 for none. */
  const exploration = (query: RankQuery, barOf: BarOf, isListed: (slot: number) => boolean): number => {
    if (popularity.popularCount === 0) return -1;
    let best = -1;
    let bestAppeal = -1;
    let compared = 0;
    const appealOf = content.appealTo(situation);
    // Equal appeal: another item every minute, the same for all servers.
    const draw = hash32(`${query.personKey}|${Math.floor(query.nowMs / 60_000)}`, SEED);
    for (const slot of models.newest()) {
      if (compared >= EXPLORE_AMONG_MAX) break;
      if (items.listedAt(slot) + NEW_ITEM_MS < query.nowMs) continue;
      if (popularity.countAt(slot, query.nowMs) > NEW_ITEM_EVENTS_MAX || isListed(slot)) continue;
      if (barOf(slot) !== undefined) continue;
      compared++;
      const appeal = appealOf(slot) + (hash32(items.idAt(slot), draw) / 4_294_967_296) * 0.1;
      if (appeal > bestAppeal) {
        bestAppeal = appeal;
        best = slot;
      }
    }
    return best;
  };

  /** Candidates that may be in the list, by the models' score and what the visitor turned away from. */
  const candidatesOf = (query: RankQuery, wanted: number, barOf: BarOf, trace: Trace | undefined): Candidate[] => {
    models.rank(proposed);
    trace?.proposed(proposed);
    const feedback = feedbackOf(models, query.history, query.nowMs);
    if (feedback !== undefined) {
      const { slots, scores } = proposed;
      for (let i = 0; i < proposed.length; i++) {
        const by = feedback.factor(slots[i]!);
        scores[i] = scores[i]! * by;
        if (by !== 1) trace?.factor(slots[i]!, { kind: "feedback", by });
      }
    }
    startBestFirst(proposed);
    const found: Candidate[] = [];
    while (found.length < wanted && proposed.length > 0) {
      const at = nextBest(proposed);
      const slot = proposed.slots[at]!;
      if (barOf(slot) === undefined) found.push({ slot, score: proposed.scores[at]!, item: items.itemAt(slot) });
    }
    return found;
  };

  /** What rules make of a candidate's score. */
  const scored = ({ slot, score, item }: Candidate, query: RankQuery, trace: Trace | undefined): Candidate => {
    const { boosts = [], freshness, tired } = query;
    let changed = score;
    const times = (by: number, factor: Omit<ScoreFactor, "by">): void => {
      changed *= by;
      trace?.factor(slot, { ...factor, by });
    };
    for (let i = 0; i < boosts.length; i++) {
      const { when, by, rule = i } = boosts[i]!;
      if (when(itemForRules(models, slot))) times(by, { kind: "boost", rule });
    }
    if (freshness !== undefined) {
      const bornMs = item?.published_at ?? (items.listedAt(slot) || items.firstSeenAt(slot));
      const left = decayFactor(Math.max(0, query.nowMs - bornMs), freshness.halfLifeMs);
      times(1 - freshness.weight * (1 - left), { kind: "freshness" });
    }
    if (tired !== undefined && tired.items.has(items.idAt(slot))) times(tired.by, { kind: "frequency" });
    return { slot, score: changed, item };
  };

  /** Each pin with the item that stands there; one that finds none, or lies beyond the list, leaves its place. */
  const pinnedOf = (pins: readonly RankPin[], limit: number, ranked: readonly Candidate[], barOf: BarOf) => {
    const taken = new Set<number>();
    const isFree = (slot: number): boolean => {
      const bar = taken.has(slot) ? "taken" : barOf(slot);
      return bar === undefined || bar === "too_often_shown";
    };
    const find = ({ itemId, when }: RankPin): Candidate | undefined => {
      if (itemId !== undefined) {
        const slot = items.slotOf(itemId);
        return slot >= 0 && isFree(slot) ? { slot, score: 0, item: items.itemAt(slot) } : undefined;
      }
      const fits = ({ slot, item }: Candidate): boolean => isFree(slot) && when!(item ?? itemForRules(models, slot));
      const best = ranked.find(fits);
      if (best !== undefined) return best;
      let looked = 0;
      for (const filler of fillers(barOf)) {
        if (fits(filler)) return filler;
        if (++looked >= PIN_LOOK_MAX) return undefined;
      }
      return undefined;
    };
    return pins.flatMap((pin) => {
      const found = pin.at > limit ? undefined : find(pin);
      if (found === undefined) return [];
      taken.add(found.slot);
      const score = ranked.find(({ slot }) => slot === found.slot)?.score ?? 0;
      return [{ at: pin.at, candidate: { ...found, score, origin: "pinned" as const } }];
    });
  };

  const make = (query: RankQuery, trace?: Trace): Made => {
    const limit = Math.max(0, Math.min(query.limit, LIMIT_MAX));
    models.list(query, query.nowMs);
    const barOf = barsOf(models, query);
    const found = candidatesOf(query, Math.max(BOOSTED_MIN, BOOSTED_FACTOR * limit), barOf, trace);
    const ranked = found.map((candidate) => scored(candidate, query, trace));
    ranked.sort((a, b) => b.score - a.score || a.slot - b.slot);
    trace?.ranked(ranked);
    const chosen = arrange(ranked, {
      limit,
      diversity: query.diversity ?? 0,
      caps: query.caps ?? [],
      pinned: query.pins === undefined || query.pins.length === 0 ? [] : pinnedOf(query.pins, limit, ranked, barOf),
      fillers: () => fillers(barOf),
      explore: (count, isListed) => {
        if (limit < EXPLORE_LIMIT_MIN || count < EXPLORE_LIMIT_MIN) return undefined;
        const slot = exploration(query, barOf, isListed);
        if (slot < 0) return undefined;
        const candidate = { slot, score: 0, item: items.itemAt(slot), origin: "exploration" as const };
        return { candidate, fromEnd: hash32(query.personKey, SEED) % EXPLORE_PLACES };
      },
      onCapped: trace?.capped,
    });
    const isRanked = ranked.length > 0;
    return { strategy: chosen.length === 0 ? "empty" : isRanked ? strategyOf() : "popular", chosen, barOf };
  };

  /**
   * Nothing is left for whoever has seen all of it: rather again what he has opened, or been shown too often, than
   * nothing. What was bought or waved away, and what filters leave out, stays out.
   */
  const makeSome = (query: RankQuery, trace?: Trace): Made => {
    const made = make(query, trace);
    const kinds = query.excludeKinds ?? [];
    const isWorn = kinds.includes("seen") || kinds.includes("session") || query.tired?.by === 0;
    if (made.chosen.length > 0 || query.limit <= 0 || !isWorn || items.count === 0) return made;
    trace?.again();
    const left = kinds.filter((kind) => kind !== "seen" && kind !== "session");
    const again = make({ ...query, excludeKinds: left, tired: undefined }, trace);
    return { ...again, strategy: again.chosen.length === 0 ? "empty" : "seen_again" };
  };

  const listOf = ({ strategy, chosen }: Made, explain: boolean): RankedList => ({
    strategy,
    items: chosen.map(({ slot, score, origin }): RankedItem => {
      const itemId = items.idAt(slot);
      return explain ? { itemId, score, reasons: reasonsOf(models, slot, origin) } : { itemId, score };
    }),
  });

  return {
    recommend: (query) => listOf(makeSome(query), query.explain === true),
    inspect(query, itemIds) {
      const trace = newTrace();
      const made = makeSome(query, trace);
      return inspectionOf(models, { list: listOf(made, true), made, trace, query, itemIds });
    },
    similar: (itemId, options) => crowd.similar(itemId, options),
    trending: (options) => crowd.trending(options),
    modelLists(query) {
      const barOf = barsOf(models, query);
      return lists.map(({ slots, length }) => {
        const ids: string[] = [];
        for (let i = 0; i < length && ids.length < query.limit; i++) {
          if (barOf(slots[i]!) === undefined) ids.push(items.idAt(slots[i]!));
        }
        return ids;
      });
    },
  };
}
