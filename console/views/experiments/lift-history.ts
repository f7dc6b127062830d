// The course of a lift, up to what the table beside it says.
import { timeOf } from "../../parts/format.ts";
import type { Experiment } from "../../api/types.ts";

type Told = Pick<Experiment, "history" | "variants" | "primary" | "updated_at">;

/** The points that the node kept, and that of now: in the end they lie hours apart, and the table is newer than the last. */
export function withNow({ history, variants, primary, updated_at }: Told): Experiment["history"] {
  const newest = history.at(-1);
  if (newest === undefined || !(timeOf(updated_at) > timeOf(newest.at))) return history;
  const now = {
    at: updated_at,
    users: variants.map(({ users }) => users),
    means: variants.map(({ metrics }) => metrics[primary]!.mean),
    lows: variants.map(({ interval }) => interval?.low ?? null),
    highs: variants.map(({ interval }) => interval?.high ?? null),
  };
  return [...history, now];
}
