// Brings the queue to the server: when, in which batches, and what an answer means.
//
// An entry leaves the queue only when the server has answered for it. No answer, 408, 425, 429, 5xx, a proxy's 401, 404
// or 405: tried again later. Any other 4xx is final: dropped and reported, so that one bad event never holds up the rest.
import { problemOf, type Answer, type Clock, type Post, type Random } from "../host.ts";
import type { Delivery, SdkError } from "../types.ts";
import { backoffMs, retryAfterMs } from "./backoff.ts";
import { faultOf, type Entry, type EventQueue } from "./event-queue.ts";

export const BATCH_EVENTS_MAX = 100;
/** Browsers give all keepalive requests of a page 64 KiB together. */
export const BATCH_BYTES_MAX = 60_000;
/** Attributes that did not get through wait this long, and events pass them: a server may refuse them across origins. */
const ATTRIBUTES_WAIT_MS = 60_000;

export interface SenderOptions {
  queue: EventQueue;
  clock: Clock;
  random: Random;
  post: Post;
  patch: Post;
  /** Hands the body over without waiting for an answer; false where the browser refused. */
  beacon: (path: string, body: string) => boolean;
  /** Runs one tab at a time; may run without exclusion where that cannot be had, since resends are harmless. */
  exclusively: (task: () => Promise<void>) => Promise<void>;
  onDelivery: (delivery: Delivery) => void;
  onError: (error: SdkError) => void;
  /** The server answers again, after tries that failed. */
  onBack: () => void;
  /** The queue's length or the network's state may have changed. */
  onChange: () => void;
}

export interface Sender {
  /** Sends within `waitMs`, earlier where something else is due earlier; a running back-off is kept. */
  schedule(waitMs: number): void;
  /** Sends now, unless the server asked to wait; resolves when the queue is empty or a try has failed. */
  flush(): Promise<void>;
  /** The page is being hidden and may not come back: everything that fits goes out at once, without the lock. */
  hide(): void;
  /** The page goes, for good or until `wake`: it takes no lock any more, and holds none. */
  leave(): void;
  /** The network or the page is back: no reason to wait any longer, unless the server asked for it. */
  wake(): void;
  stop(): void;
}

interface EventsAnswer {
  accepted: number;
  duplicates: number;
  rejected: { index: number; code: string; message: string }[];
}

/** A body in the contract's shape; a captive portal's 200 is not. */
function isEventsAnswer(body: unknown): body is EventsAnswer {
  const answer = body as EventsAnswer | undefined | null;
  return typeof answer?.accepted === "number" && Array.isArray(answer.rejected);
}

/**
 * A 404, 401 or 405 without a code is not the node's: a proxy, or a page's own server, does not know where the node is.
 * A 400 or 403 may be a firewall's that dislikes this very event: that one is given up.
 */
const willPass = (answer: Answer): boolean =>
  answer.status >= 500 || [408, 425, 429].includes(answer.status) || /^http_40[^03]/.test(problemOf(answer)[0]);

