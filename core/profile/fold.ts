// The person fold: one event, or one set of attributes, into one person's state, in place.
import type { LoggedEvent } from "../event/event.ts";
import { landmarkOf, scaleAt } from "../math/decay.ts";
import { hash64Into } from "../math/hash.ts";
import { moveInterestLandmark } from "./landmark.ts";
import { foldFeature } from "./features.ts";
import { inserted, insertedNumber } from "./lists.ts";
import { addInterests } from "./interests.ts";
import { refOfKey } from "../identity/identity.ts";
import { adaptPerson } from "./adapt.ts";
import { BOUGHT_MAX, SHOWN_MAX, withItemTime } from "./item-times.ts";
import { routeOf, type Route } from "./layout.ts";
import type { FoldPlan } from "./plan.ts";
import { addRecent } from "./recent.ts";
import { addToSeries, seriesToChange } from "./series.ts";
import { sessionFor, type Session } from "./sessions.ts";
import {
  ACTIVE_DAYS_MAX,
  ANONYMOUS_IDS_MAX,
  ATTRIBUTES_MAX,
  BUILT_IN_WINDOWS_MS,
  CONTEXT_FIELDS,
  dropEntry,
  emptyPerson,
  putEntry,
  RECENT_IDS_MAX,
  typeCountOf,
  TYPES_MAX,
  type PersonState,
} from "./state.ts";
import { withTime } from "./times.ts";

const DAY_MS = 86_400_000;
/** A queue of a browser's that was offline for a moment comes within it. */
const LIVE_MS = 3_600_000;

const hash = { hi: 0, lo: 0 };

/**
 * Folds one event. "duplicate": its id is among the latest RECENT_IDS_MAX, and nothing changed, not even `asOf`; hosts
 * know older ids. Events marked as `traffic` are the caller's to keep away. A state of another plan is adapted first.
 */
export function foldEvent(state: PersonState, event: LoggedEvent, plan: FoldPlan): "folded" | "duplicate" {
  if (state.layout.plan !== plan) adaptPerson(state, plan);
  hash64Into(hash, event.event_id);
  const tie = hash.lo;
  if (!rememberId(state, hash.hi, tie)) return "duplicate";

  const timeMs = event.timestamp;
  const route = routeOf(state.layout, event.event_type);
  state.version++;
  state.asOf = Math.max(state.asOf, timeMs, event.received_at);
  state.updatedMs = Math.max(state.updatedMs, event.received_at);
  if (timeMs > state.lastMs) state.lastMs = timeMs;
  rememberNames(state, event);
  addTypeCount(state, event.event_type, 1, timeMs);
  if (event.context !== undefined) foldContext(state, event.context, timeMs);
  foldSession(state, event, route);
  foldMeasures(state, event);
  if (route.interaction) foldInteraction(state, event, tie);
  if (route.weight !== 0) foldWeight(state, event, route.weight);
  if (event.item_id !== undefined) foldItemTime(state, event, tie);
  foldPlanned(state, event, route, plan);
  return "folded";
}

/**
 * Sets attributes as known at `at` (processing time): for each the latest wins, of the same instant the one applied last.
 * null takes an attribute away. Beyond ATTRIBUTES_MAX the one set longest ago goes.
 */
export function setAttributes(state: PersonState, attributes: Readonly<Record<string, unknown>>, at: number): void {
  state.version++;
  state.asOf = Math.max(state.asOf, at);
  state.updatedMs = Math.max(state.updatedMs, at);
  for (const name of Object.keys(attributes)) {
    if (attributes[name] !== undefined) putAttribute(state, name, attributes[name], at);
  }
}

