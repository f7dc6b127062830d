// The snapshot source of a table whose rows are encoded when a checkpoint asks for them.
import type { DirtyRows, SnapshotSource } from "./dirty-rows.ts";

export function rowTable(
  table: string,
  rows: DirtyRows<string>,
  load: (key: string, bytes: Uint8Array) => void,
): SnapshotSource<string> {
  return {
    table,
    get dirtyCount() {
      return rows.dirtyCount;
    },
    begin: () => rows.begin(),
    take: (max, write) => rows.take(max, write),
    load,
  };
}
