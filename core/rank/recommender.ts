// The recommender: online models, their blend, and the ranking of one list, behind one door.
import type { Item } from "../item/item.ts";
import type { LearningDocument, ModelsDocument } from "../program/program.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { learningConfig, modelConfig } from "../model/config.ts";
import type { BackgroundPart } from "../model/background.ts";
import { healthView, type HealthView } from "../model/health-view.ts";
import { listedSlots } from "../model/item-index.ts";
import { createModels, type Probe } from "../model/models.ts";
import type { Step } from "../model/step.ts";
import { findItems } from "./find-items.ts";
import type { Inspection, RankedList, RankQuery, SimilarOptions, TrendingOptions } from "./query.ts";
import { createRanking } from "./ranking.ts";

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
