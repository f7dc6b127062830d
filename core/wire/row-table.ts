// The snapshot source of a table whose rows are encoded when a checkpoint asks for them.
import type { DirtyRows, WholeTable } from "./dirty-rows.ts";

export interface RowTableOptions {
  readonly rows: DirtyRows<string>;
  readonly load: (key: string, bytes: Uint8Array) => void;
  /** Keys of all rows that there are. */
  readonly keys: () => Iterable<string>;
}

export function rowTable(table: string, { rows, load, keys }: RowTableOptions): WholeTable<string> {
  return {
    table,
    get dirtyCount() {
      return rows.dirtyCount;
    },
    begin: () => rows.begin(),
    take: (max, write) => rows.take(max, write),
    load,
    touchAll() {
      for (const key of keys()) rows.touch(key);
    },
  };
}
