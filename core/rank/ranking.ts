// One list for one visitor: the union of the models' candidates, blended, without what must not be shown, in an order
// that is never empty while there is an item to show.
import { decayFactor } from "../math/exp2.ts";
import { hash32 } from "../math/hash.ts";
import { createCandidateList, nextBest, startBestFirst } from "../model/candidates.ts";
import { LIST_MAX } from "../model/config.ts";
import type { Models } from "../model/models.ts";
import { arrange, type Arrangement, type Candidate } from "./arrange.ts";
import { barsOf, itemForRules, type BarOf } from "./bars.ts";
import { createCrowdLists, strategyOfFillers } from "./crowd-lists.ts";
import { feedbackOf, type Feedback } from "./feedback.ts";
import { inspectionOf, newTrace, type Trace } from "./inspect.ts";
import { reasonsOf } from "./reasons.ts";
import type { Inspection, Origin, RankedItem, RankedList, RankPin, RankQuery, SimilarOptions, Strategy, TrendingOptions } from "./query.ts";

const LIMIT_MAX = 200;
const BOOSTED_FACTOR = 3; // Candidates that boosts may lift, per item of the list; rules cost more than all models.
const BOOSTED_MIN = 60;
const EXPLORE_AMONG_MAX = 24; // Newest items that are compared for one place in the list.
const PIN_LOOK_MAX = 2_000; // Items beyond the candidates that a pin's condition is asked of.

const NEWEST_MS = 30 * 86_400_000; // Whoever reads "newest" of an older item is told what is not true.
const NEW_ITEM_MS = 3 * 86_400_000;
const NEW_ITEM_EVENTS_MAX = 20; // By then the models know it.
const EXPLORE_LIMIT_MIN = 5; // Shorter lists have no place to spare.
const EXPLORE_PLACES = 5; // The new item takes one of the last places, in the second half of a short list.
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

interface FillersOf {
  readonly barOf: BarOf;
  readonly feedback: Feedback | undefined;
  /** What has a score already. */
  readonly ranked: readonly Candidate[];
  readonly last: readonly Candidate[];
  /** Fillers that rules are asked about. */
  readonly wanted: number;
  readonly trace: Trace | undefined;
}

interface PinnedFrom extends Pick<Arrangement, "fillers" | "last"> {
  /** Candidates, best first; what a pin's condition is asked of where none meets it are the fillers, then the last. */
  readonly first: readonly Candidate[];
  readonly barOf: BarOf;
  readonly scoreOf: (slot: number) => number;
}

