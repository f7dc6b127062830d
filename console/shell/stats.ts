// The node's figures, read once for the whole page: the sidebar, the overview and the segments show the same moment.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../api/client.ts";
import type { Stats } from "../api/types.ts";
import { useRead, type Reading } from "../api/use-read.ts";

const STATS_EVERY_MS = 2000;

export const StatsContext = createContext<Reading<Stats>>({
  data: undefined,
  error: undefined,
  reload: () => undefined,
});

export function useStats(): Reading<Stats> {
  return useContext(StatsContext);
}

export function useStatsReading(api: Api): Reading<Stats> {
  return useRead(`stats ${api.project}`, () => api.stats(), STATS_EVERY_MS);
}

/** The series' times in Unix seconds, as plots take them. */
export function seriesTimes(stats: Stats): number[] {
  return stats.series.at.map((at) => Date.parse(at) / 1000);
}

const SPAN_MIN_S = 60;

/** How long the plots reach back: as long as the node has measured, at least a minute. */
export function seriesSpanS(times: readonly number[]): number {
  return Math.max(SPAN_MIN_S, (times.at(-1) ?? 0) - (times[0] ?? 0));
}
