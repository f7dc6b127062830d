// Durations as programs write them: `30s`, `10m`, `2h`, `3d`.
import { DURATION_MAX_MS } from "./limits.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration; undefined where the text is none, or is longer than 366 days. */
export function durationMs(text: string): number | undefined {
  const unit = UNIT_MS[text.slice(-1)];
  const digits = text.slice(0, -1);
  if (unit === undefined || digits.length === 0 || digits.length > 9) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 48 || code > 57 || (i === 0 && code === 48)) return undefined;
  }
  const ms = Number(digits) * unit;
  return ms <= DURATION_MAX_MS ? ms : undefined;
}

/** What a message says of how a duration is written. */
export const DURATION_FORM = "a positive whole number and s, m, h or d, at most 366 days, e.g. 30m";
