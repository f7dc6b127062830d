// The serving thread's side of a training. What is learnt from comes in while it is read, and the model goes out part by part:
// what is made of a whole log at once, or comes in one message, keeps the serving thread from answering for most of a second.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { EaseSettings } from "../../core/model/ease.ts";
import type { LoggedStep } from "./log-steps.ts";
import type { StepSlice, TrainMessage, TrainReply } from "./train-worker.ts";

const STEPS_A_MESSAGE = 500;

export class TrainingThread {
  readonly #worker = new Worker(new URL("./train-worker.ts", import.meta.url));
  readonly #ended = new AbortController();
  #slice: StepSlice = emptySlice();

  constructor() {
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#ended.abort(error));
    this.#worker.on("exit", () => this.#ended.abort(new Error("the training thread ended without a model")));
  }

  take({ personKey, itemId, weight, source }: LoggedStep): void {
    this.#slice.personKeys.push(personKey);
    this.#slice.itemIds.push(itemId);
    this.#slice.areAway.push(weight < 0);
    this.#slice.sources.push(source);
    if (this.#slice.itemIds.length === STEPS_A_MESSAGE) this.#send();
  }

  /** The model of what was taken, a part each time one is asked for; none where it is too little. Throws where the thread ends before. */
  async *train(settings: EaseSettings): AsyncGenerator<NonNullable<TrainReply>> {
    this.#send();
    for (let message: TrainMessage = { kind: "train", settings }; ; message = { kind: "next" }) {
      const part = await this.#ask(message);
      if (part === null) return;
      yield part;
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(): void {
    this.#post({ kind: "steps", steps: this.#slice });
    this.#slice = emptySlice();
  }

  async #ask(message: TrainMessage): Promise<TrainReply> {
    const { signal } = this.#ended;
    this.#post(message);
    try {
      const [reply] = (await once(this.#worker, "message", { signal })) as [TrainReply];
      return reply;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  #post(message: TrainMessage): void {
    this.#worker.postMessage(message);
  }
}

function emptySlice(): StepSlice {
  return { personKeys: [], itemIds: [], areAway: [], sources: [] };
}
