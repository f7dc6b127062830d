// The SDK's object: consent decides whether a visit runs, everything else is handed to it.
import { browserClock, browserStore, createHttpClient } from "./browser-host.ts";
import { whenParsed } from "./capture/capture.ts";
import { consentState } from "./consent.ts";
import { problemOf } from "./host.ts";
import { createListeners } from "./listeners.ts";
import { LIVE_NAMES, socketConnect, streamConnect } from "./live/connections.ts";
import { createLive, type Live, type LiveMessage, type LiveState } from "./live/live.ts";
import { applyDecision, slotsCame, slotsOf } from "./slots.ts";
import type {
  Attune, AttuneOptions, AutoCapture, Decision, Listeners, Profile, RecommendationList, SegmentsChange, Status,
  Subscription,
} from "./types.ts";
import { forget, startVisit, type Visit } from "./visit.ts";

const FLUSH_MS = 2_000;
/** A list or a decision waits this long for the visitor's last events to arrive before it is asked for. */
const SETTLE_MAX_MS = 1_000;
/** Rules may read more than segments; profiles change with each event, so slots follow them at leisure. */
const SLOTS_AFTER_PROFILE_MS = 2_000;

/** A request of the SDK that failed; `code` is `consent_required`, `network` or the server's. */
const faultOf = (code: string, message: string): Error & { code: string } =>
  Object.assign(new Error(message), { code });

/** What can be captured, by the names of `data-auto` and of `auto`. */
export const CAPTURES = ["page_view", "click", "scroll", "hover", "mouse_move", "dwell", "search", "impression"] as const;

function autoOf(auto: boolean | AutoCapture | undefined): Required<AutoCapture> {
  const wants = (name: keyof AutoCapture): boolean => (typeof auto === "object" ? auto[name] !== false : auto === true);
  return Object.fromEntries(CAPTURES.map((name) => [name, wants(name)])) as Required<AutoCapture>;
}

declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
  interface Document {
    readonly prerendering?: boolean;
  }
}

