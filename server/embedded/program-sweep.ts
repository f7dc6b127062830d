// After a program change: brings everybody to the new program, a few at a time, so that the sizes of segments are soon
// right. Nobody depends on it for his own profile; whoever is looked at is brought along at once.
import type { Persons, PersonWalk } from "./persons.ts";

/** Looked at between two turns of the event loop: no more than a checkpoint writes meanwhile, so that it comes to an end. */
const PERSONS_A_TURN = 50;
/** A turn that takes so long ends earlier: with two hundred segments a person costs 0.3 ms. */
const TURN_MS = 2;
const PAUSE_MS = 1;

export class ProgramSweep {
  readonly #persons: Pick<Persons, "walk">;
  readonly #look: (key: string) => void;
  readonly #now: () => number;
  #running: { version: number; walk: PersonWalk; page: string[] } | null = null;
  #stopped = false;
  /** The program version that everybody has been brought to; checkpointed by the host. */
  sweptVersion = 0;

  constructor(persons: Pick<Persons, "walk">, look: (key: string) => void, now = (): number => performance.now()) {
    this.#persons = persons;
    this.#look = look;
    this.#now = now;
  }

  /** Begins anew where one is under way. */
  start(version: number): void {
    if (this.sweptVersion >= version) return;
    const isRunning = this.#running !== null;
    this.#running = { version, walk: this.#persons.walk(), page: [] };
    if (!isRunning) setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
  }

  #turn(): void {
    const running = this.#running;
    if (running === null || this.#stopped) return;
    const endMs = this.#now() + TURN_MS;
    if (running.page.length === 0) running.page = running.walk.next(PERSONS_A_TURN);
    if (running.page.length === 0) {
      this.sweptVersion = running.version;
      this.#running = null;
      return;
    }
    do this.#look(running.page.pop()!);
    while (running.page.length > 0 && this.#now() < endMs);
    setTimeout(() => this.#turn(), PAUSE_MS).unref();
  }
}
