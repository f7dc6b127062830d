// All models of one project over one item index and one session store: the steps they learn, the lists they give.
import type { Item } from "../item/item.ts";
import type { RecentItem, Step } from "./step.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { createBackground, type BackgroundPart } from "./background.ts";
import type { Blend } from "./blend.ts";
import { createCandidateList, createScoreSheet, takeBest, type CandidateList } from "./candidates.ts";
import { createCatalogue } from "./catalogue.ts";
import { LIST_MAX, SHORT_LIST_MAX, type LearningConfig, type ModelConfig } from "./config.ts";
import type { Content } from "./content.ts";
import { createContextPopularity, type ContextPopularity } from "./context-popularity.ts";
import { createCosine, type Cosine } from "./cosine.ts";
import { createCrowd, type Crowd } from "./crowd.ts";
import { createDecayClock, type DecayClock } from "./decay-clock.ts";
import type { Effects } from "./effects.ts";
import { createFactors, type Factors } from "./factors.ts";
import { createWalk } from "./walk.ts";
import type { Health } from "./health.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Judge } from "./judge.ts";
import { createKnn } from "./knn.ts";
import type { Mix } from "./mix.ts";
import type { Model, Reveal } from "./model.ts";
import { createPopularity, type Popularity } from "./popularity.ts";
import { createRanker } from "./ranker.ts";
import { createRecall } from "./recall.ts";
import { createRepeats } from "./repeats.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { createRules, NEXT, RECENT, RULES } from "./rules.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import { createSessions, type SessionStore } from "./sessions.ts";
import { createSituation, setSurroundings, settleSituation, type Situation, type Surroundings } from "./situation.ts";
import type { Union } from "./union.ts";

/** Trending compares a fast popularity with the usual one. */
const TREND_SPEED = 6;
/** What lasts, and what came next lately, beside the program's half-lives (docs/decisions/models.md). */
const STEADY_SLOWNESS = 8;
const RECENT_SPEED = 12;
const NOVELTY_MIN = 0.1; // Rankers and ways back learn from steps that are no mere repetition.
/** Learnt though their lists are off: trending, and lists that would otherwise be empty, need them. */
const KEPT: ReadonlySet<string> = new Set(["popularity", "trend", "repeats"]);
/**
 * Models in which the visitor's own click counts at once. Of the items of his session they say what he has just done, and
 * say it only where the models are not late; so of those the rankers ask the others alone (docs/decisions/models.md).
 */
const ECHOES: ReadonlySet<string> = new Set([
  "popularity", "context", "rules", "cosine", "trend", "steady", "next", "recent", "walk", "daypart",
]);
const CONTEXT = { name: "context", table: "contexts", kinds: ["country", "device", "weather"], facets: true } as const;
const DAYPART = { name: "daypart", table: "dayparts", kinds: ["daypart"] } as const;
/** Lists that end earlier: what they say beyond, others say too (docs/decisions/models.md). */
const SHORT: ReadonlySet<string> = new Set(["context", "trend", "steady", "next", "recent", "factors", "daypart"]);
const TYPE_BITS = 31;
const CLOCKS_V1 = 5; // What rows of the first version hold: popularity, trend, rules, cosine, knn.

/** Called after a model has worked, so that a host can time it; the core has no clock. */
export type Probe = (model: number, work: "learn" | "list") => void;

/** Who is asked about; the parts of a query or a step that models see. */
export interface Asker extends Surroundings {
  readonly personKey: string;
  readonly sessionId?: string | undefined;
  readonly history: readonly RecentItem[];
  readonly interests?: readonly (readonly [name: string, share: number])[] | undefined;
  readonly trail?: readonly string[] | undefined;
  readonly pageItemId?: string | undefined;
}

