// When to try again.
import type { Random } from "../host.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** A server that asks for more is asked again after this. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** Doubles with each failed attempt (0 = the first), half of it random, so that a thousand pages do not come back as one. */
export function backoffMs(attempt: number, random: Random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return full / 2 + (random() * full) / 2;
}

/** The wait that a `Retry-After` header asks for (seconds, or an HTTP date); 0 where there is none. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  const seconds = Number(header ?? 0);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header!) - nowMs;
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_MS) : 0;
}