export function createSender(options: SenderOptions): Sender {
  const { queue, clock, random, onDelivery, onError, onBack, onChange } = options;
  const inFlight = new Set<string>();
  let running: Promise<void> | undefined;
  /** Ends the round, though an answer is still to come. */
  let yieldTurn: (() => void) | undefined;
  let cancelTimer: (() => void) | undefined;
  let timerDueMs = Infinity;
  let attempt = 0;
  let retryAtMs = 0;
  let serverWaitsUntilMs = 0;
  let attributesWaitUntilMs = 0;
  let batchMax = BATCH_EVENTS_MAX;
  let stopped = false;

  function schedule(waitMs: number): void {
    if (stopped) return;
    const dueMs = Math.max(clock.steadyMs() + waitMs, retryAtMs, serverWaitsUntilMs);
    if (dueMs >= timerDueMs) return;
    cancelTimer?.();
    timerDueMs = dueMs;
    cancelTimer = clock.after(dueMs - clock.steadyMs(), () => {
      timerDueMs = Infinity;
      void flush();
    });
  }

  function retryLater(header: string | null): void {
    const nowMs = clock.steadyMs();
    serverWaitsUntilMs = nowMs + retryAfterMs(header, clock.nowMs());
    retryAtMs = nowMs + backoffMs(attempt++, random);
    schedule(0);
  }

  /** Under way already, or attributes that wait: however many they are, they take no event's place in a batch. */
  const isHeld = (entry: Entry): boolean =>
    inFlight.has(entry.id) || ("set" in entry && clock.steadyMs() < attributesWaitUntilMs);

  /** A run of events that fits one request, or one change of attributes. */
  function nextBatch(): Entry[] {
    const batch: Entry[] = [];
    let sizeBytes = 0;
    for (const entry of queue.oldest(batchMax, isHeld)) {
      if ("set" in entry) return batch[0] ? batch : [entry];
      sizeBytes += new TextEncoder().encode(JSON.stringify(entry.event)).length + 1;
      if (sizeBytes > BATCH_BYTES_MAX && batch[0]) break;
      batch.push(entry);
    }
    return batch;
  }

  function bodyOf(batch: readonly Entry[]): string {
    return JSON.stringify({ sent_at: clock.nowMs(), events: batch.map((entry) => "event" in entry && entry.event) });
  }

  function request(batch: readonly Entry[]): Promise<Answer> {
    const first = batch[0]!;
    if ("event" in first) return options.post("/v1/events", bodyOf(batch));
    const path = `/v1/users/${encodeURIComponent(first.set.user_id)}/profile`;
    return options.patch(path, JSON.stringify({ attributes: first.set.attributes }));
  }

  /** Done with these entries, whatever became of them. */
  function settle(batch: readonly Entry[]): void {
    queue.remove(batch.map((entry) => entry.id));
    if (attempt > 0 && !stopped) onBack();
    attempt = retryAtMs = serverWaitsUntilMs = 0;
  }

  function refuse(batch: readonly Entry[], answer: Answer): void {
    for (const entry of batch) onError(faultOf(entry, ...problemOf(answer)));
    settle(batch);
  }

  function accept(batch: readonly Entry[], answer: EventsAnswer, tookMs: number): void {
    settle(batch);
    for (const { index, code, message } of answer.rejected) {
      onError(faultOf(batch[index], code, message));
    }
    onDelivery({
      accepted: answer.accepted,
      duplicates: answer.duplicates,
      rejected: answer.rejected.length,
      event_ids: batch.map((entry) => entry.id),
      took_ms: tookMs,
    });
  }

  /** Puts a batch off; true where the next one may go ahead. */
  function postpone(batch: readonly Entry[], retryAfter: string | null): boolean {
    if ("event" in batch[0]!) {
      retryLater(retryAfter);
      return false;
    }
    attributesWaitUntilMs = clock.steadyMs() + ATTRIBUTES_WAIT_MS;
    return true;
  }

  /** False: not answered, try again later. */
  function digest(batch: readonly Entry[], answer: Answer, tookMs: number): boolean {
    const { status, body } = answer;
    if (isEventsAnswer(body)) {
      accept(batch, body, tookMs);
    } else if ("set" in batch[0]! && status < 300) {
      settle(batch);
    } else if ((status === 413 || status === 400) && batch.length > 1) {
      batchMax = Math.ceil(batch.length / 2); // one of them is at fault: find it by halving
    } else if (status >= 400 && !willPass(answer)) {
      refuse(batch, answer);
    } else {
      onError({ code: "server", message: `HTTP ${status}` });
      return postpone(batch, answer.retryAfter);
    }
    return true;
  }

  async function send(batch: readonly Entry[]): Promise<boolean> {
    for (const entry of batch) inFlight.add(entry.id);
    const sentAtMs = clock.steadyMs();
    try {
      const answer = await request(batch);
      return digest(batch, answer, clock.steadyMs() - sentAtMs);
    } catch {
      onError({ code: "network", message: "No answer yet." });
      return postpone(batch, null);
    } finally {
      for (const entry of batch) inFlight.delete(entry.id);
      onChange();
    }
  }

  async function drain(): Promise<void> {
    for (let batch = nextBatch(); batch[0] && !stopped; batch = nextBatch()) {
      if (!(await Promise.race([send(batch), new Promise<void>((resolve) => (yieldTurn = resolve))]))) return;
    }
    batchMax = BATCH_EVENTS_MAX;
  }

  function flush(): Promise<void> {
    // The running round reads the queue again after each batch, so it takes what came meanwhile.
    if (running) return running;
    if (stopped || clock.steadyMs() < serverWaitsUntilMs) {
      schedule(0);
      return Promise.resolve();
    }
    cancelTimer?.();
    timerDueMs = Infinity;
    running = options.exclusively(drain).finally(() => {
      running = undefined;
      const attributesWaitMs = attributesWaitUntilMs - clock.steadyMs();
      if (attributesWaitMs > 0) schedule(attributesWaitMs);
      if (timerDueMs === Infinity && nextBatch()[0]) schedule(0);
    });
    return running;
  }

  return {
    schedule,
    flush,
    hide() {
      const batch = nextBatch();
      if (batch[0]) void send(batch);
    },
    leave() {
      const batch = nextBatch();
      // A change of attributes is a PATCH, which no beacon can make: it waits for the next page.
      if (batch[0] && "event" in batch[0]) options.beacon("/v1/events", bodyOf(batch));
      // A page that holds the lock, or asks for it, is thrown out of the back-forward cache by the next one that does.
      stopped = true;
      yieldTurn?.();
    },
    wake() {
      stopped = false;
      retryAtMs = attributesWaitUntilMs = 0;
      schedule(0);
    },
    stop() {
      stopped = true;
    },
  };
}
