// Webhooks of triggers: signed, tried again with growing pauses, bounded, and kept as dead letters when they fail for good.
// The queue is in memory: what waits when the server goes down in order becomes dead letters, a crash loses it.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Logger } from "pino";
import { uuidv7 } from "uuidv7";
import type { FiredTrigger } from "../../core/segment/triggers.ts";
import { rngFrom } from "../../core/math/rng.ts";
import type { PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";
import type { WebhookConfig } from "../http/config.ts";
import { Problem } from "../http/problem.ts";
import type { Project } from "../ports.ts";
import { ForbiddenAddressError, guardedLookup, isLoopbackAddress, isPublicAddress } from "./address-guard.ts";
import { signature } from "./sign.ts";

/** The code of a webhook's dead letter. */
export const WEBHOOK_FAILED = "webhook_failed";
/** Of a project for a receiver, as the two that follow. */
const QUEUED_MAX = 1_000;
const IN_FLIGHT_MAX = 8;
const IN_FLIGHT_OF_ALL_MAX = 64;
const TOO_MANY = `more than ${QUEUED_MAX} webhooks wait for this receiver`;
const NOT_PUBLIC = "the address is not public (ATTUNE_WEBHOOK_ALLOW_PRIVATE=1 allows it)";
const ATTEMPT_TIMEOUT_MS = 10_000;
const NO_ANSWER = `no answer within ${ATTEMPT_TIMEOUT_MS / 1_000} s`;
const WENT_DOWN = "the server went down before the answer; the call may have arrived";
const PAUSE_MAX_MS = 5 * 60_000;
const JITTER_STEPS = 1_000;

export interface WebhookStats {
  queued: number;
  delivered: number;
  retried: number;
  failed: number;
}

export interface WebhookSender {
  /** Queues the delivery and returns at once; a full queue makes it a dead letter. */
  fire(
    project: Project,
    fired: { trigger: FiredTrigger; url: string; ref: PersonRef; eventId: string | undefined },
  ): void;
  /** The same for an alarm of the models. */
  alert(project: Project, told: { url: string; alarm: { metric: string; at: string; before: number; after: number } }): void;
  /** Queues a dead letter's body again. @throws Problem (overloaded, bad_request). */
  retry(project: Project, letterBody: unknown): void;
  stats(): WebhookStats;
  /** Ends the deliveries under way; resolves when what was not delivered is kept as dead letters. */
  close(): Promise<void>;
}

/** What a project has for a receiver: one that does not answer holds up nobody else's. */
interface Lane {
  readonly ready: Delivery[];
  inFlight: number;
  queued: number;
}

interface Delivery {
  readonly project: Project;
  readonly url: string;
  readonly payload: Record<string, unknown>;
  /** Whom it tells of was erased since. */
  readonly isErased?: () => boolean;
  attempts: number;
}

/** `final`: trying again would not help. */
type Outcome = "delivered" | { fault: string; final: boolean };

export function createWebhookSender(options: {
  config: WebhookConfig;
  logger: Logger;
  seed: number;
  now: () => number;
  /**
   * The node is open to whoever is on its machine, and to nobody else: unless the operator says otherwise, such a one calls
   * receivers on the machine too, and calls unsigned. Asked at each attempt, as a first key ends it.
   */
  isOpen?: () => boolean;
}): WebhookSender {
  const { config, logger, now, isOpen = () => false } = options;
  const rng = rngFrom(options.seed);
  const lanes = new Map<string, Lane>();
  const pausing = new Map<Delivery, NodeJS.Timeout>();
  const inFlight = new Set<Delivery>();
  const stopping = new AbortController();
  const keeping = new Set<Promise<unknown>>();
  const counts = { delivered: 0, retried: 0, failed: 0 };

  function laneOf({ project, url }: Delivery): Lane {
    const name = `${project.name} ${URL.canParse(url) ? new URL(url).origin : ""}`;
    const lane = lanes.get(name) ?? { ready: [], inFlight: 0, queued: 0 };
    lanes.set(name, lane);
    return lane;
  }

  function enqueue(delivery: Delivery): boolean {
    const lane = laneOf(delivery);
    if (lane.queued >= QUEUED_MAX || stopping.signal.aborted) return false;
    lane.queued++;
    lane.ready.push(delivery);
    pump();
    return true;
  }

  function pump(): void {
    for (const [name, lane] of lanes) {
      while (lane.ready.length > 0 && lane.inFlight < IN_FLIGHT_MAX && inFlight.size < IN_FLIGHT_OF_ALL_MAX) {
        if (stopping.signal.aborted) return;
        send(lane.ready.shift()!, lane);
      }
      if (lane.queued === 0) lanes.delete(name);
    }
  }

  function send(delivery: Delivery, lane: Lane): void {
    if (delivery.isErased?.() === true) return void lane.queued--;
    inFlight.add(delivery);
    lane.inFlight++;
    delivery.attempts++;
    void attempt(delivery).then((outcome) => {
      inFlight.delete(delivery);
      lane.inFlight--;
      settle(delivery, lane, outcome);
      pump();
    });
  }

  function settle(delivery: Delivery, lane: Lane, outcome: Outcome): void {
    const isOver = outcome === "delivered" || outcome.final || delivery.attempts >= config.attemptsMax || stopping.signal.aborted;
    if (isOver) lane.queued--;
    if (outcome === "delivered") counts.delivered++;
    else if (isOver) keep(delivery, `${outcome.fault} (attempt ${delivery.attempts})`);
    else {
      counts.retried++;
      const jitter = 0.5 + rng.between(0, JITTER_STEPS) / (2 * JITTER_STEPS);
      const pauseMs = Math.min(PAUSE_MAX_MS, config.backoffMs * 2 ** (delivery.attempts - 1)) * jitter;
      const timer = setTimeout(() => {
        pausing.delete(delivery);
        lane.ready.push(delivery);
        pump();
      }, pauseMs);
      timer.unref();
      pausing.set(delivery, timer);
    }
  }

  function keep({ project, url, payload }: Delivery, fault: string): void {
    counts.failed++;
    const letter = {
      code: WEBHOOK_FAILED,
      path: "",
      message: fault,
      source: `webhook ${String(payload["trigger"] ?? payload["type"])}`,
      body: { url, payload },
    };
    const kept = project.submit({ events: [], deadLetters: [letter] }).catch((error: unknown) => {
      logger.error({ err: error, project: project.name }, "a failed webhook could not be kept as a dead letter");
    });
    keeping.add(kept);
    void kept.finally(() => keeping.delete(kept));
  }

  function attempt(delivery: Delivery): Promise<Outcome> {
    const open = isOpen();
    if (config.secret === undefined && !open) {
      return Promise.resolve({ fault: "no webhook secret is configured, so nothing can be signed", final: true });
    }
    const body = JSON.stringify(delivery.payload);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "attune-webhook/1",
      "attune-delivery": String(delivery.payload["id"]),
      ...(config.secret !== undefined && {
        "attune-signature": signature(config.secret, body, Math.floor(now() / 1_000)),
      }),
    };
    const isOfMachine = open && config.allowPrivate === undefined;
    const mayReach = (address: string): boolean =>
      config.allowPrivate === true || isPublicAddress(address) || (isOfMachine && isLoopbackAddress(address));
    return post(delivery.url, { body, headers, mayReach, stop: stopping.signal });
  }

  return {
    fire(project, { trigger, url, ref, eventId }) {
      const payload = {
        id: uuidv7(),
        type: "trigger",
        project: project.name,
        trigger: trigger.name,
        fired_at: new Date(trigger.atMs).toISOString(),
        ...ref,
        ...(trigger.itemId !== undefined && { item_id: trigger.itemId }),
        ...(eventId !== undefined && { event_id: eventId }),
      };
      const delivery = { project, url, payload, isErased: () => project.wasErased(ref, trigger.atMs), attempts: 0 };
      if (!enqueue(delivery)) keep(delivery, TOO_MANY);
    },
    alert(project, { url, alarm }) {
      const payload = { id: uuidv7(), type: "alert", project: project.name, ...alarm };
      const delivery = { project, url, payload, attempts: 0 };
      if (!enqueue(delivery)) keep(delivery, TOO_MANY);
    },
    retry(project, letterBody) {
      if (!isObject(letterBody) || typeof letterBody["url"] !== "string" || !isObject(letterBody["payload"])) {
        throw new Problem("bad_request", "The dead letter holds no webhook that could be sent again.");
      }
      if (!enqueue({ project, url: letterBody["url"], payload: letterBody["payload"], attempts: 0 })) {
        throw new Problem("overloaded", `${QUEUED_MAX} webhooks wait for this receiver.`, { retryAfterS: 5 });
      }
    },
    stats: () => ({ queued: [...lanes.values()].reduce((sum, lane) => sum + lane.queued, 0), ...counts }),
    async close() {
      stopping.abort();
      for (const [delivery, timer] of pausing) {
        clearTimeout(timer);
        keep(delivery, "the server went down before the next attempt");
      }
      pausing.clear();
      for (const { ready } of lanes.values()) for (const delivery of ready) keep(delivery, "the server went down before it was sent");
      lanes.clear();
      while (inFlight.size > 0 || keeping.size > 0) {
        await Promise.all(keeping);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** One attempt. Redirects are not followed: they count as an answer that is not good. Never rejects. */
function post(
  url: string,
  options: {
    body: string;
    headers: Record<string, string | number>;
    mayReach: (address: string) => boolean;
    stop: AbortSignal;
  },
): Promise<Outcome> {
  let target: URL;
  try {
    target = new URL(url);
  } catch {
    return Promise.resolve({ fault: "the URL is not valid", final: true });
  }
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    return Promise.resolve({ fault: "the URL is neither http nor https", final: true });
  }
  const literal = target.hostname.replace(/^\[|\]$/g, "");
  const isLiteral = /^[\d.]+$/.test(literal) || literal.includes(":");
  if (isLiteral && !options.mayReach(literal)) {
    return Promise.resolve({ fault: NOT_PUBLIC, final: true });
  }
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
    const send = target.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(target, {
      method: "POST",
      headers: options.headers,
      agent: false,
      signal: AbortSignal.any([options.stop, timeout]),
      lookup: guardedLookup(options.mayReach),
    });
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      if (status >= 200 && status < 300) return resolve("delivered");
      const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
      resolve({ fault: `the receiver answered ${status}`, final: !mayPass });
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (error instanceof ForbiddenAddressError) return resolve({ fault: NOT_PUBLIC, final: true });
      const why = options.stop.aborted ? WENT_DOWN : timeout.aborted ? NO_ANSWER : `no answer: ${error.code ?? error.name}`;
      resolve({ fault: why, final: false });
    });
    request.end(options.body);
  });
}
