// Durations as people write them: `90s`, `15m`, `24h`, `90d`.
import { UsageError } from "./usage.ts";

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws UsageError naming the flag. */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  if (match === null) throw new UsageError(`--${flag} ${text}: a number with s, m, h or d, such as 24h`);
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
