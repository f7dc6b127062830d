// Superhuman patterns of one visitor, in event time, so that a replay and a queue sent late look the same as they were
// lived: a rate that no hand keeps up, and a rhythm that no hand keeps. Marks only; nothing is refused.
import type { LoggedEvent } from "../../../core/event/event.ts";
import { RecentMap } from "../../hosting/recent-map.ts";

/** Interactions by hand; scrolling, hovering and the like are sent many times a second by any browser. */
const BY_HAND: ReadonlySet<string> = new Set([
  "page_view",
  "view",
  "click",
  "search",
  "add_to_cart",
  "remove_from_cart",
  "purchase",
  "like",
  "dislike",
  "dismiss",
  "rating",
]);
/** A leaky bucket: ten a second for ever, and bursts of a hundred. Guess: four times what rage clicking reaches. */
const SUSTAINED_PER_S = 10;
const BURST_MAX = 100;
/** In so long a full bucket is empty. What is older by more is another stretch of the same visitor: a queue sent late. */
const STRETCH_MS = (BURST_MAX / SUSTAINED_PER_S) * 1_000;
/** So many intervals in a row that differ by less than 2 % are a metronome, not a hand. Guess. */
const RHYTHM_INTERVALS = 40;
const RHYTHM_TOLERANCE = 0.02;
const RHYTHM_INTERVAL_MAX_MS = 60_000;
/** How long a visitor stays marked after the last sign, in event time. */
const MARKED_MS = 10 * 60_000;
const VISITORS_MAX = 20_000;

interface Visitor {
  lastMs: number;
  level: number;
  intervalMs: number;
  evenIntervals: number;
  markedUntilMs: number;
}

type SentEvent = Pick<LoggedEvent, "user_id" | "anonymous_id" | "event_type" | "timestamp" | "source">;

export interface PatternWatch {
  /** True where the event belongs to a visitor whose pattern, as one address sends it, no human makes. */
  isSuspicious(event: SentEvent): boolean;
}

export function watchPatterns(): PatternWatch {
  const visitors = new RecentMap<Visitor>(VISITORS_MAX);
  return {
    isSuspicious(event) {
      // By sender: what others send in somebody's name must not leave out what he does.
      const { user_id: userId, anonymous_id: anonymousId, source = "" } = event;
      const key = userId === undefined ? `${source} a${anonymousId}` : `${source} u${userId}`;
      let visitor = visitors.get(key);
      if (visitor === undefined) {
        visitor = { lastMs: event.timestamp, level: 0, intervalMs: 0, evenIntervals: 0, markedUntilMs: -Infinity };
        visitors.set(key, visitor);
      }
      if (BY_HAND.has(event.event_type)) observe(visitor, event.timestamp);
      return event.timestamp <= visitor.markedUntilMs;
    },
  };
}

function observe(visitor: Visitor, timeMs: number): void {
  const sinceMs = timeMs - visitor.lastMs;
  if (sinceMs > 0 || sinceMs < -STRETCH_MS) {
    const apartMs = Math.abs(sinceMs);
    visitor.level = Math.max(0, visitor.level - (apartMs / 1_000) * SUSTAINED_PER_S);
    const even = Math.abs(apartMs - visitor.intervalMs) <= visitor.intervalMs * RHYTHM_TOLERANCE;
    visitor.evenIntervals = even && apartMs <= RHYTHM_INTERVAL_MAX_MS ? visitor.evenIntervals + 1 : 0;
    visitor.intervalMs = apartMs;
    visitor.lastMs = timeMs;
  }
  visitor.level++;
  if (visitor.level > BURST_MAX || visitor.evenIntervals >= RHYTHM_INTERVALS) {
    visitor.markedUntilMs = Math.max(visitor.markedUntilMs, timeMs + MARKED_MS);
  }
}
