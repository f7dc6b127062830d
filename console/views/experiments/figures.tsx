// What the views of an experiment write of a figure: with its unit, and what stands where there is none.
import type { Experiment, MetricResult } from "../../api/types.ts";
import { formatNumber, formatShare } from "../../parts/format.ts";

/** Kinds of metrics that are shares of persons. */
export const RATES: ReadonlySet<string> = new Set(["conversion", "bounce", "retention"]);
export const TOO_EARLY = "Each variant needs 30 persons, and a rate ten who did and ten who did not.";

/** What a metric measures; empty where the experiment has no such metric. */
export function kindOf({ metrics }: Pick<Experiment, "metrics">, metric: string): string {
  return metrics.find(({ name }) => name === metric)?.kind ?? "";
}

/** A person's mean with its unit: shares in per cent, time in seconds. */
export function valueOf(kind: string, value: number): string {
  if (RATES.has(kind)) return formatShare(value);
  return kind === "time_on_site" ? `${formatNumber(value)} s` : formatNumber(value);
}

/** A variant that nobody has seen has no mean: 0 would be a result. */
export function Unseen() {
  return <span class="faint">–</span>;
}

/** Where no lift can be told: how far apart the two are, with its interval, or that it is too early for that too. */
export function Difference({ experiment, name, of }: { experiment: Experiment; name: string; of: MetricResult }) {
  const { difference, difference_interval: interval } = of;
  if (difference === null || interval === null)
    return (
      <span class="faint" title={TOO_EARLY}>
        too early
      </span>
    );
  const kind = kindOf(experiment, name);
  const isRate = RATES.has(kind);
  // The difference of two shares is in points, not in per cent of either.
  const unit = isRate ? " points" : kind === "time_on_site" ? " s" : "";
  const size = (value: number): string => formatNumber(Math.abs(isRate ? value * 100 : value));
  const signed = (value: number): string => `${value < 0 ? "−" : "+"}${size(value)}`;
  return (
    <span class="verdict lift" title="The difference to control, whose mean is not surely above zero: no lift yet.">
      {`${signed(difference)}${unit}`}
      <span class="faint small">
        ({signed(interval.low)} to {signed(interval.high)})
      </span>
    </span>
  );
}