export interface Models {
  readonly items: ItemIndex;
  readonly sessions: SessionStore;
  readonly models: readonly Model[];
  /** One list per model, filled by `list`; valid until the next call. */
  readonly lists: readonly CandidateList[];
  readonly situation: Situation;
  readonly blend: Blend;
  /** Of the lists that were gathered last. */
  readonly union: Union;
  readonly mix: Mix;
  readonly judge: Judge;
  readonly popularity: Popularity;
  readonly trend: Popularity;
  /** How many times shorter the half-life of `trend` is. */
  readonly trendSpeed: number;
  readonly cosine: Cosine;
  readonly content: Content;
  readonly factors: Factors;
  readonly contexts: ContextPopularity;
  readonly dayparts: ContextPopularity;
  readonly sampler: Sampler;
  readonly crowd: Crowd;
  readonly health: Health;
  readonly config: ModelConfig;
  /** Slots that the catalogue listed or changed last, newest first, at most NEWEST_MAX; some may have left since. */
  newest(): readonly number[];
  configure(config: ModelConfig, learning: LearningConfig): void;
  put(item: Item, atMs: number): void;
  remove(itemId: string): boolean;
  /** Derives what rows that were loaded do not hold; the first list does it otherwise. */
  settle(): void;
  learn(step: Step): void;
  relink(fromPersonKey: string, toPersonKey: string): void;
  /** Persons whose sessions are open. */
  people(): string[];
  /** Ends the person's open session. */
  forget(personKey: string): void;
  /** Every candidate of any list with its score by the ranker that serves, in no order. */
  rank(into: CandidateList): void;
  /** Good until the next call of anything else. */
  effects(): Effects;
  /** One part of a background model that was trained aside. */
  takeBackground(part: BackgroundPart): void;
  /** Fills `situation` and `lists`. */
  list(asker: Asker, nowMs: number): void;
  readonly tables: readonly WholeTable[];
}

const boundsOf = (config: ModelConfig) => ({
  rules: { ...RULES, rowMax: config.rulesRowMax },
  next: { ...NEXT, rowMax: config.rulesRowMax },
  recent: { ...RECENT, rowMax: config.rulesRowMax },
  cosine: { rowMax: config.cosineRowMax },
  knn: { neighbours: config.knnNeighbours, sessionsPerItem: config.knnSessionsPerItem, sessionTtlMs: config.knnSessionTtlMs },
});

