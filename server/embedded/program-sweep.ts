// After a program change: brings everybody to the new program, a few at a time, so that the sizes of segments are soon
// right. Nobody depends on it for his own profile; whoever is looked at is brought along at once.
import type { Persons, PersonWalk } from "./persons.ts";

const PERSONS_A_TURN = 50;
const PAUSE_MS = 1;

export class ProgramSweep {
  readonly #persons: Persons;
  readonly #look: (key: string) => void;
  #running: { version: number; walk: PersonWalk } | null = null;
  #stopped = false;
  /** The program version that everybody has been brought to; checkpointed by the host. */
  sweptVersion = 0;

  constructor(persons: Persons, look: (key: string) => void) {
    this.#persons = persons;
    this.#look = look;
  }

  /** Begins anew where one is under way. */
  start(version: number): void {
    if (this.sweptVersion >= version) return;
    const isRunning = this.#running !== null;
    this.#running = { version, walk: this.#persons.walk() };
    if (!isRunning) setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
  }

  #turn(): void {
    if (this.#running === null || this.#stopped) return;
    const keys = this.#running.walk.next(PERSONS_A_TURN);
    for (const key of keys) this.#look(key);
    if (keys.length === 0) {
      this.sweptVersion = this.#running.version;
      this.#running = null;
      return;
    }
    setTimeout(() => this.#turn(), PAUSE_MS).unref();
  }
}
