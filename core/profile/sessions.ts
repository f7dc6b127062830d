// Sessions as mergeable intervals. One with a `session_id` gathers that id's events; events without an id form sessions by
// gap: the connected components of their times under SESSION_GAP_MS. Both are functions of the set of events, so a late
// event joins (or joins together) the sessions it belongs to.
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import { inserted } from "./lists.ts";

/** Sessions kept; an event of an older one is counted nowhere here. */
export const SESSIONS_MAX = 8;

export interface Session {
  /** The given id; "" for a session by gap. */
  id: string;
  startMs: number;
  endMs: number;
  events: number;
  interactions: number;
  pageViews: number;
  dwellS: number;
  /** Deepest scroll, 0-1. */
  scrollDepth: number;
  clicks: number;
  /** Event times; -1 without clicks. */
  firstClickMs: number;
  lastClickMs: number;
}

function newSession(id: string, timeMs: number): Session {
  return {
    id,
    startMs: timeMs,
    endMs: timeMs,
    events: 0,
    interactions: 0,
    pageViews: 0,
    dwellS: 0,
    scrollDepth: 0,
    clicks: 0,
    firstClickMs: -1,
    lastClickMs: -1,
  };
}

/** Who has sessions: newest first by end, and how many are no longer kept. */
export interface SessionOwner {
  sessions: Session[];
  sessionsForgotten: number;
}

/** The session that an event at `timeMs` belongs to, stretched to it. Undefined where it is older than all kept ones. */
export function sessionFor(owner: SessionOwner, id: string, timeMs: number): Session | undefined {
  const { sessions } = owner;
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i]!;
    if (session.id !== id || (id === "" && !reaches(session, timeMs, timeMs))) continue;
    if (timeMs < session.startMs) session.startMs = timeMs;
    if (timeMs > session.endMs) session.endMs = timeMs;
    if (id === "") joinReached(sessions, session);
    settle(sessions, session);
    return session;
  }
  const session = newSession(id, timeMs);
  if (sessions.length < SESSIONS_MAX) owner.sessions = inserted(sessions, sessions.length, session);
  else {
    if (sessions[SESSIONS_MAX - 1]!.endMs >= timeMs) return undefined;
    sessions[SESSIONS_MAX - 1] = session;
    owner.sessionsForgotten++;
  }
  settle(owner.sessions, session);
  return session;
}

/** Adds the sessions of `from` to `into`; returns how many had to be forgotten. */
export function mergeSessions(into: Session[], from: readonly Session[]): number {
  for (const session of from) {
    const { id, startMs, endMs } = session;
    const same = into.find((kept) => kept.id === id && (id !== "" || reaches(kept, startMs, endMs)));
    if (same === undefined) into.push({ ...session });
    else {
      absorb(same, session);
      if (same.id === "") joinReached(into, same);
    }
  }
  into.sort(newerFirst);
  return into.splice(SESSIONS_MAX).length;
}

/** Adds what `from` counted to `into`. */
export function absorb(into: Session, from: Session): void {
  into.startMs = Math.min(into.startMs, from.startMs);
  into.endMs = Math.max(into.endMs, from.endMs);
  into.events += from.events;
  into.interactions += from.interactions;
  into.pageViews += from.pageViews;
  into.dwellS += from.dwellS;
  into.scrollDepth = Math.max(into.scrollDepth, from.scrollDepth);
  if (from.clicks > 0) {
    into.firstClickMs = into.clicks === 0 ? from.firstClickMs : Math.min(into.firstClickMs, from.firstClickMs);
    into.lastClickMs = Math.max(into.lastClickMs, from.lastClickMs);
    into.clicks += from.clicks;
  }
}

/** Whether less than the gap lies between a session and the interval. */
export function reaches(session: Session, startMs: number, endMs: number): boolean {
  return startMs - session.endMs < SESSION_GAP_MS && session.startMs - endMs < SESSION_GAP_MS;
}

function newerFirst(a: Session, b: Session): number {
  return b.endMs - a.endMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

// A session by gap that has grown may reach its neighbours: they are one now.
function joinReached(sessions: Session[], grown: Session): void {
  for (let i = sessions.length - 1; i >= 0; i--) {
    const other = sessions[i]!;
    if (other === grown || other.id !== "" || !reaches(grown, other.startMs, other.endMs)) continue;
    absorb(grown, other);
    sessions.splice(i, 1);
    i = sessions.length; // The joined interval may reach further: look at all again; each turn removes one.
  }
}

// Puts the one session that changed back into its place.
function settle(sessions: Session[], changed: Session): void {
  let at = sessions.indexOf(changed);
  while (at > 0 && newerFirst(sessions[at - 1]!, changed) > 0) {
    sessions[at] = sessions[at - 1]!;
    sessions[--at] = changed;
  }
}
