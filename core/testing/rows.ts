import type { UnitRows } from "../experiment/units.ts";

/** A table of rows in memory. */
export function memoryRows(rows = new Map<string, Uint8Array>()): UnitRows & { rows: Map<string, Uint8Array> } {
  return {
    rows,
    get: (key) => rows.get(key),
    set: (key, bytes) => void (bytes === null ? rows.delete(key) : rows.set(key, bytes)),
    page: ({ prefix, limit }) =>
      [...rows]
        .filter(([key]) => key.startsWith(prefix))
        .sort()
        .slice(0, limit),
  };
}
