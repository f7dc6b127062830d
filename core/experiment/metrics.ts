// A metric of one person: how what he does after his exposure moves it, and what it counts as.
import type { LoggedEvent } from "../event/event.ts";
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import type { CompiledMetric } from "../program/compiled.ts";
import { MEASURED_MAX } from "../program/limits.ts";

/** Come from looking at one page: whoever does no more than that has bounced. */
const PASSIVE: ReadonlySet<string> = new Set(["impression", "scroll", "hover", "mouse_move", "dwell"]);

/** Sums beyond it, of broken prices alone, would be no numbers any more. */
const SUM_MAX = 1e300;

/** What an event says to the metrics of one person. */
export interface Outcome {
  readonly event: LoggedEvent;
  /** What the program says that the event is worth. */
  readonly weight: number;
  /** Time since the exposure; 0 or more. */
  readonly sinceMs: number;
  /** Time since his event before; Infinity where there was none. */
  readonly gapMs: number;
}

/** The metric right after the exposure. */
export function firstValue({ kind }: CompiledMetric): number {
  return kind === "bounce" ? 1 : 0;
}

/** The metric after one more event, from what it was before; sums are not cut, so that a refund finds what was paid. */
export function nextValue(metric: CompiledMetric, before: number, outcome: Outcome): number {
  const { kind } = metric;
  const { event, weight, sinceMs, gapMs } = outcome;
  const counts = (metric.types === null || metric.types.has(event.event_type)) && metric.where?.(event) !== false;
  switch (kind) {
    case "conversion":
      return counts ? 1 : before;
    case "count":
      return counts ? before + 1 : before;
    case "revenue":
      return counts ? sumOf(before, event.value ?? 0) : before;
    case "engagement":
      return sumOf(before, weight);
    case "time_on_site":
      return gapMs > 0 && gapMs <= SESSION_GAP_MS ? before + gapMs / 1000 : before;
    case "bounce":
      return sinceMs <= SESSION_GAP_MS && !PASSIVE.has(event.event_type) ? 0 : before;
    case "retention":
      return sinceMs >= metric.afterMs ? 1 : before;
  }
}

/** What a person's value counts as among all persons': `max` at most, either way; one refund that somebody makes up would decide. */
export function measured({ max }: CompiledMetric, value: number): number {
  const bound = Math.min(max, MEASURED_MAX);
  return Math.max(-bound, Math.min(bound, value));
}

/** The metric of a person who had been two. */
export function unitedValue({ kind }: CompiledMetric, a: number, b: number): number {
  switch (kind) {
    case "conversion":
    case "retention":
      return Math.max(a, b);
    case "bounce":
      return Math.min(a, b);
    default:
      return sumOf(a, b);
  }
}

function sumOf(a: number, b: number): number {
  return Math.max(-SUM_MAX, Math.min(SUM_MAX, a + b));
}

/** True where no event can take a person below 0: money is paid back, and what an event is worth may be negative. */
export function isNeverNegative({ kind }: CompiledMetric): boolean {
  return kind !== "revenue" && kind !== "engagement";
}

/** True where a person's value is 0 or 1, so that the mean is a rate. */
export function isRate({ kind }: CompiledMetric): boolean {
  return kind === "conversion" || kind === "bounce" || kind === "retention";
}