/** Starts the SDK in this page. Reads the visitor's earlier decision; stores and sends nothing without their consent. */
export function createAttune(options: AttuneOptions = {}): Attune {
  const prefix = `attune:${options.project ?? "default"}:`;
  const consentKey = `${prefix}consent`;
  const store = browserStore();
  const client = createHttpClient(options);
  const listeners = createListeners();
  const ending = new AbortController();

  let visit: Visit | undefined;
  let live: Live | undefined;
  let liveState: LiveState = "off";
  let transport: "websocket" | "sse" = "websocket";
  let subscription: Subscription = { placements: [] };
  let liveWanted = options.slots === true;
  /** Whom the page named: remembered by the page alone until the visitor consents. */
  let named: Parameters<Attune["identify"]> | undefined;

  const isObjecting = (): boolean => navigator.globalPrivacyControl === true && options.gpc !== "ignore";
  const consentNow = (): Status["consent"] =>
    consentState({
      mode: options.consent,
      decided: store.get(consentKey),
      isObjecting: isObjecting(),
    });

  // --- status: at most one report a turn of the event loop ---
  const statusNow = (): Status => ({
    consent: consentNow(),
    live: liveState,
    ...(liveState !== "off" && { transport }),
    online: navigator.onLine,
    queued: visit?.queue.size ?? 0,
  });
  let statusQueued = false;
  function statusChanged(): void {
    if (statusQueued) return;
    statusQueued = true;
    queueMicrotask(() => {
      statusQueued = false;
      listeners.emit("status", statusNow());
    });
  }

  // --- consent: the visit follows it ---
  function followConsent(): void {
    // A page that is prerendered was not seen yet, whatever it grants.
    const state = ending.signal.aborted || document.prerendering ? "pending" : consentNow();
    if (state === "granted" && !visit) {
      visit = startVisit({
        store, prefix, client, listeners, auto: autoOf(options.auto), flushMs: options.flushMs ?? FLUSH_MS,
        onBack: wake,
        isAllowed,
        onChange: statusChanged,
        onLook: lookForSlots,
      });
      if (named) visit.identify(...named);
      openLive();
      whenParsed(() => refreshSlots());
    } else if (state !== "granted" && visit) {
      endVisit();
    }
    if (state === "denied") forget(store, prefix);
    statusChanged();
  }

  /** The site may have cleared its store, and the visitor's decision with it: then he is to be asked again. */
  function isAllowed(): boolean {
    const isGranted = consentNow() === "granted";
    if (!isGranted) followConsent();
    return isGranted;
  }

  /** The visit, where one may go on. */
  const running = (): Visit | undefined => (isAllowed() ? visit : undefined);

  function endVisit(): void {
    visit?.end();
    visit = undefined;
    live?.stop();
    live = undefined;
    shown.clear(); // Whoever begins again is exposed again.
  }

  function decideConsent(decision: "granted" | "denied"): void {
    if (decision === "granted" && isObjecting()) {
      return listeners.emit("error", { code: "gpc", message: "Global Privacy Control denies." });
    }
    store.set(consentKey, decision);
    followConsent();
  }

  /** The server is there. Sender and live connection have a back-off each: whichever finds it first tells the other. */
  function wake(): void {
    visit?.sender.wake();
    live?.wake();
  }

  // --- live ---
  function openLive(): void {
    if (!visit || !liveWanted) return;
    live ??= createLive({
      clock: browserClock,
      random: Math.random,
      socket: socketConnect(client),
      stream: streamConnect(client),
      onMessage: heard,
      onState(state, by) {
        if (state === "open") wake();
        liveState = state;
        transport = by;
        statusChanged();
      },
    });
    live.subscribe({ ...who(visit), ...subscription });
  }

  function heard({ type, at: _at, ...fields }: LiveMessage): void {
    if (type === "error") {
      const [code, message] = problemOf({ status: 0, body: fields });
      listeners.emit(type, { code, message });
    }
    if (!LIVE_NAMES.has(type)) return;
    if (type === "recommendations") visit?.remember(fields as unknown as RecommendationList);
    // Each live name's message is what its listeners get; the server is trusted with the form.
    listeners.emit(type as "profile", fields as unknown as Profile);
    if (type === "profile") refreshSlots(SLOTS_AFTER_PROFILE_MS);
    if (type !== "segments") return;
    const { entered, left } = fields as unknown as SegmentsChange;
    if (entered.length + left.length > 0) refreshSlots();
  }

  // --- questions ---
  function who({ identity }: Visit): { user_id: string } | { anonymous_id: string } {
    const userId = identity.userId();
    return userId ? { user_id: userId } : { anonymous_id: identity.anonymousId() };
  }

  function consenting(): Visit {
    const asking = running();
    if (!asking) throw faultOf("consent_required", "No consent.");
    return asking;
  }

  async function ask<T>(method: "GET" | "POST", path: string, body?: object): Promise<T | undefined> {
    const answer = await client
      .request(method, path, body && JSON.stringify(body))
      .catch((cause: unknown) => { throw faultOf("network", String(cause)); });
    if (answer.status === 404 && method === "GET") return undefined;
    if (answer.status < 300 && answer.body !== undefined) return answer.body as T;
    throw faultOf(...problemOf(answer));
  }

  async function settled(asking: Visit): Promise<void> {
    await Promise.race([
      asking.settled(),
      new Promise<void>((resolve) => browserClock.after(SETTLE_MAX_MS, resolve)),
    ]);
  }

  async function decide(slot: string, context?: Record<string, string>): Promise<Decision> {
    const asking = consenting();
    await settled(asking);
    return (await ask<Decision>("POST", "/v1/decide", { ...who(asking), slot, context }))!;
  }

  // --- slots: one round at a time; one more is remembered ---
  let slotsRound = Promise.resolve();
  let cancelSlots: (() => void) | undefined;
  let slotsDueMs = Infinity;
  const shown = new Map<string, { looks: string; decision: Decision }>();

  function refreshSlots(waitMs = 0): void {
    const dueMs = browserClock.steadyMs() + waitMs;
    if (!options.slots || dueMs >= slotsDueMs) return;
    cancelSlots?.();
    slotsDueMs = dueMs;
    cancelSlots = browserClock.after(waitMs, () => {
      slotsDueMs = Infinity;
      slotsRound = slotsRound.then(fillSlots, fillSlots);
    });
  }

  /** What was decided is shown at once in a slot that comes back; what is not yet, or not any more, is asked for. */
  function lookForSlots(): void {
    if (!options.slots || !slotsCame(document)) return;
    for (const { decision } of shown.values()) applyDecision(document, decision);
    refreshSlots();
  }

  async function fillSlots(): Promise<void> {
    if (!visit) return;
    await Promise.all(
      slotsOf(document).map(async (slot) => {
        try {
          const fresh = await decide(slot);
          const looks = JSON.stringify([fresh.variant, fresh.payload]);
          const before = shown.get(slot);
          // What is on the page already was decided once: it is not another exposure.
          const decision = before?.looks === looks ? before.decision : fresh;
          applyDecision(document, decision);
          if (decision !== fresh) return;
          shown.set(slot, { looks, decision });
          listeners.emit("decision", decision);
        } catch (error) {
          const { code, message } = error as ReturnType<typeof faultOf>;
          if (!code) throw error;
          listeners.emit("error", { code, message: `Slot ${slot}: ${message}` });
        }
      }),
    );
  }

  /** Whoever is there now may be somebody else: what was decided for the one before is not his. */
  function visitorChanged(): void {
    shown.clear();
    identityChanged();
  }

  function identityChanged(): void {
    openLive();
    refreshSlots();
    statusChanged();
  }

  // --- the page comes and goes ---
  const listen = (target: EventTarget, type: string, handle: (event: Event) => void): void =>
    target.addEventListener(type, handle, { signal: ending.signal });
  listen(document, "visibilitychange", () => {
    if (!document.hidden) return;
    visit?.capture.settle();
    visit?.sender.hide();
  });
  listen(window, "pagehide", () => {
    visit?.capture.settle();
    visit?.sender.leave();
    live?.sleep(); // an open socket keeps the page out of the back-forward cache
  });
  listen(window, "pageshow", (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    followConsent();
    visitorChanged(); // Another page may have signed him in or out meanwhile.
    wake();
  });
  listen(window, "online", () => {
    wake();
    statusChanged();
  });
  listen(window, "offline", statusChanged);
  listen(window, "storage", (event) => {
    // Another tab: its visitor is ours, and his decision too.
    const { key } = event as StorageEvent;
    if (key === null || key === consentKey) followConsent();
    else if (key === `${prefix}user` || key === `${prefix}anonymous`) {
      named = undefined;
      visitorChanged();
    }
  });
  listen(document, "prerenderingchange", followConsent);
  followConsent();

  return {
    get anonymousId() {
      return running()?.identity.anonymousId();
    },
    get userId() {
      return visit?.identity.userId();
    },
    get sessionId() {
      return visit?.identity.sessionNow(browserClock.nowMs());
    },
    get status() {
      return statusNow();
    },
    track: (eventType, fields) => visit?.track(eventType, fields),
    page: (fields) => visit?.capture.page(fields),
    view: (itemId) => visit?.capture.view(itemId),
    identify(userId, attributes) {
      // A page's JavaScript may hand over what it does not have: null would become everybody's name.
      if (!userId) return listeners.emit("error", { code: "user_id_invalid", message: "No id." });
      named = [String(userId), attributes];
      running()?.identify(...named);
      identityChanged();
    },
    reset() {
      named = undefined;
      running()?.reset();
      visitorChanged();
    },
    async recommend(question = {}) {
      const asking = consenting();
      await settled(asking);
      const body = { ...who(asking), placement: "home", ...question };
      const list = (await ask<RecommendationList>("POST", "/v1/recommendations", body))!;
      asking.remember(list);
      return list;
    },
    decide,
    async profile() {
      const asking = consenting();
      await settled(asking);
      const id = who(asking);
      const [kind, name] = "user_id" in id ? ["users", id.user_id] : ["visitors", id.anonymous_id];
      return ask<Profile>("GET", `/v1/${kind}/${encodeURIComponent(name)}/profile`);
    },
    subscribe(next) {
      subscription = next;
      liveWanted = true;
      openLive();
    },
    on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]) {
      // Open already, the connection tells the first listener how things are; one that comes at each render is told once.
      if (LIVE_NAMES.has(name) && !listeners.isKnown(name)) {
        liveWanted = true;
        openLive();
      }
      return listeners.on(name, listener);
    },
    consent: {
      get state() {
        return consentNow();
      },
      grant: () => decideConsent("granted"),
      deny: () => decideConsent("denied"),
    },
    async flush() {
      await visit?.sender.flush();
    },
    close() {
      ending.abort();
      cancelSlots?.();
      visit?.capture.settle();
      endVisit();
      statusChanged();
    },
  };
}
