// Who is in which segment: sizes in memory, members in the state file with what changed since laid over it.
import type { StateFile } from "../state/state-file.ts";
import { OverlayTable } from "../state/overlay-table.ts";

const MEMBER = new Uint8Array(0);
/** Between the segment's name and the person's key; no name holds it. */
const SEPARATOR = "/";

export class Memberships {
  readonly rows: OverlayTable;
  /** Live sizes; checkpointed by the host with its figures. */
  readonly sizes = new Map<string, number>();

  constructor(file: StateFile) {
    this.rows = new OverlayTable(file, "m");
  }

  enter(segment: string, key: string): void {
    this.rows.set(segment + SEPARATOR + key, MEMBER);
    this.sizes.set(segment, (this.sizes.get(segment) ?? 0) + 1);
  }

  leave(segment: string, key: string): void {
    this.rows.set(segment + SEPARATOR + key, null);
    this.sizes.set(segment, (this.sizes.get(segment) ?? 0) - 1);
  }

  /** Person keys in key order; `after` is the last one of the page before. */
  page(segment: string, options: { after?: string; limit: number }): string[] {
    const prefix = segment + SEPARATOR;
    const after = options.after === undefined ? {} : { after: prefix + options.after };
    return this.rows.page({ prefix, ...after, limit: options.limit }).map(([key]) => key.slice(prefix.length));
  }
}
