// Which refused events leave a full list, oldest first. They are read ahead: a page of a table costs as much as all that has
// changed in it since the last checkpoint, and whoever sends rubbish has one leave with each that comes.
import { assert } from "../../core/assert.ts";
import type { OverlayTable } from "../state/overlay-table.ts";

export const READ_AHEAD = 1_000;

export class OldestLetters {
  readonly #letters: Pick<OverlayTable, "get" | "page">;
  /** The oldest of all there are, the very oldest last; some may have left since. */
  #ids: string[] = [];

  /** @param letters - by their ids, in whose order they came. */
  constructor(letters: Pick<OverlayTable, "get" | "page">) {
    this.#letters = letters;
  }

  /** To be told of each that comes: a clock that was set back gives it an id before others. */
  came(id: string): void {
    if (this.#ids.length > 0 && id < this.#ids[0]!) this.#ids = [];
  }

  /** The oldest of the list, which must not be empty; to be taken out of it. */
  next(): string {
    while (true) {
      if (this.#ids.length === 0) {
        this.#ids = this.#letters.page({ limit: READ_AHEAD }).map(([id]) => id).reverse();
        assert(this.#ids.length > 0, "a list that is full has an oldest letter");
      }
      const id = this.#ids.pop()!;
      if (this.#letters.get(id) !== undefined) return id;
    }
  }
}