/** One attribute by the rule of `setAttributes`. */
export function putAttribute(state: PersonState, name: string, value: unknown, at: number): void {
  const known = state.attributeMs.get(name);
  if (known !== undefined && known > at) return;
  if (known === undefined && state.attributeMs.size >= ATTRIBUTES_MAX) {
    const oldest = oldestName(state.attributeMs);
    dropEntry(state, "attributeMs", oldest);
    delete (state.attributes as Record<string, unknown>)[oldest];
  }
  if (state.attributeMs.size === 0) state.attributes = {};
  putEntry(state, "attributeMs", name, at);
  // Not by assignment: `__proto__` must become a key like any other.
  Object.defineProperty(state.attributes, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Adds to a count by type; beyond TYPES_MAX the type not seen for longest goes. */
export function addTypeCount(state: PersonState, eventType: string, count: number, lastMs: number): void {
  const known = typeCountOf(state, eventType);
  if (known !== undefined) {
    known.count += count;
    if (lastMs > known.lastMs) known.lastMs = lastMs;
    return;
  }
  let kept = state.types;
  if (kept.length >= TYPES_MAX) {
    const oldest = oldestName(kept.map((type) => [type.eventType, type.lastMs]));
    kept = kept.filter((type) => type.eventType !== oldest);
  }
  state.types = inserted(kept, kept.length, { eventType, count, lastMs });
}

/** Adds interactions to their UTC day, keeping the latest ACTIVE_DAYS_MAX days. */
export function addToDay(state: PersonState, day: number, count: number): void {
  const { days, dayCounts } = state;
  let at = days.length;
  while (at > 0 && days[at - 1]! > day) at--;
  if (at > 0 && days[at - 1] === day) {
    dayCounts[at - 1]! += count;
    return;
  }
  if (at === 0 && days.length === ACTIVE_DAYS_MAX) return;
  state.days = insertedNumber(days, at, day);
  state.dayCounts = insertedNumber(dayCounts, at, count);
  if (days.length < ACTIVE_DAYS_MAX) return;
  state.days = state.days.slice(1);
  state.dayCounts = state.dayCounts.slice(1);
}

/** Context field `index` as said at `timeMs`: the latest wins, of the same millisecond the larger. */
export function putContext(state: PersonState, index: number, value: string, timeMs: number): void {
  const field = CONTEXT_FIELDS[index]!;
  const knownMs = state.contextMs[index]!;
  if (timeMs < knownMs) return;
  const known = state.context[field];
  if (known !== value) {
    if (timeMs === knownMs && known !== undefined && known >= value) return;
    state.context[field] = value;
  }
  state.contextMs[index] = timeMs;
}

/** Puts an id's hash into the ring; false where it is there already. */
export function rememberId(state: PersonState, hi: number, lo: number): boolean {
  const { recentIds } = state;
  for (let at = recentIds.length - 2; at >= 0; at -= 2) if (recentIds[at + 1] === lo && recentIds[at] === hi) return false;
  if (recentIds.length < 2 * RECENT_IDS_MAX) {
    recentIds.push(hi, lo);
    return true;
  }
  recentIds[2 * state.recentIdsNext] = hi;
  recentIds[2 * state.recentIdsNext + 1] = lo;
  state.recentIdsNext = (state.recentIdsNext + 1) % RECENT_IDS_MAX;
  return true;
}

/** Remembers another anonymous id of the person; the oldest beyond ANONYMOUS_IDS_MAX goes. */
export function addAnonymousId(state: PersonState, anonymousId: string): void {
  const { anonymousIds } = state;
  if (!anonymousIds.includes(anonymousId)) state.anonymousIds = [...anonymousIds, anonymousId].slice(-ANONYMOUS_IDS_MAX);
}

/** Somebody of whom nothing but his key is known. */
export function newPerson(key: string, plan: FoldPlan): PersonState {
  const person = emptyPerson(plan);
  rememberNames(person, refOfKey(key));
  return person;
}

/** The ids that an event names its person by. */
export function rememberNames(state: PersonState, event: Pick<LoggedEvent, "user_id" | "anonymous_id">): void {
  if (event.user_id !== undefined) state.userId = event.user_id;
  if (event.anonymous_id !== undefined) addAnonymousId(state, event.anonymous_id);
}

function foldContext(state: PersonState, context: NonNullable<LoggedEvent["context"]>, timeMs: number): void {
  for (let i = 0; i < CONTEXT_FIELDS.length; i++) {
    const value = context[CONTEXT_FIELDS[i]!];
    if (value !== undefined) putContext(state, i, value, timeMs);
  }
}

function foldSession(state: PersonState, event: LoggedEvent, route: Route): void {
  const session = sessionFor(state, event.session_id ?? "", event.timestamp);
  if (session === undefined) return;
  session.events++;
  if (route.interaction) session.interactions++;
  switch (event.event_type) {
    case "page_view":
      session.pageViews++;
      break;
    case "click":
      countClick(session, event.timestamp);
      break;
    case "dwell":
      session.dwellS += event.value ?? 0;
      break;
    case "scroll":
      session.scrollDepth = Math.max(session.scrollDepth, event.value ?? 0);
      break;
  }
}

function countClick(session: Session, timeMs: number): void {
  session.firstClickMs = session.clicks === 0 ? timeMs : Math.min(session.firstClickMs, timeMs);
  session.lastClickMs = Math.max(session.lastClickMs, timeMs);
  session.clicks++;
}

function foldMeasures(state: PersonState, event: LoggedEvent): void {
  if (event.event_type === "click") state.clickMs = withTime(state.clickMs, event.timestamp);
  if (event.value === undefined) return;
  if (event.event_type === "dwell") {
    state.dwellS += event.value;
    state.dwells++;
  } else if (event.event_type === "scroll") {
    state.scrollSum += event.value;
    state.scrolls++;
  }
}

/**
 * Since when an event shows its person to be known. What a public sender says to have been long ago shows nothing: whoever
 * is new would only have to say so to count as somebody known.
 */
function seenMsOf({ source, timestamp, received_at: cameMs }: LoggedEvent): number {
  return source !== undefined && cameMs - timestamp > LIVE_MS ? cameMs : timestamp;
}

function foldInteraction(state: PersonState, event: LoggedEvent, tie: number): void {
  const timeMs = event.timestamp;
  state.interactions++;
  if (timeMs > state.lastInteractionMs) state.lastInteractionMs = timeMs;
  const seenMs = seenMsOf(event);
  if (state.firstInteractionMs < 0 || seenMs < state.firstInteractionMs) state.firstInteractionMs = seenMs;
  for (let i = 0; i < BUILT_IN_WINDOWS_MS.length; i++) {
    addToSeries(state.rates[i]!, BUILT_IN_WINDOWS_MS[i]!, "count", timeMs, 1);
  }
  addToDay(state, Math.floor(timeMs / DAY_MS), 1);
  if (event.item_id !== undefined) addRecent(state, event, tie);
}

function foldItemTime(state: PersonState, { event_type, item_id, timestamp }: LoggedEvent, tie: number): void {
  const { keeps } = state.layout.plan;
  const entry = { item_id: item_id!, timestamp, tie };
  if (event_type === "impression" && keeps.shown) state.shown = withItemTime(state.shown, entry, SHOWN_MAX);
  if (event_type === "purchase" && keeps.bought) state.bought = withItemTime(state.bought, entry, BOUGHT_MAX);
}

/** Adds what an event weighs to interests and engagement. */
export function foldWeight(
  state: PersonState,
  event: Pick<LoggedEvent, "event_type" | "timestamp" | "value" | "item">,
  typeWeight: number,
): void {
  const weight = event.event_type === "rating" ? typeWeight * ratingFactor(event.value) : typeWeight;
  const { plan } = state.layout;
  const halfLifeMs = state.interestHalfLifeMs;
  const landmark = landmarkOf(event.timestamp, halfLifeMs);
  if (landmark > state.engagement.landmark) moveInterestLandmark(state, landmark);
  const scaled = weight * scaleAt(event.timestamp, state.engagement.landmark, halfLifeMs);
  state.engagement.scaled += scaled;
  if (event.item === undefined) return;
  if (plan.interests.categories) addInterests(state.categories, event.item.categories, scaled);
  if (plan.interests.tags) addInterests(state.tags, event.item.tags, scaled);
}

// Five stars count in full, three not at all, one against: -1..1. A rating without stars is worth its type.
function ratingFactor(stars: number | undefined): number {
  return stars === undefined ? 1 : Math.max(-1, Math.min(1, (stars - 3) / 2));
}

function foldPlanned(state: PersonState, event: LoggedEvent, route: Route, plan: FoldPlan): void {
  const timeMs = event.timestamp;
  for (const index of route.windows) {
    const { measure, windowMs } = plan.windows[index]!;
    if (measure !== "count" && event.value === undefined) continue;
    addToSeries(seriesToChange(state.windows, index), windowMs, measure, timeMs, measure === "count" ? 1 : event.value!);
  }
  for (const index of route.features) foldFeature(state.features, index, plan.features[index]!, event);
  for (const index of route.firsts) state.sequences[index]!.first = withTime(state.sequences[index]!.first, timeMs);
  for (const index of route.seconds) state.sequences[index]!.second = withTime(state.sequences[index]!.second, timeMs);
}

/** The name of longest ago, of the same time the largest. */
function oldestName(entries: Iterable<readonly [name: string, timeMs: number]>): string {
  let oldest = "";
  let oldestMs = Infinity;
  for (const [name, timeMs] of entries) {
    if (timeMs < oldestMs || (timeMs === oldestMs && name > oldest)) {
      oldest = name;
      oldestMs = timeMs;
    }
  }
  return oldest;
}
