// Who is in which segment: sizes in memory, members in the state file with what changed since laid over it.
import type { StateFile } from "../state/state-file.ts";
import { OverlayTable } from "../state/overlay-table.ts";

const MEMBER = new Uint8Array(0);
/** Between the segment's name and the person's key; no name holds it. */
const SEPARATOR = "/";
/** Tells orders of rows apart: the next one of another file has another name for it. */
const MARK = "m:/order";
const MARK_CHARS = 12;

export class Memberships {
  readonly rows: OverlayTable;
  /** Stands before the key in each `next`, for the order that it goes by. */
  readonly #order: string;
  /** Live sizes; checkpointed by the host with its figures. */
  readonly sizes = new Map<string, number>();

  constructor(file: StateFile) {
    this.rows = new OverlayTable(file, "m");
    this.#order = file.nameOf(MARK).slice(-MARK_CHARS) + SEPARATOR;
  }

  enter(segment: string, key: string): void {
    this.rows.set(segment + SEPARATOR + key, MEMBER);
    this.sizes.set(segment, (this.sizes.get(segment) ?? 0) + 1);
  }

  leave(segment: string, key: string): void {
    this.rows.set(segment + SEPARATOR + key, null);
    this.sizes.set(segment, (this.sizes.get(segment) ?? 0) - 1);
  }

  /**
   * Person keys in the order of their rows; `after` is the `next` of the page before. Undefined where that is of another order:
   * an erasure has put another file, closed by another key, in the place of the one that it is of.
   */
  page(segment: string, { after, limit }: { after?: string; limit: number }): { keys: string[]; next?: string } | undefined {
    if (after !== undefined && !after.startsWith(this.#order)) return undefined;
    const prefix = segment + SEPARATOR;
    const from = after === undefined ? {} : { after: prefix + after.slice(this.#order.length) };
    const keys = this.rows.page({ prefix, ...from, limit }).map(([key]) => key.slice(prefix.length));
    return keys.length < limit ? { keys } : { keys, next: this.#order + keys.at(-1)! };
  }
}
