// Trains the background model beside the serving: reads the log in short slices, hands them to a worker thread, and
// writes what comes back into the log. Only those records change the recommender, so a replay needs no training, and
// every reader of the log has the same model at the same place.
import { setTimeout as pause } from "node:timers/promises";
import type { ModelConfig } from "../../core/model/config.ts";
import { EASE_DEFAULTS } from "../../core/model/ease.ts";
import type { BackgroundPart } from "../../core/model/background.ts";
import { HostError } from "../ports.ts";
import type { LoggedStep } from "./log-steps.ts";
import { TrainingThread } from "./training-thread.ts";

const LOOK_EVERY_MS = 60_000;
const SLICE_MS = 2;
const PAUSE_MS = 8; // Four fifths of the thread stay with the requests.
const PAUSE_LEAST_MS = 10 * 60_000; // Drift and erasures ask for no training sooner after the last.
const PERSONS_MIN = 50; // Fewer are not worth a look at the log.

export interface TrainerOptions {
  readonly config: () => ModelConfig["background"];
  /** Each step of the log, oldest first: whose, and of what. Undefined where a record is none. */
  readonly steps: () => Iterable<LoggedStep | undefined>;
  /** Writes nothing where `asOf` is the newest erasure no more. */
  readonly write: (part: BackgroundPart, asOf: string | undefined) => Promise<void>;
  /** The newest erasure, undefined before the first. While one runs, the log still holds who goes. */
  readonly erasure: () => { newest: string | undefined; isRunning: boolean };
  readonly personsTotal: () => number;
  /** What the progressive holdout says of the model that serves and since when that does, and the latest change that it saw: Unix ms of event time, 0 for none. */
  readonly health: () => { verdict: "worse" | "good" | "unknown"; backgroundSinceMs: number; changedMs: number };
  /** Reads the log for the model before the one that serves. */
  readonly earlier: () => Generator<undefined, BackgroundPart[] | undefined>;
  readonly onFailed: (error: Error) => void;
}

export class BackgroundTrainer {
  readonly #options: TrainerOptions;
  #timer: NodeJS.Timeout | null = null;
  #training: Promise<boolean> | null = null;
  #thread: TrainingThread | null = null;
  #trainedAtMs = performance.now();
  #stopped = false;
  /** Changes up to here were answered. */
  #seenChangeMs = 0;
  #trainings = 0;
  /** The newest erasure at the last training. */
  #asOf: string | undefined;
  /** How many persons there were at the last training. */
  #personsSeen = 0;

  constructor(options: TrainerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#seenChangeMs = this.#options.health().changedMs;
    this.#asOf = this.#options.erasure().newest;
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => this.#options.onFailed(error as Error));
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * Does what is due now: a model that does worse gives way to the one before; drift, an erasure, which
   * takes the models of before along, or time asks for a training. Where there is no model yet it is due at once, and where too little was known for one, as soon as there are twice as many persons.
   */
  async look(): Promise<"rolled_back" | "trained" | "nothing"> {
    const config = this.#options.config();
    if (config === undefined) return "nothing";
    const { verdict, backgroundSinceMs, changedMs } = this.#options.health();
    if (verdict === "worse" && (await this.#rollBack())) return "rolled_back";
    const sinceMs = performance.now() - this.#trainedAtMs;
    const isRested = this.#trainings === 0 || sinceMs >= PAUSE_LEAST_MS;
    const isAsked = isRested && (changedMs > this.#seenChangeMs || this.#options.erasure().newest !== this.#asOf);
    const isFirst = backgroundSinceMs === 0 && this.#options.personsTotal() >= Math.max(PERSONS_MIN, 2 * this.#personsSeen);
    if (!isAsked && !isFirst && sinceMs < config.everyMs) return "nothing";
    this.#seenChangeMs = changedMs;
    return (await this.train()) ? "trained" : "nothing";
  }

  /** Resolves when no training is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#thread?.end();
    await this.#training?.catch(() => {});
  }

  /** Trains now, or waits for the training that is under way; false where there is too little to learn from. */
  train(): Promise<boolean> {
    this.#training ??= this.#train().finally(() => (this.#training = null));
    return this.#training;
  }

  async #train(): Promise<boolean> {
    const config = this.#options.config();
    const { newest, isRunning } = this.#options.erasure();
    if (config === undefined || this.#stopped || isRunning) return false;
    this.#asOf = newest;
    this.#trainedAtMs = performance.now();
    this.#trainings++;
    this.#personsSeen = this.#options.personsTotal();
    const thread = (this.#thread = new TrainingThread());
    try {
      await this.#inSlices(this.#options.steps()[Symbol.iterator](), (step) => {
        if (step !== undefined) thread.take(step);
      });
      let isTrained = false;
      const settings = { ...EASE_DEFAULTS, ridge: config.ridge, minPersons: config.minPersons };
      for await (const part of thread.train(settings)) {
        if (this.#isVoid(newest)) return false;
        await this.#options.write(part, newest).catch(rethrow);
        isTrained = true;
      }
      return isTrained && !this.#isVoid(newest);
    } catch (error) {
      if (this.#stopped) return false;
      throw error;
    } finally {
      this.#thread = null;
      await thread.end();
    }
  }

  async #rollBack(): Promise<boolean> {
    const { newest, isRunning } = this.#options.erasure();
    if (isRunning) return false;
    const parts = await this.#inSlices(this.#options.earlier(), () => {});
    if (parts === undefined) return false;
    for (const part of parts) {
      if (this.#isVoid(newest)) return false;
      await this.#options.write(part, newest).catch(rethrow);
    }
    this.#trainedAtMs = performance.now(); // The next one is due in its turn, not at once.
    return true;
  }

  /** Nobody wants what is under way any more: the host goes down, or who was erased meanwhile may be in it. */
  #isVoid(asOf: string | undefined): boolean {
    return this.#stopped || this.#options.erasure().newest !== asOf;
  }

  /** Reads to the end, or to a stop, in short slices; what the reader returns. */
  async #inSlices<T, R>(reader: Iterator<T, R>, take: (value: T) => void): Promise<R | undefined> {
    let fromMs = performance.now();
    for (let next = reader.next(); ; next = reader.next()) {
      if (next.done === true) return next.value;
      take(next.value);
      if (performance.now() - fromMs < SLICE_MS) continue;
      await pause(PAUSE_MS, undefined, { ref: false });
      if (this.#stopped) return undefined;
      fromMs = performance.now();
    }
  }
}

/** A log that is full or closing takes no model; the next training tries again. */
function rethrow(error: unknown): void {
  if (!(error instanceof HostError)) throw error;
}
