// `node:worker_threads` in the simulation: the checkpoint writer runs in the same thread, and its messages take time.
import { createCheckpointWriter, type CheckpointWriter } from "../../server/state/checkpoint-writer.ts";
import type { CheckpointMessage } from "../../server/state/state-file.ts";
import { current } from "../world.ts";

type Listener = (value: never) => void;

export class Worker {
  readonly #listeners = new Map<string, Listener[]>();
  readonly #writer: CheckpointWriter;
  /** Messages arrive in the order in which they were sent. */
  #lastDueMs = 0;

  constructor(_url: URL, options: { workerData: { path: string } }) {
    this.#writer = createCheckpointWriter(options.workerData, (reply) => this.#tell("message", reply));
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  once(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  postMessage(message: CheckpointMessage): void {
    const { world, disk } = current;
    this.#lastDueMs = Math.max(this.#lastDueMs, world.nowMs) + world.rng.between(0, disk.latencyMsMax * 100) / 100;
    world.after(this.#lastDueMs - world.nowMs, () => {
      this.#writer.take(message);
      if (message.kind === "close") this.#tell("exit", 0);
    });
  }

  #tell(event: string, value: unknown): void {
    current.world.after(0.01, () => {
      for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
    });
  }
}
