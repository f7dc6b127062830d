// One person's state: everything the fold keeps, in memory. Objects are changed in place by the reducers of this folder
// (an event costs 1-2 µs that way, 5 µs when copied; measured by the Flink spike) and leave it as bytes (codec.ts).
//
// A person is some 75 objects: what he has nothing of yet is one empty list, map or series that stands for everybody's,
// and short lists have no room to spare (lists.ts). A value of a read-only type may be such a thing: it is replaced.
import type { EventContext } from "../event/event.ts";
import { emptyDecayedSum, type DecayedSum } from "../math/decay.ts";
import type { Consent } from "../record.ts";
import { NO_FEATURE, type FeatureState } from "./features.ts";
import { emptyInterests, type Interests } from "./interests.ts";
import type { ItemTime } from "./item-times.ts";
import { layoutOf, type PlanLayout } from "./layout.ts";
import type { FoldPlan } from "./plan.ts";
import { NO_NUMBERS } from "./lists.ts";
import { emptySeries, NO_SERIES, type Series } from "./series.ts";
import type { Session } from "./sessions.ts";

export const RECENT_MAX = 50;
/** Categories of one item that count for diversity. */
export const RECENT_CATEGORIES_MAX = 3;
export const RECENT_IDS_MAX = 64;
export const ANONYMOUS_IDS_MAX = 32;
export const ATTRIBUTES_MAX = 64;
export const TYPES_MAX = 64;
export const ACTIVE_DAYS_MAX = 30;

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
  readonly eventType: string;
  count: number;
  lastMs: number;
}

/** Context fields that are kept, each with the time it was said: the latest wins. */
export const CONTEXT_FIELDS = [
  "device", "os", "browser", "locale", "timezone", "country", "region", "referrer", "weather", "variant",
] as const;

/** Event times of both sides of a sequence, ascending. */
export interface SequenceTimes {
  first: readonly number[];
  second: readonly number[];
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
  anonymousIds: readonly string[];
  consent: Consent | undefined;

  /** The last value of each attribute; null is one that was taken away. */
  attributes: Readonly<Record<string, unknown>>;
  attributeMs: ReadonlyMap<string, number>;
  readonly context: EventContext;
  /** Event time of each of CONTEXT_FIELDS; -1 where it was never said. */
  readonly contextMs: number[];

  /** Segment name to the time (ms) since when. Owned by core/engine. */
  memberships: ReadonlyMap<string, number>;
  /** When, or in which session, a `once_per` trigger last fired. Owned by core/engine. */
  triggerMarks: ReadonlyMap<string, number | string>;

  /** Interactions with items, newest first; same time: larger hash of the event id first. At most RECENT_MAX. */
  recent: readonly RecentItem[];
  /** How often each category occurs in `recent`; derived, not stored, and null until somebody asks (`categoriesOf`). */
  recentCategories: Map<string, number> | null;
  /** Upper and lower 32 bits of the hashes of the latest event ids, in order of arrival; a ring once it is full. */
  recentIds: number[];
  /** Which of them is the oldest of a full ring; 0 before. */
  recentIdsNext: number;
  /** Impressions of items and purchases, newest first; empty where the plan keeps none. */
  shown: readonly ItemTime[];
  bought: readonly ItemTime[];

  /** Event times; -1 while there is none. */
  lastMs: number;
  firstInteractionMs: number;
  lastInteractionMs: number;
  interactions: number;
  dwellS: number;
  dwells: number;
  scrollSum: number;
  scrolls: number;
  /** In order of arrival. At most TYPES_MAX. */
  types: readonly TypeCount[];
  clickMs: readonly number[];
  /** Interactions by UTC day, ascending; days since 1970. At most ACTIVE_DAYS_MAX. */
  days: readonly number[];
  dayCounts: number[];

  interestHalfLifeMs: number;
  readonly engagement: DecayedSum;
  categories: Interests;
  tags: Interests;

  /** Interactions of the last 5 min, 10 min and hour: BUILT_IN_WINDOWS_MS. */
  rates: readonly Series[];
  /** In the order of the plan's windows, features and sequences. */
  windows: Readonly<Series>[];
  features: Readonly<FeatureState>[];
  sequences: SequenceTimes[];

  /** Newest first by end. At most SESSIONS_MAX. */
  sessions: Session[];
  /** Sessions that are no longer kept. */
  sessionsForgotten: number;
}

/** Windows behind `velocity` (5 min over 1 h) and `frequency` (10 min). */
export const BUILT_IN_WINDOWS_MS = [300_000, 600_000, 3_600_000] as const;

const NO_IDS: readonly string[] = [];
const NO_ATTRIBUTES: Readonly<Record<string, unknown>> = Object.freeze({});
const NO_ENTRIES: ReadonlyMap<string, never> = new Map<string, never>();
const NO_ITEMS: readonly never[] = [];
const NEVER_SAID = CONTEXT_FIELDS.map(() => -1);

export function emptyPerson(plan: FoldPlan): PersonState {
  return {
    version: 0,
    asOf: -1,
    updatedMs: -1,
    nextCheckMs: Infinity,
    programVersion: 0,
    layout: layoutOf(plan),
    userId: undefined,
    anonymousIds: NO_IDS,
    consent: undefined,
    attributes: NO_ATTRIBUTES,
    attributeMs: NO_ENTRIES,
    context: {},
    contextMs: NEVER_SAID.slice(),
    memberships: NO_ENTRIES,
    triggerMarks: NO_ENTRIES,
    recent: NO_ITEMS,
    recentCategories: null,
    recentIds: [],
    recentIdsNext: 0,
    shown: NO_ITEMS,
    bought: NO_ITEMS,
    lastMs: -1,
    firstInteractionMs: -1,
    lastInteractionMs: -1,
    interactions: 0,
    dwellS: 0,
    dwells: 0,
    scrollSum: 0,
    scrolls: 0,
    types: NO_ITEMS,
    clickMs: NO_NUMBERS,
    days: NO_NUMBERS,
    dayCounts: [],
    interestHalfLifeMs: plan.interests.halfLifeMs,
    engagement: emptyDecayedSum(),
    categories: emptyInterests(),
    tags: emptyInterests(),
    rates: [emptySeries(), emptySeries(), emptySeries()],
    windows: new Array<Readonly<Series>>(plan.windows.length).fill(NO_SERIES),
    features: new Array<Readonly<FeatureState>>(plan.features.length).fill(NO_FEATURE),
    sequences: plan.sequences.map(emptySequence),
    sessions: [],
    sessionsForgotten: 0,
  };
}

export function emptySequence(): SequenceTimes {
  return { first: NO_NUMBERS, second: NO_NUMBERS };
}

/** How often events of a type came, and when last; undefined where none did, or too long ago. */
export function typeCountOf({ types }: PersonState, eventType: string): TypeCount | undefined {
  for (let i = 0; i < types.length; i++) if (types[i]!.eventType === eventType) return types[i];
  return undefined;
}

type OwnMap = "attributeMs" | "memberships" | "triggerMarks";

/** Sets an entry in one of the state's maps; the first makes the map his own. */
export function putEntry(state: PersonState, map: OwnMap, name: string, value: number | string): void {
  if (state[map] === NO_ENTRIES) state[map] = new Map();
  (state[map] as Map<string, number | string>).set(name, value);
}

export function dropEntry(state: PersonState, map: OwnMap, name: string): void {
  if (state[map] !== NO_ENTRIES) (state[map] as Map<string, number | string>).delete(name);
}
