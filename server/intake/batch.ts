// What a body of `POST /v1/events` may be: one event, an array of them, or `{events, sent_at}`.
import { parseTimestamp } from "../../core/event/time.ts";
import { isObject } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import type { Sender } from "./enrich/enrich.ts";

export const BATCH_EVENTS_MAX = 1_000;

export interface Batch {
  readonly raws: readonly unknown[];
  /** The sender's clock when it sent, Unix ms. */
  readonly sentAtMs?: number;
  /** Who is behind each event, where a backend passes on what its visitors' browsers said of themselves. */
  readonly senders?: readonly Sender[];
}

/** @throws Problem (too_many_events, bad_parameter). The events themselves are not looked at. */
export function readBatch(body: unknown): Batch {
  if (Array.isArray(body)) return { raws: bounded(body) };
  if (!isObject(body) || !Object.hasOwn(body, "events")) return { raws: [body] };
  const { events, sent_at: sentAt } = body;
  if (!Array.isArray(events)) {
    throw new Problem("bad_parameter", "`events` must be an array.", { parameter: "events", pointer: "/events" });
  }
  const raws = bounded(events);
  return sentAt === undefined || sentAt === null ? { raws } : { raws, sentAtMs: clockTime(sentAt) };
}

function bounded(events: unknown[]): unknown[] {
  if (events.length > BATCH_EVENTS_MAX) {
    throw new Problem("too_many_events", `A batch may have at most ${BATCH_EVENTS_MAX} events.`);
  }
  return events;
}

function clockTime(value: unknown): number {
  const ms = parseTimestamp(value);
  if (Number.isNaN(ms)) {
    const message = "`sent_at` must be ISO 8601 with a zone, or Unix ms.";
    throw new Problem("bad_parameter", message, { parameter: "sent_at", pointer: "/sent_at" });
  }
  return ms;
}
