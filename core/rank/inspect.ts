// How a list came about, item by item, and why an item is not in it.
import type { CandidateList } from "../model/candidates.ts";
import type { Models } from "../model/models.ts";
import type { Candidate } from "./arrange.ts";
import type { BarOf } from "./bars.ts";
import { sourcesOf } from "./reasons.ts";
import type { FullCap, Inspection, ItemAccount, RankedList, RankQuery, ScoreFactor, Verdict } from "./query.ts";

/** What is written down while a list is made; the list is the same without it. */
export interface Trace {
  /** The models' scores, before anything else; forgets what was written before. */
  proposed(list: CandidateList): void;
  factor(slot: number, factor: ScoreFactor): void;
  /** What may be in the list, in order of score, and what comes behind everything else. */
  ranked(first: readonly Candidate[], last: readonly Candidate[]): void;
  readonly capped: (slot: number, cap: FullCap) => void;
  /** The list is made once more, by other rules. */
  again(): void;
  readonly found: Found;
}

interface Found {
  /** Slot → place from 1 and score by the models alone. */
  readonly byModels: Map<number, { rank: number; score: number }>;
  readonly factors: Map<number, ScoreFactor[]>;
  /** Slot → place from 1 and score after all factors. */
  readonly byScore: Map<number, { rank: number; score: number; isLast: boolean }>;
  readonly full: Map<number, FullCap>;
}

export function newTrace(): Trace {
  const found: Found = { byModels: new Map(), factors: new Map(), byScore: new Map(), full: new Map() };
  return {
    found,
    proposed({ slots, scores, length }) {
      found.byModels.clear();
      found.factors.clear();
      const places = Array.from({ length }, (_, i) => i);
      places.sort((a, b) => scores[b]! - scores[a]! || slots[a]! - slots[b]!);
      places.forEach((i, place) => found.byModels.set(slots[i]!, { rank: place + 1, score: scores[i]! }));
    },
    factor(slot, factor) {
      const known = found.factors.get(slot);
      if (known === undefined) found.factors.set(slot, [factor]);
      else known.push(factor);
    },
    ranked(first, last) {
      [...first, ...last].forEach(({ slot, score }, i) => {
        found.byScore.set(slot, { rank: i + 1, score, isLast: i >= first.length });
      });
    },
    capped: (slot, cap) => void found.full.set(slot, cap),
    again() {
      found.byScore.clear();
      found.full.clear();
    },
  };
}

export interface InspectionOf {
  readonly list: RankedList;
  readonly made: { readonly chosen: readonly Candidate[]; readonly barOf: BarOf };
  readonly trace: Trace;
  readonly query: RankQuery;
  readonly itemIds: readonly string[];
}

/** To be called before the models are asked again. */
export function inspectionOf(models: Models, { list, made, trace, query, itemIds }: InspectionOf): Inspection {
  const { found } = trace;
  const effectsOf = models.effects();
  const accountOf = (itemId: string, slot: number): ItemAccount => ({
    itemId,
    modelRank: found.byModels.get(slot)?.rank,
    modelScore: found.byModels.get(slot)?.score,
    sources: slot < 0 ? [] : sourcesOf(models, slot),
    effects: slot < 0 ? [] : effectsOf.of(slot),
    factors: found.factors.get(slot) ?? [],
    score: found.byScore.get(slot)?.score,
    scoreRank: found.byScore.get(slot)?.rank,
    origin: made.chosen.find((candidate) => candidate.slot === slot)?.origin,
  });
  return {
    list,
    accounts: made.chosen.map(({ slot }) => accountOf(models.items.idAt(slot), slot)),
    asked: itemIds.map((itemId) => {
      const slot = models.items.slotOf(itemId);
      return { verdict: verdictOf(slot, made, found, query), account: accountOf(itemId, slot) };
    }),
    ranker: effectsOf.ranker,
  };
}

/** In the order in which a list is made: what keeps the item out first is the answer. */
function verdictOf(slot: number, { chosen, barOf }: InspectionOf["made"], found: Found, query: RankQuery): Verdict {
  if (slot < 0) return { kind: "unknown" };
  const rank = chosen.findIndex((candidate) => candidate.slot === slot) + 1;
  if (rank > 0) return { kind: "listed", rank };
  const bar = barOf(slot);
  if (bar !== undefined) return { kind: bar };
  const full = found.full.get(slot);
  if (full !== undefined) return { kind: "capped", ...full };
  const byScore = found.byScore.get(slot);
  const factors = found.factors.get(slot) ?? [];
  if (byScore === undefined) {
    const byModels = found.byModels.get(slot);
    if (byModels === undefined) return { kind: "not_proposed" };
    return { kind: "ranked_too_low", modelRank: byModels.rank, feedback: factors.find(({ kind }) => kind === "feedback")?.by };
  }
  if (byScore.isLast) {
    return { kind: "put_last", scoreRank: byScore.rank, factor: factors.reduce((least, one) => (one.by < least.by ? one : least)) };
  }
  if (byScore.rank > query.limit) return { kind: "ranked", scoreRank: byScore.rank };
  // Within reach by score: what stands there without one of its own took the place, else what is less alike.
  const isDisplaced = (query.diversity ?? 0) <= 0 || byScore.rank > query.limit - placed(chosen);
  return { kind: isDisplaced ? "displaced" : "diversity", scoreRank: byScore.rank };
}

/** Places that pins and exploration take. */
function placed(chosen: readonly Candidate[]): number {
  return chosen.filter(({ origin }) => origin === "pinned" || origin === "exploration").length;
}
