// Durations of flags and settings: `90s`, `15m`, `24h`, `90d`. Ages of what is kept may be years, so there is no maximum.
import { parseDuration } from "../../core/event/duration.ts";
import { UsageError } from "./usage.ts";

/** @throws UsageError naming the flag or the setting. */
export function durationMs(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`${name} is "${text}": a positive whole number and s, m, h or d, such as 24h`);
  return ms;
}
