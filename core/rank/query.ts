// What is asked of the recommender, and what it answers.
import type { Item } from "../item/item.ts";
import type { FeatureEffect } from "../model/effects.ts";
import type { Surroundings } from "../model/situation.ts";
import type { RecentItem } from "../model/step.ts";
import type { CapRule, FreshnessRule } from "../program/compiled.ts";
import type { ExcludeKind } from "../program/program.ts";

/** A factor on the score of the items that `when` picks; 1 changes nothing, 0 puts them last. */
export interface RankBoost {
  readonly when: (item: Item) => boolean;
  readonly by: number;
  /** Its place among the rules that the asker knows, for accounts; its place in the query where it is not said. */
  readonly rule?: number;
}

/** An item, or the best one that `when` picks, at position `at` (from 1). */
export interface RankPin {
  readonly at: number;
  readonly itemId?: string | undefined;
  readonly when?: ((item: Item) => boolean) | undefined;
}

export interface RankQuery extends Surroundings {
  readonly personKey: string;
  readonly sessionId?: string | undefined;
  readonly nowMs: number;
  readonly limit: number;
  /** The person's recent items, newest first. */
  readonly history: readonly RecentItem[];
  /** Interests by category or tag, and their share 0–1 of the positive total. */
  readonly interests: readonly (readonly [name: string, share: number])[];
  /**
   * The session's items, newest first, as the asker knows them: instead of the open session that the models know of
   * (a server whose models are late, a prefix to be completed).
   */
  readonly trail?: readonly string[] | undefined;
  /** The item whose page asks; it counts as the newest of the session and is never in the list. */
  readonly pageItemId?: string | undefined;
  readonly exclude?: ReadonlySet<string> | undefined;
  readonly excludeKinds?: readonly ExcludeKind[] | undefined;
  /** An item that only events know is asked about as an item without categories and tags. */
  readonly filter?: ((item: Item) => boolean) | undefined;
  readonly boosts?: readonly RankBoost[] | undefined;
  /** 0: by score alone; 1: categories as mixed as possible. */
  readonly diversity?: number | undefined;
  /** In order of position, no two at the same one. Gates hold for what they name. */
  readonly pins?: readonly RankPin[] | undefined;
  readonly caps?: readonly CapRule[] | undefined;
  /** Items that were shown often without being opened, and the factor on their scores; 0 leaves them out. */
  readonly tired?: { readonly items: ReadonlySet<string>; readonly by: number } | undefined;
  readonly freshness?: FreshnessRule | undefined;
  /** Items bought longer ago than the history reaches back, left out as `purchased` ones. */
  readonly bought?: ReadonlySet<string> | undefined;
  /** Purchases before it do not count; undefined where all do. */
  readonly purchasesFromMs?: number | undefined;
  /** When the open session began, by which `session` reads the history; undefined where the models' own session is all there is. */
  readonly sessionFromMs?: number | undefined;
  readonly explain?: boolean | undefined;
}

export interface Reason {
  /** The model that proposed the item, e.g. `rules`, `knn`, `popularity`. */
  source: string;
  /** The visitor's own items behind it; empty where the source is the crowd. */
  because: string[];
  /** Share of this source in the item's score, 0–1. */
  weight: number;
  /** Of `context` and `daypart`: the crowds whose favourite it is, strongest first, such as `country:NO`. */
  crowds?: string[];
}

export interface RankedItem {
  itemId: string;
  /** Estimated chance of the next click for a blend, otherwise only its order means something. */
  score: number;
  reasons?: Reason[];
  /** It stands at its position because a pin says so. */
  isPinned?: true;
}

/** How a list came about, from the most to the least personal source that filled it. */
export type Strategy =
  | "blend" | "history" | "interests" | "demographics" | "context" | "popular" | "newest" | "seen_again"
  | "similar" | "trending" | "empty";

export interface RankedList {
  strategy: Strategy;
  items: RankedItem[];
}

/** One factor on a candidate's score. */
export interface ScoreFactor {
  readonly kind: "boost" | "freshness" | "frequency" | "feedback";
  /** Of boosts: which rule. */
  readonly rule?: number;
  readonly by: number;
}

/** How a model came to propose an item: its rank in that model's list, and the chance that the blend gives it. */
export interface ModelSource {
  readonly source: string;
  readonly rank: number;
  readonly chance: number;
  readonly because: readonly string[];
}

/** Why an item is in a list where no score put it there. */
export type Origin = "pinned" | "exploration" | "popular" | "newest" | "other";

/** How one item came to where it is. */
export interface ItemAccount {
  readonly itemId: string;
  /** Place and score by the models alone; undefined where none proposed it. */
  readonly modelRank: number | undefined;
  readonly modelScore: number | undefined;
  readonly sources: readonly ModelSource[];
  /** What the ranker that serves made of it; empty where no model proposed it. */
  readonly effects: readonly FeatureEffect[];
  readonly factors: readonly ScoreFactor[];
  /** The score after all factors, and the place by it among what may be in the list. */
  readonly score: number | undefined;
  readonly scoreRank: number | undefined;
  /** Why it is in the list where no score put it there. */
  readonly origin: Origin | undefined;
}

/** What keeps an item out of a list before any score is looked at. */
export type Bar =
  | "not_in_catalogue" | "too_few_persons" | "unavailable" | "page_item" | "excluded_by_request" | "filtered" | "too_often_shown"
  | ExcludeKind;

/** The cap that keeps an item out, with the value that is full. */
export interface FullCap {
  readonly by: string;
  readonly value: string;
  readonly max: number;
}

/** Why an item is not in a list, or where it is. */
export type Verdict =
  | { readonly kind: "listed"; readonly rank: number }
  | { readonly kind: "unknown" | "not_proposed" | Bar }
  | ({ readonly kind: "capped" } & FullCap)
  /** By score it would be in the list: others that are less alike, pinned or new took its place. */
  | { readonly kind: "diversity" | "displaced"; readonly scoreRank: number }
  | { readonly kind: "ranked"; readonly scoreRank: number }
  /** Behind everything else: by a factor of nothing, or because the visitor turned away from it. */
  | { readonly kind: "put_last"; readonly scoreRank: number; readonly factor: ScoreFactor }
  /** Its place is too far down for rules to look at it: the models' own, or what the visitor's feedback has made of it. */
  | { readonly kind: "ranked_too_low"; readonly modelRank: number; readonly feedback: number | undefined };

/** A list as `recommend` gives it, with how it came about. */
export interface Inspection {
  readonly list: RankedList;
  /** Of each item of the list, in its order. */
  readonly accounts: readonly ItemAccount[];
  /** Of each item that was asked about, in order. */
  readonly asked: readonly { readonly verdict: Verdict; readonly account: ItemAccount }[];
  /** Which ranker served: `mix`, `calibrated` or one model's name. */
  readonly ranker: string;
}

export interface SimilarOptions {
  readonly limit: number;
  readonly nowMs: number;
  readonly explain?: boolean | undefined;
}

export interface TrendingOptions {
  readonly limit: number;
  readonly nowMs: number;
  readonly filter?: ((item: Item) => boolean) | undefined;
}
