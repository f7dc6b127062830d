// Counts that Redis holds, looked up now and then: nobody who asks for them waits for it.
import type { RedisLink } from "../redis/link.ts";
import type { ProfileStore } from "../redis/profile-store.ts";
import type { DeadLetterIndex } from "./dead-letters.ts";
import type { Learner } from "./learner.ts";

const LOOK_EVERY_MS = 1_000;

export interface SizesOptions {
  readonly link: RedisLink;
  readonly store: ProfileStore;
  readonly letters: DeadLetterIndex;
  readonly learner: Learner;
}

export class Sizes {
  readonly #options: SizesOptions;
  readonly #timer: NodeJS.Timeout;
  /** Members by segment. */
  segments: ReadonlyMap<string, number> = new Map();
  persons = 0;
  /** Whether anybody may have said that his events must not be kept: until it is known that nobody has, somebody may. */
  mayRefuse = true;

  constructor(options: SizesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { link, store, letters, learner } = this.#options;
    if (!link.isUp) return;
    try {
      this.segments = await store.sizes(learner.program.segments.map(({ name }) => name));
      this.persons = await store.count();
      this.mayRefuse = (await store.refusing()) !== 0;
      await letters.count();
    } catch {
      // The figures stay as they were; the link counts the fault.
    }
  }
}
