// What runs while the visitor consents: identity, queue, sending, capture. It begins with the grant and ends with the
// denial, and nothing of it exists before.
import { browserClock, exclusively, type HttpClient } from "./browser-host.ts";
import { startCapture, type Capture } from "./capture/capture.ts";
import { pageUrl } from "./capture/page-url.ts";
import type { KeyValueStore } from "./host.ts";
import { openIdentity, type Identity } from "./identity.ts";
import { eventIds, randomId } from "./ids.ts";
import type { ListenerSet } from "./listeners.ts";
import { openEventQueue, type EventQueue } from "./queue/event-queue.ts";
import { createSender, type Sender } from "./queue/sender.ts";
import type { AutoCapture, EventFields, RecommendationList, SentEvent } from "./types.ts";

/** Lists remembered for `decision_id`: about twenty pages of 25 items. */
const DECIDED_ITEMS_MAX = 500;
/** May wait for company and may be lost first when the queue is full; everything else goes out at once. */
const EXPENDABLE: ReadonlySet<string> = new Set(["scroll", "hover", "mouse_move", "dwell", "impression"]);

export interface VisitOptions {
  store: KeyValueStore;
  prefix: string;
  client: HttpClient;
  auto: Required<AutoCapture>;
  flushMs: number;
  listeners: ListenerSet;
  /** Asked before each event: the consent still holds. Ends the visit where it does not. */
  isAllowed: () => boolean;
  /** The server answers again, after tries that failed. */
  onBack: () => void;
  onChange: () => void;
  /** The document is there, or holds something else than before. */
  onLook: () => void;
}

export interface Visit {
  readonly identity: Identity;
  readonly queue: EventQueue;
  readonly sender: Sender;
  readonly capture: Capture;
  track(eventType: string, fields?: EventFields, page?: string): string | undefined;
  identify(userId: string, attributes: Record<string, unknown> | undefined): void;
  reset(): void;
  /** Later events on these items carry the list's decision id. */
  remember(list: RecommendationList): void;
  /** Resolves when what the visitor did is known to the server, or could not be brought there. */
  settled(): Promise<void>;
  end(): void;
}

/** Removes what a visit stored: ids, session, queue. */
export function forget(store: KeyValueStore, prefix: string): void {
  for (const key of store.keys()) if (key.startsWith(prefix) && key !== `${prefix}consent`) store.remove(key);
}

export function startVisit({
  store, prefix, client, auto, flushMs, listeners, isAllowed, onBack, onChange, onLook,
}: VisitOptions): Visit {
  const identity = openIdentity(store, prefix, randomId);
  const nextId = eventIds();
  const decisions = new Map<string, string>();
  let unsettled = false;

  const queue = openEventQueue({
    store,
    prefix: `${prefix}q:`,
    nowMs: browserClock.nowMs,
    onDrop: (error) => listeners.emit("error", error),
  });
  const sender = createSender({
    queue,
    clock: browserClock,
    random: Math.random,
    post: (path, body) => client.request("POST", path, body),
    patch: (path, body) => client.request("PATCH", path, body),
    beacon: client.beacon,
    exclusively: (task) => exclusively(`${prefix}sending`, task),
    onDelivery: (delivery) => listeners.emit("delivery", delivery),
    onError: (error) => listeners.emit("error", error),
    onBack,
    onChange,
  });

  function track(eventType: string, fields: EventFields = {}, page: string = location.href): string | undefined {
    if (!isAllowed()) return undefined;
    const nowMs = browserClock.nowMs();
    const userId = identity.userId();
    const decisionId = decisions.get(fields.item_id ?? "");
    const event: SentEvent = {
      event_id: nextId(nowMs),
      ...(userId && { user_id: userId }),
      anonymous_id: identity.anonymousId(),
      session_id: identity.session(nowMs),
      event_type: eventType,
      timestamp: nowMs,
      page_url: pageUrl(page),
      ...fields,
      ...(decisionId && { context: { decision_id: decisionId, ...fields.context } }),
    };
    const expendable = EXPENDABLE.has(eventType);
    queue.put({ id: event.event_id, event }, expendable ? "expendable" : "kept");
    // A page view says nothing about taste: lists need not wait for it.
    if (!expendable && eventType !== "page_view") unsettled = true;
    sender.schedule(expendable ? flushMs : 0);
    listeners.emit("event", event);
    onChange();
    return event.event_id;
  }

  const visit: Visit = {
    identity,
    queue,
    sender,
    capture: startCapture({ auto, emit: track, onLook }),
    track,
    identify(userId, attributes) {
      if (identity.userId() !== userId) {
        visit.capture.settle();
        identity.setUser(userId);
        visit.capture.mark();
      }
      const timestamp = browserClock.nowMs();
      if (attributes && client.url("").startsWith(`${location.origin}/`)) {
        queue.put({ id: nextId(timestamp), set: { user_id: userId, attributes, timestamp } }, "kept");
      } else if (attributes) {
        // The node refuses them whenever it is asked: they must not wait in the queue for days.
        listeners.emit("error", { code: "cross_origin", message: "Set attributes on the server." });
      }
      unsettled = true;
      sender.schedule(0);
    },
    reset() {
      visit.capture.settle();
      identity.reset();
      decisions.clear();
    },
    remember({ decision_id, items }) {
      for (const { item_id } of items) {
        decisions.delete(item_id);
        decisions.set(item_id, decision_id);
      }
      for (const itemId of decisions.keys()) {
        if (decisions.size <= DECIDED_ITEMS_MAX) break;
        decisions.delete(itemId);
      }
    },
    async settled() {
      if (!unsettled) return;
      unsettled = false;
      await sender.flush();
    },
    end() {
      visit.capture.stop();
      sender.stop();
    },
  };
  sender.schedule(flushMs); // what an earlier page left behind
  return visit;
}
