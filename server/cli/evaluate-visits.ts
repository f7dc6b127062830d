// What `evaluate` itself knows of each visitor: the session's items and the recent ones, independent of what the models
// have learnt, so that late models can be asked about live sessions.
import { SESSION_GAP_MS } from "../../core/event/session-gap.ts";
import { HISTORY_MAX, TRAIL_MAX } from "../../core/model/config.ts";
import type { RecentItem, Step } from "../../core/model/step.ts";

interface Visitor {
  sessionId: string | undefined;
  lastMs: number;
  /** Distinct items of the session, newest first. */
  trail: string[];
  /** Types of the current visit to the newest item. */
  types: Set<string>;
  history: RecentItem[];
  seen: Set<string> | undefined;
  before: Known | undefined;
}

/** What is known of a visitor at one moment. */
export interface Known {
  /** The session's items, newest first. */
  readonly trail: readonly string[];
  readonly history: readonly RecentItem[];
}

export interface Visits {
  /** The session's items before `step`, newest first; empty where the step begins a session. */
  trail(step: Step): readonly string[];
  /** Whether the current visit to the newest item had an event of the step's type already. */
  sawType(step: Step): boolean;
  history(personKey: string): RecentItem[];
  seen(personKey: string): ReadonlySet<string>;
  /** What was known before his latest visit to an item began, whatever events it has; where `keepBefore` is on. */
  beforeLast(step: Step): Known;
  /** `value` is the event's: a rating of few stars turns away. */
  add(step: Step, value?: number): void;
  /** The visitor turns away from an item: it leaves the session and stands in his history. */
  turnAway(step: Step): void;
  /** A visitor goes on under another key; of two open sessions the later one goes on. */
  relink(fromPersonKey: string, toPersonKey: string): void;
}

export interface VisitsOptions {
  readonly keepSeen: boolean;
  readonly keepBefore?: boolean;
}

export function createVisits(options: VisitsOptions): Visits {
  const visitors = new Map<string, Visitor>();
  const nothing = new Set<string>();
  const isOver = (visitor: Visitor, { sessionId, timeMs }: Step): boolean =>
    sessionId !== undefined && visitor.sessionId !== undefined
      ? sessionId !== visitor.sessionId
      : timeMs - visitor.lastMs > SESSION_GAP_MS;
  const note = (history: RecentItem[], { itemId, eventType, timeMs }: Step, value: number | undefined): void => {
    history.unshift({ item_id: itemId, event_type: eventType, timestamp: timeMs, ...(value === undefined ? {} : { value }) });
    if (history.length > HISTORY_MAX) history.pop();
  };
  const newcomer = ({ personKey, sessionId, timeMs }: Step): Visitor => {
    const visitor: Visitor = {
      sessionId, lastMs: timeMs, trail: [], types: new Set(), history: [], seen: undefined, before: undefined,
    };
    visitors.set(personKey, visitor);
    return visitor;
  };
  return {
    trail(step) {
      const visitor = visitors.get(step.personKey);
      return visitor === undefined || isOver(visitor, step) ? [] : visitor.trail;
    },
    sawType: (step) => visitors.get(step.personKey)?.types.has(step.eventType) ?? false,
    history: (personKey) => visitors.get(personKey)?.history ?? [],
    seen: (personKey) => visitors.get(personKey)?.seen ?? nothing,
    beforeLast(step) {
      const visitor = visitors.get(step.personKey);
      const { trail = [], history = [] } = visitor?.before ?? {};
      return { trail: visitor === undefined || isOver(visitor, step) ? [] : trail, history };
    },
    add(step, value) {
      let visitor = visitors.get(step.personKey);
      if (visitor === undefined) visitor = newcomer(step);
      else if (isOver(visitor, step)) visitor.trail = [];
      visitor.sessionId = step.sessionId;
      visitor.lastMs = step.timeMs;
      if (visitor.trail[0] !== step.itemId || visitor.types.has(step.eventType)) {
        visitor.types.clear();
        if (options.keepBefore === true) visitor.before = { trail: visitor.trail.slice(), history: visitor.history.slice() };
      }
      visitor.types.add(step.eventType);
      const at = visitor.trail.indexOf(step.itemId);
      if (at >= 0) visitor.trail.splice(at, 1);
      visitor.trail.unshift(step.itemId);
      if (visitor.trail.length > TRAIL_MAX) visitor.trail.pop();
      note(visitor.history, step, value);
      if (options.keepSeen) (visitor.seen ??= new Set()).add(step.itemId);
    },
    turnAway(step) {
      const visitor = visitors.get(step.personKey) ?? newcomer(step);
      const { before } = visitor;
      if (before !== undefined) {
        const history = before.history.slice();
        note(history, step, undefined);
        visitor.before = { trail: before.trail.filter((itemId) => itemId !== step.itemId), history };
      }
      const at = visitor.trail.indexOf(step.itemId);
      if (at >= 0) visitor.trail.splice(at, 1);
      if (at === 0) visitor.types.clear();
      note(visitor.history, step, undefined);
    },
    relink(from, to) {
      const moved = visitors.get(from);
      if (moved === undefined || from === to) return;
      visitors.delete(from);
      const other = visitors.get(to);
      if (other === undefined) {
        visitors.set(to, moved);
        return;
      }
      const [later, earlier] = other.lastMs > moved.lastMs ? [other, moved] : [moved, other];
      const merged = (a: readonly RecentItem[], b: readonly RecentItem[]): RecentItem[] =>
        [...a, ...b].sort((x, y) => y.timestamp - x.timestamp).slice(0, HISTORY_MAX);
      const { before } = later;
      visitors.set(to, {
        ...later,
        history: merged(later.history, earlier.history),
        seen: options.keepSeen ? new Set([...(earlier.seen ?? []), ...(later.seen ?? [])]) : undefined,
        before: before === undefined ? undefined : { ...before, history: merged(before.history, earlier.history) },
      });
    },
  };
}
