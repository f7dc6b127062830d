// What an experiment says so far: the word that whoever opens it looks for, and since when, and of how many lists.
import type { Experiment, ExperimentVariant } from "../../api/types.ts";
import { timeOf } from "../../parts/format.ts";

export type Verdict = "good" | "bad" | undefined;

/** Good or bad where the interval leaves no doubt. */
export function verdictOf(
  { metrics, primary }: Pick<Experiment, "metrics" | "primary">,
  { interval }: Pick<ExperimentVariant, "interval">,
  metric = primary,
): Verdict {
  if (interval === null || (interval.low <= 0 && interval.high >= 0)) return undefined;
  const isMore = interval.low > 0;
  return isMore === (metrics.find(({ name }) => name === metric)?.better !== "lower") ? "good" : "bad";
}

export interface Leader {
  readonly variant: ExperimentVariant;
  readonly verdict: Verdict;
}

/** The variant to look at first: of those surely better the best, otherwise the best of all that go on and have an interval. */
export function leaderOf(experiment: Experiment): Leader | undefined {
  const { metrics, primary, variants } = experiment;
  const up = metrics.find(({ name }) => name === primary)?.better === "lower" ? -1 : 1;
  const leaders = variants
    .filter(({ interval, stopped }) => interval !== null && stopped === null)
    .map((variant) => ({ variant, verdict: verdictOf(experiment, variant) }))
    .sort((a, b) => up * ((b.variant.lift ?? 0) - (a.variant.lift ?? 0)));
  return leaders.find(({ verdict }) => verdict === "good") ?? leaders[0];
}

/** How many lists of an interleaved experiment were seen: it counts no persons. */
export function listsOf({ wins, ties }: NonNullable<Experiment["interleaving"]>): number {
  return Object.values(wins).reduce((sum, count) => sum + count, ties);
}

/** The first exposure may be older than the definition: events keep their own time, and an import brings old ones. */
export function beganMs({ started_at, history }: Pick<Experiment, "started_at" | "history">): number {
  return Math.min(timeOf(started_at), ...history.slice(0, 1).map(({ at }) => timeOf(at)));
}
