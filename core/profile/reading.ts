// What rules read from a person's state, and when each value will change although nothing happens. All pure; times are
// Unix ms, `nowMs` is never before the state's `asOf`.
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import { decayedAt } from "../math/decay.ts";
import { diversityOf } from "./diversity.ts";
import { DISTINCT_NUMBERS, halfLifeOf, type Distinct } from "./features.ts";
import { shareOf, sharesOf, strongestOf } from "./interests.ts";
import { categoriesOf } from "./recent.ts";
import { seriesCount, seriesMax, seriesNextChangeMs, seriesSum, type Series } from "./series.ts";
import { absorb, reaches, type Session } from "./sessions.ts";
import { BUILT_IN_WINDOWS_MS, typeCountOf, type PersonState } from "./state.ts";
import { follows } from "./times.ts";

export const BUILT_IN_FEATURES = [
  "recency_s",
  "frequency",
  "diversity",
  "velocity",
  "engagement",
  "dwell_s",
  "scroll_depth",
  "interactions",
] as const;
export type BuiltInFeature = (typeof BUILT_IN_FEATURES)[number];

const [FIVE_MINUTES, TEN_MINUTES, HOUR] = BUILT_IN_WINDOWS_MS;
/** Which of a person's `rates` is `frequency`, and its window. */
export const FREQUENCY_RATE = 1;
export const FREQUENCY_WINDOW_MS = TEN_MINUTES;

/** Events, or the sum of their values, in the plan's window `windowIndex`. */
export function windowValue(state: PersonState, windowIndex: number, nowMs: number): number {
  const { measure, windowMs } = state.layout.plan.windows[windowIndex]!;
  const series = state.windows[windowIndex]!;
  return measure === "count" ? seriesCount(series, windowMs, nowMs) : seriesSum(series, windowMs, nowMs);
}

/** The next instant after `nowMs` at which the window's value may change without an event; Infinity: never. */
export function windowNextChangeMs(state: PersonState, windowIndex: number, nowMs: number): number {
  return seriesNextChangeMs(state.windows[windowIndex]!, state.layout.plan.windows[windowIndex]!.windowMs, nowMs);
}

/** Value of the program's feature `featureIndex`; 0 where nothing was counted yet (also for `last`). */
export function featureValue(state: PersonState, featureIndex: number, nowMs: number): number | string {
  const plan = state.layout.plan.features[featureIndex]!;
  const { totals, last, series, distinct, decayed } = state.features[featureIndex]!;
  const windowMs = plan.windowMs ?? Infinity;
  switch (plan.kind) {
    case "count":
      return series === null ? (totals?.count ?? 0) : seriesCount(series, windowMs, nowMs);
    case "sum":
      return series === null ? (totals?.sum ?? 0) : seriesSum(series, windowMs, nowMs);
    case "mean":
      if (series !== null) return seriesMean(series, windowMs, nowMs);
      return totals === null ? 0 : ratio(totals.sum, totals.count);
    case "max":
      return series === null ? (totals?.max ?? 0) : finiteOr0(seriesMax(series, windowMs, nowMs));
    case "distinct":
      return distinct === null ? 0 : countAfter(distinct, nowMs - windowMs);
    case "last":
      return last !== null && last.timeMs > nowMs - windowMs ? last.value : 0;
    case "decayed":
      return decayed === null ? 0 : decayedAt(decayed, halfLifeOf(plan), nowMs);
  }
}

/**
 * The next instant after `nowMs` at which the feature may change without an event; Infinity: never. A decayed feature
 * changes all the time: for it the next step of about 1 % on an absolute grid. Rules find the exact millisecond at which it
 * passes a constant (core/program/cel/time.ts).
 */
export function featureNextChangeMs(state: PersonState, featureIndex: number, nowMs: number): number {
  const plan = state.layout.plan.features[featureIndex]!;
  const { decayed, series, distinct, last } = state.features[featureIndex]!;
  if (decayed !== null) return decayed.scaled === 0 ? Infinity : decayStepMs(halfLifeOf(plan), nowMs);
  if (plan.windowMs === null) return Infinity;
  if (series !== null) return seriesNextChangeMs(series, plan.windowMs, nowMs);
  if (distinct !== null) return nextToLeaveMs(distinct, plan.windowMs, nowMs);
  return last !== null && last.timeMs > nowMs - plan.windowMs ? last.timeMs + plan.windowMs : Infinity;
}

/** Event time of the latest event of `type`; -Infinity if there was none. */
export function lastTimeMs(state: PersonState, type: string): number {
  return typeCountOf(state, type)?.lastMs ?? -Infinity;
}

/**
 * The share that a category (or else a tag) has of all positive interest in its dimension, 0-1. Constant in time: all
 * interests decay alike.
 */
export function interestShare(state: PersonState, name: string): number {
  const share = shareOf(state.categories, name);
  return share > 0 ? share : shareOf(state.tags, name);
}

