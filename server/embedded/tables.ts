// Which tables a checkpoint holds, and under which keys of the state file: stored for ever, never change a prefix.
import type { CheckpointTables } from "./checkpointer.ts";
import type { Fold } from "./fold.ts";

/** Before the name of a table of `DecisionState`. */
export const DECISION_PREFIX = "c:";

/** Everything that a checkpoint holds, with its key prefixes in the state file. */
export function tablesOf(fold: Fold): CheckpointTables {
  const overlays = [fold.links, fold.letters, fold.programTable, fold.members.rows, fold.units].map((source) => ({
    source,
    prefix: `${source.table}:`,
    committed: () => source.committed(),
  }));
  const { persons } = fold;
  return {
    ahead: { source: persons, prefix: "", committed: () => persons.committed() },
    exact: [
      ...fold.recommender.tables.map((source) => ({ source, prefix: `t:${source.table}:` })),
      ...fold.decisions.tables.map((source) => ({ source, prefix: `${DECISION_PREFIX}${source.table}:` })),
      ...overlays,
    ],
  };
}