export function createModels(config: ModelConfig, learning: LearningConfig, probe?: Probe): Models {
  let current = config;
  const catalogue = createCatalogue((slot) => {
    for (const model of models) model.forget(slot);
    crowd.forget(slot);
  });
  const { items, content } = catalogue;
  const sessions = createSessions();
  const bounds = boundsOf(config);
  const clocks = {
    popularity: createDecayClock(config.popularityHalfLifeMs),
    trend: createDecayClock(config.popularityHalfLifeMs / TREND_SPEED),
    rules: createDecayClock(config.rulesHalfLifeMs),
    cosine: createDecayClock(config.cosineHalfLifeMs),
    knn: createDecayClock(config.knnHalfLifeMs),
    steady: createDecayClock(config.popularityHalfLifeMs * STEADY_SLOWNESS),
    recent: createDecayClock(config.rulesHalfLifeMs / RECENT_SPEED),
  };
  const popularity = createPopularity(clocks.popularity, { name: "popularity" });
  const trend = createPopularity(clocks.trend, { name: "trend" });
  const cosine = createCosine(items, clocks.cosine, bounds.cosine);
  const crowd = createCrowd(config.crowd, {
    items,
    clock: clocks.popularity,
    popularityOf: (slot, nowMs) => popularity.countAt(slot, nowMs),
  });
  const contexts = createContextPopularity(items, clocks.popularity, { ...CONTEXT, crowd });
  const dayparts = createContextPopularity(items, clocks.steady, { ...DAYPART, crowd });
  const steady = createPopularity(clocks.steady, { name: "steady" });
  const background = createBackground(items);
  const repeats = createRepeats();
  const publicCosine = crowd.publicPairsOf(cosine);
  const recent = createRules(items, clocks.recent, bounds.recent);
  const factors = createFactors({ items, popularity, cosine: publicCosine, crowd });
  const models: readonly Model[] = [
    popularity,
    contexts,
    createRules(items, clocks.rules, bounds.rules),
    cosine,
    createKnn(items, sessions, clocks.knn, Object.assign(bounds.knn, { trustOf: crowd.sessions.of })),
    repeats,
    content,
    trend,
    steady,
    createRules(items, clocks.rules, bounds.next),
    recent,
    background,
    factors,
    createWalk(publicCosine),
    dayparts,
  ];
  const lists = models.map(({ name }) => createCandidateList(SHORT.has(name) ? SHORT_LIST_MAX : LIST_MAX));
  const sheet = createScoreSheet();
  const sampler = createSampler(learning);
  const situation = createSituation();
  const recall = createRecall(items, sessions, situation);
  const ranker = createRanker({
    names: models.map(({ name }) => name),
    echoes: ECHOES,
    lists,
    situation,
    items,
    popularity,
    trend,
    trendSpeed: TREND_SPEED,
    content,
    factors,
    repeats,
    lately: crowd.publicPairsOf(recent),
  });
  const { blend, union, mix, judge, health } = ranker;
  const reveal: Reveal = { slot: 0, ref: 0, timeMs: 0, weight: 0, isRepeat: false, sessionNumber: -1 };
  const typeNames: string[] = [];
  const typeBits = new Map<string, number>();

  const dirtyMeta = new DirtySlots(() => {
    const out = rowWriter();
    out.u8(3);
    const { slotEnd, hand, clockMs, freeFirst, freeLast, order } = items.state;
    for (const value of [slotEnd, hand, clockMs, freeFirst, freeLast, order]) out.f64(value);
    const { nextNumber, hand: sessionHand, openEnd, freeFirst: freePlace } = sessions.state;
    for (const value of [nextNumber, sessionHand, openEnd, freePlace]) out.f64(value);
    out.f64(sampler.state.restedAtMs);
    out.f64(sampler.state.stillSteps);
    out.f64(sampler.state.clockMs);
    for (const clock of Object.values(clocks)) {
      out.f64(clock.halfLifeMs);
      out.f64(clock.base);
    }
    out.i32(typeNames.length);
    for (const name of typeNames) out.text(name);
    return out.bytes();
  });

  const loadMeta = (bytes: Uint8Array): void => {
    const input = rowReader(bytes);
    const version = input.version(3);
    for (const key of ["slotEnd", "hand", "clockMs", "freeFirst", "freeLast", "order"] as const) items.state[key] = input.f64();
    for (const key of ["nextNumber", "hand", "openEnd", "freeFirst"] as const) sessions.state[key] = input.f64();
    // In rows of earlier releases a number of seconds, which is long ago, and a count of their own.
    sampler.state.restedAtMs = input.f64();
    const stillSteps = input.f64();
    if (version >= 3) Object.assign(sampler.state, { stillSteps, clockMs: input.f64() });
    for (const clock of version === 1 ? Object.values(clocks).slice(0, CLOCKS_V1) : Object.values(clocks)) {
      // The half-life is the snapshot's until `configure` says otherwise, at the place in the log where it was said.
      clock.setHalfLife(input.f64(), 0);
      clock.base = input.f64();
    }
    for (let left = input.i32(); left > 0; left--) bitOf(input.text());
  };

  const bitOf = (eventType: string): number => {
    let bit = typeBits.get(eventType);
    if (bit === undefined) {
      if (typeNames.length >= TYPE_BITS) return 1 << (TYPE_BITS - 1);
      bit = 1 << typeNames.length;
      typeNames.push(eventType);
      typeBits.set(eventType, bit);
    }
    return bit;
  };

  const learns = ({ name }: Model): boolean => !current.off.has(name) || KEPT.has(name);

  const fillLists = (): void => {
    catalogue.settle();
    sheet.reserve(items.slotEnd);
    for (let m = 0; m < models.length; m++) {
      const model = models[m]!;
      if (current.off.has(model.name)) {
        lists[m]!.length = 0;
        continue;
      }
      if ("list" in model) {
        model.list(lists[m]!);
        crowd.siftItems(situation, lists[m]!);
      } else {
        model.score(situation, sheet);
        crowd.siftSheet(situation, sheet);
        takeBest(sheet, lists[m]!);
        crowd.siftList(model.name, situation, lists[m]!);
      }
      probe?.(m, "list");
    }
  };

  /** The visitor's first word against an item takes back what his step to it would have taught, and ends his interest. */
  const turnAway = (step: Step): void => {
    const { timeMs, personKey, sessionId, itemId } = step;
    const slot = items.slotOf(itemId);
    if (slot < 0) return;
    const session = sessions.find(personKey, sessionId, timeMs);
    const ref = items.refOf(slot);
    if (session !== undefined) sessions.drop(session, ref);
    if (step.history.some((recent) => recent.item_id === itemId && recent.event_type === step.eventType)) return;
    recall.session(session, undefined);
    setSurroundings(situation, step, timeMs);
    situation.pastLength = 0;
    settleSituation(situation);
    const weight = crowd.takeBack(step, slot, -step.weight);
    if (!(weight > 0)) return;
    Object.assign(reveal, { slot, ref, timeMs, weight, isRepeat: false, sessionNumber: situation.sessionNumber });
    for (const model of models) if (learns(model)) model.turnAway?.(reveal, situation);
  };

  return {
    items,
    sessions,
    models,
    lists,
    situation,
    blend,
    union,
    mix,
    judge,
    popularity,
    trend,
    trendSpeed: TREND_SPEED,
    cosine,
    content,
    factors,
    contexts,
    dayparts,
    sampler,
    crowd,
    health,
    get config() {
      return current;
    },
    newest: catalogue.newest,
    rank: ranker.rank,
    effects: ranker.effects,
    takeBackground(part) {
      if (part.part === 0) health.backgroundCame(items.clockMs);
      background.take(part);
    },
    configure(next, nextLearning) {
      dirtyMeta.touch(0);
      const nowMs = items.clockMs;
      const halfLives: [DecayClock, number][] = [
        [clocks.popularity, next.popularityHalfLifeMs],
        [clocks.trend, next.popularityHalfLifeMs / TREND_SPEED],
        [clocks.rules, next.rulesHalfLifeMs],
        [clocks.cosine, next.cosineHalfLifeMs],
        [clocks.knn, next.knnHalfLifeMs],
        [clocks.steady, next.popularityHalfLifeMs * STEADY_SLOWNESS],
        [clocks.recent, next.rulesHalfLifeMs / RECENT_SPEED],
      ];
      for (const [clock, halfLifeMs] of halfLives) clock.setHalfLife(halfLifeMs, nowMs);
      const nextBounds = boundsOf(next);
      Object.assign(bounds.rules, nextBounds.rules);
      Object.assign(bounds.next, nextBounds.next);
      Object.assign(bounds.recent, nextBounds.recent);
      Object.assign(bounds.cosine, nextBounds.cosine);
      Object.assign(bounds.knn, nextBounds.knn);
      sampler.configure(nextLearning);
      crowd.configure(next.crowd);
      current = next;
    },
    put(item, atMs) {
      dirtyMeta.touch(0);
      catalogue.put(item, atMs);
    },
    remove(itemId) {
      dirtyMeta.touch(0);
      return catalogue.remove(itemId);
    },
    settle: catalogue.settle,
    learn(step) {
      const { timeMs, personKey, sessionId, paceMs = timeMs } = step;
      dirtyMeta.touch(0);
      sampler.pass(paceMs);
      if (step.weight < 0) return turnAway(step);
      items.sweep(current.itemTtlMs);
      sessions.sweep(Math.min(timeMs, items.clockMs)); // What came before history closes none of its sessions.
      let session = sessions.find(personKey, sessionId, timeMs);
      recall.session(session, undefined);
      setSurroundings(situation, step, timeMs);
      const bit = bitOf(step.eventType);
      const known = items.slotOf(step.itemId);
      const isVisit = session !== undefined && situation.trailLength > 0 && situation.trail[0] === known;
      const isSameVisit = isVisit && (session!.visitTypes & bit) === 0;
      situation.pastLength = 0;
      situation.interests = step.interests ?? [];
      const newcomer = crowd.newcomerWeight(step);
      const trust = crowd.trustOf(step, known);
      const isNews = crowd.noveltyOf(step, known) >= NOVELTY_MIN;
      if (step.sampled && !isSameVisit && isNews) {
        // Before the item is seen: nothing of this step may show in what the rankers learn from.
        recall.past(step.history);
        settleSituation(situation);
        fillLists();
        ranker.learn(known, step);
        sampler.count(paceMs);
      } else {
        settleSituation(situation);
      }
      const slot = items.intern(step.itemId, timeMs);
      if (slot < 0) return;
      const ref = items.refOf(slot);
      reveal.slot = slot;
      reveal.ref = ref;
      reveal.timeMs = timeMs;
      const weight = crowd.weightOf(step) * trust;
      reveal.weight = weight;
      crowd.count(step, slot, reveal.weight, situation);
      if (session !== undefined && isSameVisit) {
        // The same visit said in another way (click, then view): worth more, but no step.
        sessions.touch(session);
        session.visitTypes |= bit;
        if (timeMs > session.lastMs) session.lastMs = timeMs;
        if (trust <= 0) return;
        popularity.learn(reveal, situation);
        if (learns(steady)) steady.learn(reveal, situation);
        reveal.weight *= newcomer;
        trend.learn(reveal, situation);
        return;
      }
      if (session === undefined) {
        session = sessions.start(personKey, sessionId, timeMs);
        crowd.sessions.begin(session.number);
      }
      sessions.touch(session);
      session.visitTypes = bit;
      if (timeMs > session.lastMs) session.lastMs = timeMs;
      reveal.isRepeat = sessions.visit(session, ref);
      reveal.sessionNumber = session.number;
      if (!reveal.isRepeat) crowd.sessions.note(session.number, trust);
      for (let m = 0; m < models.length; m++) {
        const model = models[m]!;
        if (!learns(model) || (model === repeats ? !isNews : trust <= 0)) continue;
        reveal.weight = model === trend ? weight * newcomer : weight;
        model.learn(reveal, situation);
        probe?.(m, "learn");
      }
    },
    relink(from, to) {
      dirtyMeta.touch(0);
      sessions.relink(from, to);
    },
    people: () => sessions.people(),
    forget(personKey) {
      dirtyMeta.touch(0);
      sessions.forget(personKey);
    },
    list(asker, nowMs) {
      const session = sessions.find(asker.personKey, asker.sessionId, nowMs);
      if (asker.trail === undefined) recall.session(session, asker.pageItemId);
      else recall.given(asker.trail, asker.pageItemId);
      situation.sessionNumber = session?.number ?? -1; // Also with a given trail: it is no neighbour of itself.
      recall.past(asker.history);
      setSurroundings(situation, asker, nowMs);
      situation.interests = asker.interests ?? [];
      settleSituation(situation);
      fillLists();
    },
    tables: [
      catalogue.table,
      slotTable("model_meta", dirtyMeta, (_row, bytes) => loadMeta(bytes)),
      ...sessions.tables,
      ...models.flatMap((model) => model.tables),
      ...blend.tables,
      ...mix.tables,
      ...judge.tables,
      ...crowd.tables,
      ...health.tables,
    ],
  };
}
