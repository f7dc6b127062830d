// The recommender: online models, their blend, and the ranking of one list, behind one door.
import type { Item } from "../item/item.ts";
import type { CapRule, FreshnessRule } from "../program/compiled.ts";
import type { ExcludeKind, LearningDocument, ModelsDocument } from "../program/program.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { learningConfig, modelConfig } from "../model/config.ts";
import type { BackgroundPart } from "../model/background.ts";
import { healthView, type HealthView } from "../model/health-view.ts";
import type { FeatureEffect } from "../model/effects.ts";
import { listedSlots } from "../model/item-index.ts";
import { createModels, type Probe } from "../model/models.ts";
import { findItems } from "./find-items.ts";
import type { Origin } from "./arrange.ts";
import type { Bar } from "./bars.ts";
import type { FullCap } from "./caps.ts";
import { createRanking } from "./ranking.ts";

/** One thing that a person did with an item, as the profile's `recent` keeps it (newest first). */
export interface RecentItem {
  readonly item_id: string;
  readonly event_type: string;
  /** Event time, Unix ms. */
  readonly timestamp: number;
  readonly value?: number | undefined;
}

/** One interaction that the models learn from. */
export interface Step {
  readonly personKey: string;
  readonly sessionId?: string | undefined;
  readonly itemId: string;
  readonly eventType: string;
  /** What the interaction is worth (program `events`); popularity counts it, ≤ 0 teaches nothing. */
  readonly weight: number;
  /** Event time, Unix ms. */
  readonly timeMs: number;
  /** By what samples are bounded, Unix ms (`paceMsOf`); where nobody says it, event time. */
  readonly paceMs?: number | undefined;
  /** Rank before reveal, and learn the blend from it (`learningSample`). */
  readonly sampled: boolean;
  /** The person's recent items before this event, newest first. */
  readonly history: readonly RecentItem[];
  /** Interests before this event, as `RankQuery` has them; only a sampled step needs them. */
  readonly interests?: readonly (readonly [name: string, share: number])[] | undefined;
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  /** Whose address sent the event, as intake marks it. */
  readonly source?: string | undefined;
  /** When the person was first seen, Unix ms; undefined where nobody keeps it. */
  readonly knownSinceMs?: number | undefined;
  readonly weather?: string | undefined;
  readonly timezone?: string | undefined;
  /** What else is known of him (core/model/facets.ts). */
  readonly facets?: readonly string[] | undefined;
}

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

export interface RankQuery {
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
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  readonly weather?: string | undefined;
  readonly timezone?: string | undefined;
  /** What else is known of him (core/model/facets.ts). */
  readonly facets?: readonly string[] | undefined;
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

/** Deterministic: the same calls in the same order give the same lists and the same table bytes. */
export interface Recommender {
  /** Takes effect with the next call; what was learnt stays. */
  configure(models: ModelsDocument | undefined, learning: LearningDocument | undefined): void;
  putItem(item: Item, atMs: number): void;
  /** False where the catalogue did not hold it. What events taught about it is forgotten too. */
  deleteItem(itemId: string): boolean;
  /** The catalogue's item; undefined for one that only events know. */
  item(itemId: string): Item | undefined;
  /** Catalogue items whose id, or a word of whose title, begins with `text`. For people who search, not for lists. */
  findItems(text: string, limit: number): Item[];
  /** The whole catalogue, in the order in which its items were last put; not to be changed meanwhile. */
  catalogue(): Iterable<Item>;
  /** Whether `step` should be passed with `sampled: true`; reads, never changes. `eventId` is what is hashed. */
  learningSample(eventId: string, paceMs: number): boolean;
  learn(step: Step): void;
  /** How well each model does over time, and what has changed. */
  health(): HealthView;
  /** The same in short, for whoever trains: the background model, and the latest change of what is watched. Event times; 0: none. */
  driftSigns(): { verdict: "worse" | "good" | "unknown"; backgroundSinceMs: number; changedMs: number };
  /** One part of what a worker has trained on the log; the first part ends the background model before. */
  takeBackground(part: BackgroundPart): void;
  /** The open session of one person key goes on under another (identity). */
  relink(fromPersonKey: string, toPersonKey: string): void;
  /** Persons whose sessions are open: everybody whom it knows by name. */
  people(): string[];
  /** A person goes: his open session ends. What was learnt from him stays, as nobody's. */
  forget(personKey: string): void;
  recommend(query: RankQuery): RankedList;
  /** The same list with an account of each item, and why others are not in it. Not for the hot path. */
  inspect(query: RankQuery, itemIds: readonly string[]): Inspection;
  similar(itemId: string, options: SimilarOptions): RankedList;
  trending(options: TrendingOptions): RankedList;
  /** After the rows are loaded: what they do not hold is derived, for which the first list would wait (10 µs an item). */
  settle(): void;
  /** Everything that must survive a restart, the catalogue included; load all rows of all tables before any other call. */
  readonly tables: readonly WholeTable[];
  /** Items that the catalogue or events know. */
  readonly itemCount: number;
}

export interface RecommenderConfig {
  readonly models?: ModelsDocument | undefined;
  readonly learning?: LearningDocument | undefined;
  /** Called after each model's work, for measurements. */
  readonly probe?: Probe | undefined;
}

/** What measurements read besides the served list. */
export interface MeasuredRecommender extends Recommender {
  readonly modelNames: readonly string[];
  /** Each model's own list for the query that `recommend` has just answered: with exclusions, without the blend. */
  modelLists(query: RankQuery): string[][];
}

export function createRecommender(config: RecommenderConfig = {}): MeasuredRecommender {
  const models = createModels(modelConfig(config.models), learningConfig(config.learning), config.probe);
  const ranking = createRanking(models);
  return {
    configure: (document, learning) => models.configure(modelConfig(document), learningConfig(learning)),
    putItem: (item, atMs) => models.put(item, atMs),
    deleteItem: (itemId) => models.remove(itemId),
    item(itemId) {
      const slot = models.items.slotOf(itemId);
      return slot < 0 ? undefined : models.items.itemAt(slot);
    },
    findItems: (text, limit) => findItems(models.items, text, limit),
    *catalogue() {
      for (const slot of listedSlots(models.items)) yield models.items.itemAt(slot)!;
    },
    learningSample: (eventId, paceMs) => models.sampler.picks(eventId, paceMs, models.blend.samples),
    learn: (step) => models.learn(step),
    health: () => healthView(models.health, ["mix", "calibrated", ...models.models.map(({ name }) => name)], models.config.off),
    driftSigns() {
      const { health } = models;
      return { verdict: health.verdict(), backgroundSinceMs: health.background.now.sinceMs, changedMs: health.changedMs };
    },
    takeBackground: (part) => models.takeBackground(part),
    relink: (from, to) => models.relink(from, to),
    people: () => models.people(),
    forget: (personKey) => models.forget(personKey),
    recommend: (query) => ranking.recommend(query),
    inspect: (query, itemIds) => ranking.inspect(query, itemIds),
    similar: (itemId, options) => ranking.similar(itemId, options),
    trending: (options) => ranking.trending(options),
    settle: () => models.settle(),
    tables: models.tables,
    get itemCount() {
      return models.items.count;
    },
    modelNames: models.models.map((model) => model.name),
    modelLists: (query) => ranking.modelLists(query),
  };
}
