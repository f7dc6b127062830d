// How long the durations of a program may be.
import { parseDuration } from "../event/duration.ts";
import { DURATION_MAX_MS } from "./limits.ts";

/** Milliseconds of a duration; undefined where the text is none, or is longer than 366 days. */
export function durationMs(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= DURATION_MAX_MS ? ms : undefined;
}

/** What a message says of how a duration is written. */
export const DURATION_FORM = "a positive whole number and s, m, h or d, at most 366 days, e.g. 30m";
