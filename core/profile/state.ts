// One person's state: everything the fold keeps, in memory. Objects are changed in place by the reducers of this folder
// (an event costs 1-2 µs that way, 5 µs when copied; measured by the Flink spike) and leave it as bytes (codec.ts).
import type { EventContext } from "../event/event.ts";
import { emptyDecayedSum, type DecayedSum } from "../math/decay.ts";
import type { Consent } from "../record.ts";
import { emptyFeature, type FeatureState } from "./features.ts";
import { emptyInterests, type Interests } from "./interests.ts";
import type { ItemTime } from "./item-times.ts";
import { layoutOf, type PlanLayout } from "./layout.ts";
import type { FoldPlan } from "./plan.ts";
import { emptySeries, type Series } from "./series.ts";
import type { Session } from "./sessions.ts";

export const RECENT_MAX = 50;
/** Categories of one item that count for diversity. */
export const RECENT_CATEGORIES_MAX = 3;
export const RECENT_IDS_MAX = 64;
export const ANONYMOUS_IDS_MAX = 32;
export const ATTRIBUTES_MAX = 64;
export const TYPES_MAX = 64;
export const ACTIVE_DAYS_MAX = 30;
export const CLICK_TIMES_MAX = 16;

/** One interaction with an item. */
export interface RecentItem {
  readonly item_id: string;
  readonly event_type: string;
  /** Event time, Unix ms. */
  readonly timestamp: number;
  readonly value: number | undefined;
  /** Hash of the event id: orders what happened in the same millisecond. */
  readonly tie: number;
  readonly categories: readonly string[];
}

/** How often an event type came, and when last (event time). */
export interface TypeCount {
  count: number;
  lastMs: number;
}

/** Hashes of the latest event ids, in order of arrival; a ring once it is full. */
export interface RecentIds {
  readonly hi: number[];
  readonly lo: number[];
  next: number;
}

/** Context fields that are kept, each with the time it was said: the latest wins. */
export const CONTEXT_FIELDS = [
  "device", "os", "browser", "locale", "timezone", "country", "region", "referrer", "weather", "variant",
] as const;

/** Event times of both sides of a sequence, ascending. */
export interface SequenceTimes {
  readonly first: number[];
  readonly second: number[];
}

export interface PersonState {
  /** Counts changes of this state. */
  version: number;
  /** The latest processing or event time that the state was brought to. */
  asOf: number;
  /** Processing time of the last change that a record made. */
  updatedMs: number;
  /** When the host must look again without an event; Infinity: never. Owned by core/engine. */
  nextCheckMs: number;
  /** Program version that the memberships were last evaluated with. Owned by core/engine. */
  programVersion: number;
  /** Where each event type goes under the plan that the state is kept for. */
  layout: PlanLayout;

  userId: string | undefined;
  readonly anonymousIds: string[];
  consent: Consent | undefined;

  /** The last value of each attribute; null is one that was taken away. */
  attributes: Record<string, unknown>;
  readonly attributeMs: Map<string, number>;
  readonly context: EventContext;
  /** Event time of each of CONTEXT_FIELDS; -1 where it was never said. */
  readonly contextMs: number[];

  /** Segment name to the time (ms) since when. Owned by core/engine. */
  readonly memberships: Map<string, number>;
  /** When, or in which session, a `once_per` trigger last fired. Owned by core/engine. */
  readonly triggerMarks: Map<string, number | string>;

  /** Interactions with items, newest first; same time: larger hash of the event id first. At most RECENT_MAX. */
  readonly recent: RecentItem[];
  /** How often each category occurs in `recent`; derived, not stored, and null until somebody asks (`categoriesOf`). */
  recentCategories: Map<string, number> | null;
  readonly recentIds: RecentIds;
  /** Impressions of items and purchases, newest first; empty where the plan keeps none. */
  shown: ItemTime[];
  bought: ItemTime[];

  /** Event times; -1 while there is none. */
  lastMs: number;
  firstInteractionMs: number;
  lastInteractionMs: number;
  interactions: number;
  dwellS: number;
  dwells: number;
  scrollSum: number;
  scrolls: number;
  readonly types: Map<string, TypeCount>;
  readonly clickMs: number[];
  /** Interactions by UTC day, ascending; days since 1970. At most ACTIVE_DAYS_MAX. */
  readonly days: number[];
  readonly dayCounts: number[];

  interestHalfLifeMs: number;
  readonly engagement: DecayedSum;
  readonly categories: Interests;
  readonly tags: Interests;

  /** Interactions of the last 5 min, 10 min and hour: BUILT_IN_WINDOWS_MS. */
  readonly rates: readonly Series[];
  /** In the order of the plan's windows, features and sequences. */
  windows: Series[];
  features: FeatureState[];
  sequences: SequenceTimes[];

  /** Newest first by end. At most SESSIONS_MAX. */
  readonly sessions: Session[];
  /** Sessions that are no longer kept. */
  sessionsForgotten: number;
}

/** Windows behind `velocity` (5 min over 1 h) and `frequency` (10 min). */
export const BUILT_IN_WINDOWS_MS = [300_000, 600_000, 3_600_000] as const;

export function emptyPerson(plan: FoldPlan): PersonState {
  return {
    version: 0,
    asOf: -1,
    updatedMs: -1,
    nextCheckMs: Infinity,
    programVersion: 0,
    layout: layoutOf(plan),
    userId: undefined,
    anonymousIds: [],
    consent: undefined,
    attributes: {},
    attributeMs: new Map(),
    context: {},
    contextMs: CONTEXT_FIELDS.map(() => -1),
    memberships: new Map(),
    triggerMarks: new Map(),
    recent: [],
    recentCategories: null,
    recentIds: { hi: [], lo: [], next: 0 },
    shown: [],
    bought: [],
    lastMs: -1,
    firstInteractionMs: -1,
    lastInteractionMs: -1,
    interactions: 0,
    dwellS: 0,
    dwells: 0,
    scrollSum: 0,
    scrolls: 0,
    types: new Map(),
    clickMs: [],
    days: [],
    dayCounts: [],
    interestHalfLifeMs: plan.interests.halfLifeMs,
    engagement: emptyDecayedSum(),
    categories: emptyInterests(),
    tags: emptyInterests(),
    rates: [emptySeries(), emptySeries(), emptySeries()],
    windows: plan.windows.map(emptySeries),
    features: plan.features.map(emptyFeature),
    sequences: plan.sequences.map(emptySequence),
    sessions: [],
    sessionsForgotten: 0,
  };
}

export function emptySequence(): SequenceTimes {
  return { first: [], second: [] };
}