/** All positive interests with their shares, strongest first: categories, then tags. */
export function interestShares(state: PersonState): [name: string, share: number][] {
  return [...sharesOf(state.categories), ...sharesOf(state.tags)];
}

/** Interests that lists are asked with: weak ones cost as much as strong ones and hardly move a score. */
export const INTERESTS_ASKED_MAX = 16;

/** The strongest positive interests with their shares, at most INTERESTS_ASKED_MAX. */
export function strongestInterests(state: PersonState): [name: string, share: number][] {
  return strongestOf([state.categories, state.tags], INTERESTS_ASKED_MAX);
}

/** The attributes that there are: one that was taken away is kept as null. */
export function knownAttributes(state: PersonState): Record<string, unknown> {
  return Object.fromEntries(Object.entries(state.attributes).filter(([, value]) => value !== null));
}

/** Whether, among the newest 16 events of each type, a `second` came within the window after a `first`. */
export function followed(state: PersonState, sequenceIndex: number): boolean {
  const { first, second } = state.sequences[sequenceIndex]!;
  return follows(first, second, state.layout.plan.sequences[sequenceIndex]!.windowMs);
}

/**
 * A built-in feature:
 * `recency_s` whole seconds since the last interaction, Infinity if there was none; `frequency` interactions in the last
 * 10 minutes; `diversity` normalised entropy of the recent items' categories, 0-1; `velocity` rate of the last 5 minutes
 * over that of the last hour, 1 = steady, 0 = silent, 12 for whoever came within the 5 minutes;
 * `engagement` decayed sum of event weights; `dwell_s` seconds dwelt in all; `scroll_depth` mean depth of all scrolls,
 * 0-1; `interactions` in all.
 */
export function builtinValue(state: PersonState, name: BuiltInFeature, nowMs: number): number {
  switch (name) {
    case "recency_s":
      if (state.lastInteractionMs < 0) return Infinity;
      return Math.floor(Math.max(0, nowMs - state.lastInteractionMs) / 1000);
    case "frequency":
      return seriesCount(state.rates[FREQUENCY_RATE]!, FREQUENCY_WINDOW_MS, nowMs);
    case "diversity":
      return diversityOf(categoriesOf(state));
    case "velocity":
      return velocity(state, nowMs);
    case "engagement":
      return decayedAt(state.engagement, state.interestHalfLifeMs, nowMs);
    case "dwell_s":
      return state.dwellS;
    case "scroll_depth":
      return ratio(state.scrollSum, state.scrolls);
    case "interactions":
      return state.interactions;
  }
}

/** As `featureNextChangeMs`; `engagement` is a decayed kind. */
export function builtinNextChangeMs(state: PersonState, name: BuiltInFeature, nowMs: number): number {
  switch (name) {
    case "recency_s":
      if (state.lastInteractionMs < 0) return Infinity;
      return state.lastInteractionMs + (builtinValue(state, name, nowMs) + 1) * 1000;
    case "frequency":
      return seriesNextChangeMs(state.rates[FREQUENCY_RATE]!, FREQUENCY_WINDOW_MS, nowMs);
    case "velocity":
      return velocityNextChangeMs(state, nowMs);
    case "engagement":
      return state.engagement.scaled === 0 ? Infinity : decayStepMs(state.interestHalfLifeMs, nowMs);
    default:
      return Infinity;
  }
}

/** The visitor's current session, or the last one once it is over. */
export interface SessionView {
  /** The given id; "" for a session by gap, or where there was none. */
  id: string;
  /** Unix ms. */
  started_at: number;
  /** From its first to its last event. */
  duration_s: number;
  events: number;
  interactions: number;
  page_views: number;
  clicks: number;
  /** Mean time between clicks; 0 with fewer than two. */
  click_interval_s: number;
  /** Clicks that came less than RAPID_CLICK_MS after the one before, among the latest 16 of the session. */
  rapid_clicks: number;
  dwell_s: number;
  /** Deepest scroll, 0-1. */
  scroll_depth: number;
  /** The session is over, and was one page at most without another interaction. */
  bounce: boolean;
  /** Less than 30 min without an event. */
  active: boolean;
  /** The person's first session. */
  is_new: boolean;
}

/** Faster than people click on purpose twice at different things. Guess, from double-click defaults of 500 ms. */
const RAPID_CLICK_MS = 500;

export function sessionView(state: PersonState, nowMs: number): SessionView {
  const session = currentSession(state);
  if (session === undefined) return { ...NO_SESSION };
  const view: Record<string, unknown> = {};
  for (const field of Object.keys(SESSION_READS) as (keyof SessionView)[])
    view[field] = SESSION_READS[field](session, state, nowMs);
  return view as unknown as SessionView;
}

