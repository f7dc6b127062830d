// The hub of a project's live connections: hears each change after it is durable, and tells those who watch the person.
//
// Pushes are made one connection after another in slices of a few milliseconds, so that a crowd of readers never holds
// up intake; a connection that is told rarely is told at once, a busy one at most every PUSH_GAP_MS with the newest
// state; a slow reader is told nothing until it has read, and is cut when it still has not.
import { formatTimestamp } from "../../core/event/time.ts";
import type { Logger } from "pino";
import { FilterError, HostError, RulesError, type PersonChange, type Project } from "../ports.ts";
import { notTheirs } from "../access/gate.ts";
import { Problem } from "../http/problem.ts";
import { listFor } from "../serve/recommendation-routes.ts";
import type { LiveMessage, Subscription } from "./messages.ts";
import { Subscriber, type Outlet } from "./subscriber.ts";

/** Above this many unread bytes a reader is told nothing new; above the second it is cut. */
export const UNREAD_PAUSE_BYTES = 64 * 1024;
const UNREAD_CUT_BYTES = 1024 * 1024;
/** A reader that stays above the pause for so long is cut as well. */
const STALLED_MS = 30_000;
/** The least time between two pushes to one connection: four screens at 60 Hz would show no more. */
const PUSH_GAP_MS = 15;
const SLICE_MS = 4;
/** How often all lists are made anew at most, when the catalogue or the program changed. */
const REFRESH_GAP_MS = 1_000;

export interface HubStats {
  subscriptions: number;
  sent: number;
  /** Connections that have more unread than they are told more for. */
  paused: number;
  /** Connections cut because they did not read. */
  cut: number;
}

export interface Hub {
  /** A connection that watches nobody yet. */
  join(outlet: Outlet): Subscriber;
  leave(subscriber: Subscriber): void;
  /** Watches a person from now on and pushes the state of now. Replaces the subscription before. */
  subscribe(subscriber: Subscriber, subscription: Subscription): void;
  unsubscribe(subscriber: Subscriber): void;
  /** To be called when a paused reader may have read. */
  drained(subscriber: Subscriber): void;
  /** Lists of everybody may have changed: catalogue or program. */
  refreshAll(): void;
  stats(): HubStats;
  close(): void;
}

