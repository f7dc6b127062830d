// What Kafka took back from the job and the job wrote again, as a server tells it to whoever watches: nothing here waits for it.
import type { KafkaConnection } from "../kafka/connection.ts";
import { writtenAgain } from "../kafka/written-again.ts";

const LOOK_EVERY_MS = 30_000;

export class OutputsWatch {
  readonly #connection: KafkaConnection;
  readonly #generation: number;
  readonly #timer: NodeJS.Timeout;
  #isAsking = false;
  #figures = { transactions: 0, records: 0 };

  constructor(options: { connection: KafkaConnection; generation: number }) {
    this.#connection = options.connection;
    this.#generation = options.generation;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
    this.#look();
  }

  /** Of the whole job, of the days that brokers keep marks. */
  get figures(): Readonly<{ transactions: number; records: number }> {
    return this.#figures;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // A broker that is away answers the next time.
    void this.#ask().catch(() => undefined).finally(() => (this.#isAsking = false));
  }

  async #ask(): Promise<void> {
    const all = await writtenAgain(this.#connection, this.#generation);
    this.#figures = { transactions: all.length, records: all.reduce((sum, { records }) => sum + records, 0) };
  }
}