export function createRanking(models: Models): Ranking {
  const { items, popularity, content, contexts, lists, situation } = models;
  const proposed = createCandidateList(lists.length * LIST_MAX);
  const listOfModel = new Map(models.models.map((model, m) => [model.name, lists[m]!]));

  /** Candidates in order, best first, beyond what the models propose: the popular, then those listed last, then any. */
  function* fallback(nowMs: number): Generator<[slot: number, origin: Origin]> {
    const top = popularity.popular();
    for (let i = 0; i < popularity.popularCount; i++) {
      if (models.crowd.isPublic(top[i]!, nowMs)) yield [top[i]!, "popular"];
    }
    const originOf = (slot: number): Origin => (items.firstSeenAt(slot) + NEWEST_MS >= nowMs ? "newest" : "other");
    for (const slot of models.newest()) yield [slot, originOf(slot)];
    for (let slot = items.slotEnd - 1; slot >= 0; slot--) if (items.isUsed(slot)) yield [slot, originOf(slot)];
  }
  function* fillers(barOf: BarOf): Generator<Candidate> {
    for (const [slot, origin] of fallback(situation.nowMs)) {
      if (barOf(slot) === undefined) yield { slot, score: 0, item: items.itemAt(slot), origin };
    }
  }
  const crowdLists = createCrowdLists(models, fallback);

  const strategyOf = (): Strategy => {
    if (situation.trailLength > 0) return "blend";
    if (situation.pastLength > 0) return "history";
    if (situation.interests.length > 0 && listOfModel.get("content")!.length > 0) return "interests";
    if (listOfModel.get("context")!.length > 0) return contexts.isDemographic(situation) ? "demographics" : "context";
    if (popularity.popularCount > 0) return "popular";
    return items.count > 0 ? "newest" : "empty";
  };

  /** A new item that this visitor may be shown, by his interests or by hash; -1 for none. */
  const exploration = (
    query: RankQuery,
    barOf: BarOf,
    isUnwanted: (slot: number) => boolean,
  ): number => {
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
      if (popularity.countAt(slot, query.nowMs) > NEW_ITEM_EVENTS_MAX || isUnwanted(slot)) continue;
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
  const candidatesOf = (query: RankQuery, how: Pick<FillersOf, "barOf" | "feedback" | "wanted" | "trace">): Candidate[] => {
    const { barOf, feedback, wanted, trace } = how;
    models.rank(proposed);
    trace?.proposed(proposed);
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
      if (barOf(slot) !== undefined) continue;
      found.push({ slot, score: scored(slot, proposed.scores[at]!, query, trace), item: items.itemAt(slot) });
    }
    return found.sort((a, b) => b.score - a.score || a.slot - b.slot);
  };

  /** What rules make of an item's score. */
  const scored = (slot: number, score: number, { boosts = [], freshness, tired, nowMs }: RankQuery, trace: Trace | undefined): number => {
    let changed = score;
    for (let i = 0; i < boosts.length; i++) {
      const { when, by, rule = i } = boosts[i]!;
      if (!when(itemForRules(models, slot))) continue;
      changed *= by;
      trace?.factor(slot, { kind: "boost", rule, by });
    }
    if (freshness !== undefined) {
      const left = decayFactor(Math.max(0, nowMs - items.firstSeenAt(slot)), freshness.halfLifeMs);
      const by = 1 - freshness.weight * (1 - left);
      changed *= by;
      trace?.factor(slot, { kind: "freshness", by });
    }
    if (tired !== undefined && tired.items.has(items.idAt(slot))) {
      changed *= tired.by;
      trace?.factor(slot, { kind: "frequency", by: tired.by });
    }
    return changed;
  };

  /**
   * What fills the list that `ranked` is too short for. No model gave these items a score, so factors set their order:
   * what rules lift comes first, what they lower and what the visitor turned away from later. Behind all of them come
   * those of no worth, and what `last` names.
   */
  const fillersOf = (query: RankQuery, how: FillersOf): Pick<Arrangement, "fillers" | "last"> => {
    const { barOf, feedback, ranked, last, wanted, trace } = how;
    const { boosts = [], freshness, tired } = query;
    if (boosts.length === 0 && freshness === undefined && tired === undefined && feedback === undefined) {
      return { fillers: () => fillers(barOf), last: () => last };
    }
    const judged = (candidate: Candidate): Candidate => {
      const { slot } = candidate;
      const by = feedback?.factor(slot) ?? 1;
      if (by !== 1) trace?.factor(slot, { kind: "feedback", by });
      return { ...candidate, score: scored(slot, by, query, trace) };
    };
    const byFactor = (): Candidate[] => {
      const known = new Set(ranked.map(({ slot }) => slot));
      const found: Candidate[] = [];
      for (const filler of fillers(barOf)) {
        if (known.has(filler.slot)) continue;
        known.add(filler.slot);
        found.push(judged(filler));
        if (found.length >= wanted) break;
      }
      return found.sort((a, b) => b.score - a.score);
    };
    let found: Candidate[] | undefined;
    const inOrder = (): Candidate[] => (found ??= byFactor());
    const isWorthless = ({ score }: Candidate): boolean => score <= 0;
    const bans = boosts.filter(({ by }) => by === 0);
    /** Beyond those whose order rules set, what the factor 0 puts last all the same. */
    let banned: Candidate[] = [];
    return {
      *fillers() {
        for (const filler of inOrder()) if (!isWorthless(filler)) yield { ...filler, score: 0 };
        // A filter that little passes has had the whole catalogue looked at: once is enough.
        if (inOrder().length < wanted) return;
        const late = new Set([...last, ...inOrder().filter(isWorthless)].map(({ slot }) => slot));
        banned = [];
        for (const filler of fillers(barOf)) {
          if (late.has(filler.slot)) continue;
          if (bans.some(({ when }) => when(itemForRules(models, filler.slot)))) banned.push(filler);
          else yield filler;
        }
      },
      *last() {
        yield* inOrder().filter(isWorthless);
        yield* banned;
        for (const candidate of last) yield { ...candidate, score: 0 };
      },
    };
  };

  /** Each pin with the item that stands there; one that finds none, or lies beyond the list, leaves its place. */
  const pinnedOf = (pins: readonly RankPin[], limit: number, { first, barOf, scoreOf, ...others }: PinnedFrom) => {
    const taken = new Set<number>();
    const isFree = (slot: number): boolean => {
      const bar = taken.has(slot) ? "taken" : barOf(slot);
      return bar === undefined || bar === "too_often_shown";
    };
    // What a pin names is kept for it: one that takes whatever meets its condition may stand before it.
    const named = new Set(pins.flatMap(({ at, itemId }) => (itemId === undefined || at > limit ? [] : [items.slotOf(itemId)])));
    const find = ({ itemId, when }: RankPin): Candidate | undefined => {
      if (itemId !== undefined) {
        const slot = items.slotOf(itemId);
        return slot >= 0 && isFree(slot) ? { slot, score: 0, item: items.itemAt(slot) } : undefined;
      }
      const fits = ({ slot, item }: Candidate): boolean =>
        !named.has(slot) && isFree(slot) && when!(item ?? itemForRules(models, slot));
      const best = first.find(fits);
      if (best !== undefined) return best;
      let looked = 0;
      for (const filler of others.fillers()) {
        if (fits(filler)) return filler;
        if (++looked >= PIN_LOOK_MAX) break;
      }
      for (const candidate of others.last()) if (fits(candidate)) return candidate;
      return undefined;
    };
    return pins.flatMap((pin) => {
      const found = pin.at > limit ? undefined : find(pin);
      if (found === undefined) return [];
      taken.add(found.slot);
      return [{ at: pin.at, candidate: { ...found, score: scoreOf(found.slot), origin: "pinned" as const } }];
    });
  };

  const make = (query: RankQuery, trace?: Trace): Made => {
    const limit = Math.max(0, Math.min(query.limit, LIMIT_MAX));
    models.list(query, query.nowMs);
    const barOf = barsOf(models, query);
    const feedback = feedbackOf(models, query.history, query.nowMs);
    const wanted = Math.max(BOOSTED_MIN, BOOSTED_FACTOR * limit);
    const ranked = candidatesOf(query, { barOf, feedback, wanted, trace });
    // Rather anything else than what a rule puts last or the visitor turned away from.
    const isLast = ({ slot, score }: Candidate): boolean => score <= 0 || feedback?.isTurnedAway(slot) === true;
    const last = ranked.filter(isLast);
    const first = last.length === 0 ? ranked : ranked.filter((candidate) => !isLast(candidate));
    trace?.ranked(first, last);
    const others = fillersOf(query, { barOf, feedback, ranked, last, wanted, trace });
    const { pins = [] } = query;
    const scoreOf = (slot: number): number => ranked.find((candidate) => candidate.slot === slot)?.score ?? 0;
    const chosen = arrange(first, {
      limit,
      diversity: query.diversity ?? 0,
      caps: query.caps ?? [],
      pinned: pins.length === 0 ? [] : pinnedOf(pins, limit, { first, barOf, scoreOf, ...others }),
      ...others,
      explore: (count, isListed) => {
        if (limit < EXPLORE_LIMIT_MIN || count < EXPLORE_LIMIT_MIN) return undefined;
        const isUnwanted = (slot: number): boolean =>
          isListed(slot) || feedback?.isTurnedAway(slot) === true ||
          query.boosts?.some(({ when, by }) => by === 0 && when(itemForRules(models, slot))) === true;
        const slot = exploration(query, barOf, isUnwanted);
        if (slot < 0) return undefined;
        const candidate = { slot, score: 0, item: items.itemAt(slot), origin: "exploration" as const };
        return { candidate, fromEnd: hash32(query.personKey, SEED) % Math.min(EXPLORE_PLACES, count >> 1) };
      },
      onCapped: trace?.capped,
    });
    const filled = (): Strategy => strategyOfFillers(chosen.map(({ origin }) => origin));
    return { strategy: chosen.length === 0 ? "empty" : ranked.length > 0 ? strategyOf() : filled(), chosen, barOf };
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
      const ranked: RankedItem = { itemId: items.idAt(slot), score };
      if (explain) ranked.reasons = reasonsOf(models, slot, origin);
      if (origin === "pinned") ranked.isPinned = true;
      return ranked;
    }),
  });

  return {
    recommend: (query) => listOf(makeSome(query), query.explain === true),
    inspect(query, itemIds) {
      const trace = newTrace();
      const made = makeSome(query, trace);
      return inspectionOf(models, { list: listOf(made, true), made, trace, query, itemIds });
    },
    similar: crowdLists.similar,
    trending: crowdLists.trending,
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