export function createHub(project: Project, options: { logger: Logger; now: () => number; stalledMs?: number }): Hub {
  const { logger, now, stalledMs = STALLED_MS } = options;
  const joined = new Set<Subscriber>();
  const byKey = new Map<string, Set<Subscriber>>();
  /** Those who subscribed by an anonymous id: a link can make them another person without a merge, an erasure undoes it. */
  const byAnonymousId = new Map<string, Set<Subscriber>>();
  const stalledSinceMs = new Map<Subscriber, number>();
  const delayed = new Set<NodeJS.Timeout>();
  let queue: Subscriber[] = [];
  let running = false;
  let refresh: NodeJS.Timeout | undefined;
  let lastRefreshMs = -Infinity;
  let sent = 0;
  let cut = 0;
  const stopListening = project.onChange(onChange);

  function onChange(change: PersonChange): void {
    if (joined.size === 0) return;
    if (change.mergedFrom !== undefined) moveAll(change.mergedFrom);
    const anonymousId = change.linkedAnonymousId ?? change.event?.anonymous_id ?? change.ref.anonymous_id;
    if (anonymousId !== undefined) {
      for (const subscriber of byAnonymousId.get(anonymousId) ?? []) rekey(subscriber);
    }
    const watching = byKey.get(change.key);
    if (watching === undefined) return;
    const { event } = change;
    const cause = event && { event_id: event.event_id, received_at: formatTimestamp(event.received_at) };
    for (const subscriber of watching) {
      subscriber.profile = true;
      subscriber.lists = true;
      if (change.entered.length > 0 || change.left.length > 0) subscriber.segments = true;
      if (cause !== undefined) subscriber.cause = cause;
      for (const trigger of change.triggers) if (trigger.push) subscriber.addTrigger(trigger, cause);
      schedule(subscriber);
    }
  }

  function moveAll(key: string): void {
    for (const subscriber of [...(byKey.get(key) ?? [])]) rekey(subscriber);
  }

  /** Looks up again who the subscription's person is; tells everything anew where he became another. */
  function rekey(subscriber: Subscriber): void {
    if (subscriber.subscription === undefined) return;
    const key = project.personKey(subscriber.subscription.ref);
    if (key === subscriber.key) return;
    removeFrom(byKey, subscriber.key, subscriber);
    subscriber.key = key;
    addTo(byKey, key, subscriber);
    subscriber.wantAll();
    schedule(subscriber);
  }

  function schedule(subscriber: Subscriber): void {
    if (subscriber.waiting || !subscriber.hasNews || !joined.has(subscriber)) return;
    if (isPaused(subscriber)) return; // `drained` schedules it again
    subscriber.waiting = true;
    const gapMs = subscriber.lastPushMs + PUSH_GAP_MS - performance.now();
    if (gapMs <= 0) return enqueue(subscriber);
    const timer = setTimeout(() => {
      delayed.delete(timer);
      enqueue(subscriber);
    }, gapMs);
    delayed.add(timer);
  }

  function enqueue(subscriber: Subscriber): void {
    queue.push(subscriber);
    if (running) return;
    running = true;
    setImmediate(() => void run());
  }

  async function run(): Promise<void> {
    let sliceEndMs = performance.now() + SLICE_MS;
    while (queue.length > 0) {
      // Whoever comes meanwhile waits in a list of his own: where there is always somebody, one list would never end.
      const round = queue;
      queue = [];
      for (const subscriber of round) {
        await push(subscriber);
        if (performance.now() < sliceEndMs) continue;
        await new Promise((resolve) => setImmediate(resolve));
        sliceEndMs = performance.now() + SLICE_MS;
      }
    }
    running = false;
  }

  async function push(subscriber: Subscriber): Promise<void> {
    const { subscription } = subscriber;
    if (subscription === undefined || !joined.has(subscriber)) {
      subscriber.waiting = false;
      return;
    }
    if (!subscription.mayRead()) {
      subscriber.waiting = false;
      unsubscribe(subscriber);
      return tellFault(subscriber, notTheirs());
    }
    const news = subscriber.take();
    const isCurrent = (): boolean =>
      subscriber.subscription === subscription && joined.has(subscriber) && subscription.mayRead();
    try {
      const caused = news.cause === undefined ? {} : { caused_by: news.cause };
      const profile = await project.profile(subscription.ref);
      if (!isCurrent()) return;
      for (const { trigger, cause } of news.triggers) {
        tell(subscriber, {
          type: "trigger",
          name: trigger.name,
          ...(trigger.itemId !== undefined && { item_id: trigger.itemId }),
          fired_at: formatTimestamp(trigger.atMs),
          at: at(),
          ...(cause !== undefined && { caused_by: cause }),
        });
      }
      if (news.lists) {
        for (const request of subscription.requests) {
          const list = await listFor(project, request).catch((error: unknown) => tellFault(subscriber, error));
          if (!isCurrent()) return;
          if (list !== undefined) tell(subscriber, { type: "recommendations", ...list, at: at(), ...caused });
        }
      }
      if (news.allSegments || news.segments) {
        const segments = profile?.segments ?? [];
        const moves = subscriber.movesTo(segments);
        const isNews = news.allSegments || moves.entered.length > 0 || moves.left.length > 0;
        if (isNews) tell(subscriber, { type: "segments", segments, ...moves, at: at(), ...caused });
      }
      if (news.profile && profile !== undefined) tell(subscriber, { type: "profile", ...profile, at: at(), ...caused });
    } catch (error) {
      tellFault(subscriber, error);
    } finally {
      subscriber.waiting = false;
      subscriber.lastPushMs = performance.now();
      schedule(subscriber);
    }
  }

  function tellFault(subscriber: Subscriber, error: unknown): void {
    if (!isExpected(error)) logger.error({ err: error, project: project.name }, "a live push failed");
    const code = isExpected(error) ? error.code : "internal";
    const detail = isExpected(error) ? error.message : "The server failed; its log says more.";
    tell(subscriber, { type: "error", code, detail, at: at() });
  }

  function tell(subscriber: Subscriber, message: LiveMessage): void {
    if (!joined.has(subscriber)) return;
    subscriber.outlet.send(message);
    sent++;
    if (subscriber.outlet.unreadBytes > UNREAD_CUT_BYTES) cutOff(subscriber);
  }

  function cutOff(subscriber: Subscriber): void {
    cut++;
    subscriber.outlet.cut();
    leave(subscriber);
  }

  function isPaused(subscriber: Subscriber): boolean {
    if (subscriber.outlet.unreadBytes <= UNREAD_PAUSE_BYTES) return false;
    if (!stalledSinceMs.has(subscriber)) stalledSinceMs.set(subscriber, performance.now());
    return true;
  }

  const stalledCheck = setInterval(() => {
    for (const [subscriber, sinceMs] of stalledSinceMs) {
      if (subscriber.outlet.unreadBytes <= UNREAD_PAUSE_BYTES) drained(subscriber);
      else if (performance.now() - sinceMs > stalledMs) cutOff(subscriber);
    }
  }, 1_000);
  stalledCheck.unref();

  function drained(subscriber: Subscriber): void {
    if (subscriber.outlet.unreadBytes > UNREAD_PAUSE_BYTES) return;
    stalledSinceMs.delete(subscriber);
    schedule(subscriber);
  }

  function unsubscribe(subscriber: Subscriber): void {
    const anonymousId = subscriber.subscription?.ref.anonymous_id;
    removeFrom(byKey, subscriber.key, subscriber);
    if (anonymousId !== undefined) removeFrom(byAnonymousId, anonymousId, subscriber);
    subscriber.subscription = undefined;
    subscriber.forget();
  }

  function leave(subscriber: Subscriber): void {
    unsubscribe(subscriber);
    stalledSinceMs.delete(subscriber);
    joined.delete(subscriber);
  }

  function refreshNow(): void {
    refresh = undefined;
    lastRefreshMs = performance.now();
    for (const subscriber of joined) {
      if (subscriber.subscription === undefined) continue;
      subscriber.wantAll();
      schedule(subscriber);
    }
  }

  function at(): string {
    return formatTimestamp(now());
  }

  return {
    join(outlet) {
      const subscriber = new Subscriber(outlet);
      joined.add(subscriber);
      return subscriber;
    },
    leave,
    subscribe(subscriber, subscription) {
      unsubscribe(subscriber);
      subscriber.subscription = subscription;
      subscriber.key = project.personKey(subscription.ref);
      addTo(byKey, subscriber.key, subscriber);
      const { anonymous_id: anonymousId } = subscription.ref;
      if (anonymousId !== undefined) addTo(byAnonymousId, anonymousId, subscriber);
      subscriber.lastPushMs = -Infinity;
      subscriber.wantAll();
      schedule(subscriber);
    },
    unsubscribe,
    drained,
    refreshAll() {
      if (joined.size === 0 || refresh !== undefined) return;
      refresh = setTimeout(refreshNow, Math.max(0, lastRefreshMs + REFRESH_GAP_MS - performance.now()));
      refresh.unref();
    },
    stats: () => ({ subscriptions: byKey.size, sent, paused: stalledSinceMs.size, cut }),
    close() {
      stopListening();
      clearInterval(stalledCheck);
      clearTimeout(refresh);
      for (const timer of delayed) clearTimeout(timer);
      joined.clear();
    },
  };
}

function addTo(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Set([subscriber]));
  else known.add(subscriber);
}

function removeFrom(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber): void {
  const known = index.get(key);
  if (known === undefined) return;
  known.delete(subscriber);
  if (known.size === 0) index.delete(key);
}

function isExpected(error: unknown): error is Problem | HostError | FilterError | RulesError {
  return [Problem, HostError, FilterError, RulesError].some((kind) => error instanceof kind);
}