/** Each field of the view by itself, of `currentSession(state)`: rules read one or two of them on every event. */
export const SESSION_READS: {
  readonly [Field in keyof SessionView]: (session: Session, state: PersonState, nowMs: number) => SessionView[Field];
} = {
  id: (session) => session.id,
  started_at: (session) => session.startMs,
  duration_s: (session) => (session.endMs - session.startMs) / 1000,
  events: (session) => session.events,
  interactions: (session) => session.interactions,
  page_views: (session) => session.pageViews,
  clicks: (session) => session.clicks,
  click_interval_s: ({ clicks, firstClickMs, lastClickMs }) =>
    clicks < 2 ? 0 : (lastClickMs - firstClickMs) / 1000 / (clicks - 1),
  rapid_clicks: (session, state) => rapidClicks(state.clickMs, session.startMs),
  dwell_s: (session) => session.dwellS,
  scroll_depth: (session) => session.scrollDepth,
  bounce: (session, _, nowMs) => !isActive(session, nowMs) && session.pageViews <= 1 && session.interactions <= 1,
  active: (session, _, nowMs) => isActive(session, nowMs),
  is_new: (session, state) => state.sessionsForgotten === 0 && !hasEarlier(state.sessions, session),
};

function isActive(session: Session, nowMs: number): boolean {
  return nowMs - session.endMs < SESSION_GAP_MS;
}

function hasEarlier(sessions: readonly Session[], session: Session): boolean {
  for (let i = 0; i < sessions.length; i++) if (sessions[i]!.startMs < session.startMs) return true;
  return false;
}

/** When the session ends by itself, which changes `bounce` and `active`; Infinity where it has. */
export function sessionNextChangeMs(state: PersonState, nowMs: number): number {
  const session = currentSession(state);
  if (session === undefined || !isActive(session, nowMs)) return Infinity;
  return session.endMs + SESSION_GAP_MS;
}

/** When the session began that is open at `nowMs`; undefined where none is. */
export function openSessionFromMs(state: PersonState, nowMs: number): number | undefined {
  const session = currentSession(state);
  return session !== undefined && isActive(session, nowMs) ? session.startMs : undefined;
}

/** What the fields read where there was no session. */
export const NO_SESSION: Readonly<SessionView> = {
  id: "",
  started_at: 0,
  duration_s: 0,
  events: 0,
  interactions: 0,
  page_views: 0,
  clicks: 0,
  click_interval_s: 0,
  rapid_clicks: 0,
  dwell_s: 0,
  scroll_depth: 0,
  bounce: false,
  active: false,
  is_new: true,
};

/** The newest session. Events without an id (a server's, say) that lie in reach of a given session belong to it. */
export function currentSession({ sessions }: PersonState): Session | undefined {
  const newest = sessions[0];
  if (newest === undefined) return undefined;
  const given =
    newest.id !== ""
      ? newest
      : sessions.find((other) => other.id !== "" && reaches(other, newest.startMs, newest.endMs));
  if (given === undefined) return newest;
  let joined = given;
  for (const other of sessions) {
    if (other.id !== "" || !reaches(given, other.startMs, other.endMs)) continue;
    if (joined === given) joined = { ...given };
    absorb(joined, other);
  }
  return joined;
}

function rapidClicks(clickMs: readonly number[], startMs: number): number {
  let rapid = 0;
  for (let i = 1; i < clickMs.length; i++) {
    if (clickMs[i - 1]! >= startMs && clickMs[i]! - clickMs[i - 1]! < RAPID_CLICK_MS) rapid++;
  }
  return rapid;
}

function velocity(state: PersonState, nowMs: number): number {
  const inHour = seriesCount(state.rates[2]!, HOUR, nowMs);
  if (inHour === 0) return 0;
  const perMinute = seriesCount(state.rates[0]!, FIVE_MINUTES, nowMs) / 5;
  return perMinute / (inHour / 60);
}

function velocityNextChangeMs(state: PersonState, nowMs: number): number {
  return Math.min(
    seriesNextChangeMs(state.rates[0]!, FIVE_MINUTES, nowMs),
    seriesNextChangeMs(state.rates[2]!, HOUR, nowMs),
  );
}

function decayStepMs(halfLifeMs: number, nowMs: number): number {
  const stepMs = Math.max(1, Math.ceil(halfLifeMs / 64));
  return (Math.floor(nowMs / stepMs) + 1) * stepMs;
}

// When the next value that is in the window leaves it.
function nextToLeaveMs(distinct: Distinct, windowMs: number, nowMs: number): number {
  let next = Infinity;
  for (let at = 2; at < distinct.length; at += DISTINCT_NUMBERS) {
    const timeMs = distinct[at]!;
    if (timeMs > nowMs - windowMs && timeMs + windowMs < next) next = timeMs + windowMs;
  }
  return next;
}

function countAfter(distinct: Distinct, cutoffMs: number): number {
  let count = 0;
  for (let at = 2; at < distinct.length; at += DISTINCT_NUMBERS) if (distinct[at]! > cutoffMs) count++;
  return count;
}

function seriesMean(series: Series, windowMs: number, nowMs: number): number {
  return ratio(seriesSum(series, windowMs, nowMs), seriesCount(series, windowMs, nowMs));
}

function ratio(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}

function finiteOr0(value: number): number {
  return value === -Infinity ? 0 : value;
}
