// The models' health as `GET /v1/models` answers it.
import { formatTimestamp } from "../event/time.ts";
import type { Health } from "./health.ts";

export interface HealthView {
  /** Judged steps and hit rates at 20 by hour, oldest first; null where nothing was judged. */
  hours: string[];
  steps: number[];
  models: { name: string; state: "on" | "off"; hit_rate: number | null; series: (number | null)[] }[];
  /** What the calibrated blend promised of its first candidate, and what came, over all hours. */
  calibration: { promised: number | null; came: number | null; series: { promised: number | null; came: number | null }[] };
  /** The model that is trained aside: since when, and how it does against the one before. */
  background: {
    since: string | null;
    verdict: "worse" | "good" | "unknown";
    now: { steps: number; hit_rate: number | null };
    before: { steps: number; hit_rate: number | null };
  };
  /** Means of what drift is looked for in, over the window that has one mean. */
  watched: { metric: string; mean: number; steps: number }[];
  alarms: { metric: string; at: string; before: number; after: number }[];
}

/** @param rankers - names in the order of the judge; `off` those that the program has switched off. */
export function healthView(health: Health, rankers: readonly string[], off: ReadonlySet<string>): HealthView {
  const hours = health.hours();
  const steps = hours.map((hour) => hour.steps);
  const all = steps.reduce((sum, count) => sum + count, 0);
  const { before, now } = health.background;
  const rate = (hits: number, of: number): number | null => (of === 0 ? null : rounded(hits / of));
  return {
    hours: hours.map(({ fromMs }) => formatTimestamp(fromMs)),
    steps,
    models: [...rankers, "served"].map((name, r) => ({
      name,
      state: off.has(name) ? "off" : "on",
      hit_rate: rate(hours.reduce((sum, { hits }) => sum + hits[r]!, 0), all),
      series: hours.map((hour) => rate(hour.hits[r]!, hour.steps)),
    })),
    calibration: {
      promised: rate(hours.reduce((sum, { firstChance }) => sum + firstChance, 0), all),
      came: rate(hours.reduce((sum, { firstHits }) => sum + firstHits, 0), all),
      series: hours.map((hour) => ({ promised: rate(hour.firstChance, hour.steps), came: rate(hour.firstHits, hour.steps) })),
    },
    background: {
      since: now.sinceMs === 0 ? null : formatTimestamp(now.sinceMs),
      verdict: health.verdict(),
      now: { steps: now.steps, hit_rate: rate(now.hits, now.steps) },
      before: { steps: before.steps, hit_rate: rate(before.hits, before.steps) },
    },
    watched: health.watched().map(({ metric, mean, steps: count }) => ({ metric, mean: rounded(mean), steps: count })),
    alarms: health.alarms.map(({ metric, atMs, before: was, after }) => ({
      metric,
      at: formatTimestamp(atMs),
      before: rounded(was),
      after: rounded(after),
    })),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
