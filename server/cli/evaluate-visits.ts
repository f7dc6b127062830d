// What `evaluate` itself knows of each visitor: the session's items and the recent ones, independent of what the models
// have learnt, so that late models can be asked about live sessions.
import { SESSION_GAP_MS } from "../../core/event/session-gap.ts";
import { HISTORY_MAX, TRAIL_MAX } from "../../core/model/config.ts";
import type { RecentItem, Step } from "../../core/rank/recommender.ts";

interface Visitor {
  sessionId: string | undefined;
  lastMs: number;
  /** Distinct items of the session, newest first. */
  trail: string[];
  /** Types of the current visit to the newest item. */
  types: Set<string>;
  history: RecentItem[];
  seen: Set<string> | undefined;
}

export interface Visits {
  /** The session's items before `step`, newest first; empty where the step begins a session. */
  trail(step: Step): readonly string[];
  /** Whether the current visit to the newest item had an event of the step's type already. */
  sawType(step: Step): boolean;
  history(personKey: string): RecentItem[];
  seen(personKey: string): ReadonlySet<string>;
  add(step: Step): void;
}

export function createVisits(options: { keepSeen: boolean }): Visits {
  const visitors = new Map<string, Visitor>();
  const nothing = new Set<string>();
  const isOver = (visitor: Visitor, { sessionId, timeMs }: Step): boolean =>
    sessionId !== undefined && visitor.sessionId !== undefined
      ? sessionId !== visitor.sessionId
      : timeMs - visitor.lastMs > SESSION_GAP_MS;
  return {
    trail(step) {
      const visitor = visitors.get(step.personKey);
      return visitor === undefined || isOver(visitor, step) ? [] : visitor.trail;
    },
    sawType: (step) => visitors.get(step.personKey)?.types.has(step.eventType) ?? false,
    history: (personKey) => visitors.get(personKey)?.history ?? [],
    seen: (personKey) => visitors.get(personKey)?.seen ?? nothing,
    add(step) {
      let visitor = visitors.get(step.personKey);
      if (visitor === undefined) {
        visitor = { sessionId: step.sessionId, lastMs: step.timeMs, trail: [], types: new Set(), history: [], seen: undefined };
        visitors.set(step.personKey, visitor);
      } else if (isOver(visitor, step)) {
        visitor.trail = [];
      }
      visitor.sessionId = step.sessionId;
      visitor.lastMs = step.timeMs;
      if (visitor.trail[0] !== step.itemId || visitor.types.has(step.eventType)) visitor.types.clear();
      visitor.types.add(step.eventType);
      const at = visitor.trail.indexOf(step.itemId);
      if (at >= 0) visitor.trail.splice(at, 1);
      visitor.trail.unshift(step.itemId);
      if (visitor.trail.length > TRAIL_MAX) visitor.trail.pop();
      visitor.history.unshift({ item_id: step.itemId, event_type: step.eventType, timestamp: step.timeMs });
      if (visitor.history.length > HISTORY_MAX) visitor.history.pop();
      if (options.keepSeen) (visitor.seen ??= new Set()).add(step.itemId);
    },
  };
}
