// All that a server learns by itself: item models, and what has followed from decisions. One snapshot holds both, so that
// both stand at the same places of their topics.
import { createRecommender, type Recommender } from "../../core/rank/recommender.ts";
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import type { WholeTable } from "../../core/wire/dirty-rows.ts";
import { DecisionFold, type TimedStop } from "./decision-fold.ts";

/** A table in a snapshot: rows under names. */
export interface LearntTable extends Pick<WholeTable, "begin" | "take" | "touchAll"> {
  readonly name: string;
  load(row: string, bytes: Uint8Array): void;
}

export interface Learnt {
  readonly recommender: Recommender;
  readonly decisions: DecisionFold;
  readonly tables: readonly LearntTable[];
}

export interface LearntOptions {
  /** As read so far; it grows. */
  readonly programs: ProgramTimeline;
  /** The same. */
  readonly stops: readonly TimedStop[];
  /** Of the program under which the decisions' rows stand that will be loaded; 0: there are none. */
  readonly version?: number;
}

/** Nothing learnt yet. */
export function createLearnt({ programs, stops, version }: LearntOptions): Learnt {
  const newest = programs.entries.at(-1)?.program;
  const recommender = createRecommender({ models: newest?.models, learning: newest?.learning });
  const decisions = new DecisionFold(programs, stops, version);
  return {
    recommender,
    decisions,
    tables: [
      ...recommender.tables.map((source) => tableOf(source.table, source, Number)),
      ...decisions.tables.map((source) => tableOf(`decisions.${source.table}`, source, String)),
    ],
  };
}

function tableOf<K extends string | number>(
  name: string,
  source: WholeTable<K>,
  keyOf: (row: string) => K,
): LearntTable {
  return {
    name,
    begin: () => source.begin(),
    take: (max, write) => source.take(max, write),
    touchAll: () => source.touchAll(),
    load: (row, bytes) => source.load(keyOf(row), bytes),
  };
}
