// Rows copied before their turn in a checkpoint, one behind the other in pages: under load nearly every row is, within
// the first moments, and an array of its own for each would cost more than its bytes.
import type { RowWriter } from "./dirty-rows.ts";

const PAGE_BYTES = 1 << 18;
const DELETED = -1;

export class EarlyRows<K> {
  #keys: K[] = [];
  #lengths: number[] = [];
  #pages: Uint8Array[] = [];
  /** Of the last page. */
  #used = 0;
  /** What `take` hands out next: its number, its page and its place there. */
  #next = 0;
  #page = 0;
  #at = 0;

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Copies the row. */
  add(key: K, bytes: Uint8Array | null): void {
    this.#keys.push(key);
    this.#lengths.push(bytes === null ? DELETED : bytes.length);
    if (bytes === null) return;
    let page = this.#pages.at(-1);
    if (page === undefined || this.#used + bytes.length > page.length) {
      this.#pages.push((page = new Uint8Array(Math.max(PAGE_BYTES, bytes.length))));
      this.#used = 0;
    }
    page.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Writes up to `max` rows, oldest first, and says how many it wrote. */
  take(max: number, write: RowWriter<K>): number {
    const count = Math.min(max, this.#keys.length - this.#next);
    for (let i = 0; i < count; i++, this.#next++) {
      const key = this.#keys[this.#next]!;
      const length = this.#lengths[this.#next]!;
      if (length === DELETED) {
        write(key, null);
        continue;
      }
      if (this.#at + length > this.#pages[this.#page]!.length) {
        this.#pages[this.#page++] = NO_PAGE;
        this.#at = 0;
      }
      write(key, this.#pages[this.#page]!.subarray(this.#at, this.#at + length));
      this.#at += length;
    }
    if (this.#next === this.#keys.length) this.#clear();
    return count;
  }

  #clear(): void {
    this.#keys = [];
    this.#lengths = [];
    this.#pages = [];
    this.#used = this.#next = this.#page = this.#at = 0;
  }
}

/** In place of a page that was written whole. */
const NO_PAGE = new Uint8Array(0);
