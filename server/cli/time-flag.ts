// A point in time on the command line.
import { UsageError } from "./usage.ts";

/** The value of `--at`, Unix ms. @throws UsageError */
export function timeOf(text: string): number {
  const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(atMs)) throw new UsageError(`--at ${text}: a time such as 2026-11-28T12:00:00Z`);
  return atMs;
}
