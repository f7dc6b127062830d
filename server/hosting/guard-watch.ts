// Experiments' guards: looks now and then whether a variant does surely harm, and has its stop written into the log.
// Only the record stops it, so a replay stops it at the same place, whenever this looked.
import type { ExperimentStop } from "../../core/record.ts";
import { HostError } from "../ports.ts";

const LOOK_EVERY_MS = 1_000;

export class GuardWatch {
  readonly #harmful: () => ExperimentStop[];
  readonly #write: (stop: ExperimentStop) => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #writing = false;

  constructor(options: { harmful: () => ExperimentStop[]; write: (stop: ExperimentStop) => Promise<void> }) {
    this.#harmful = options.harmful;
    this.#write = options.write;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Looks now; resolves when what had to be stopped is in the log. What the host could not write is tried again. */
  async look(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (const stop of this.#harmful()) await this.#write(stop);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    } finally {
      this.#writing = false;
    }
  }
}
