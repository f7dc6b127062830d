// What Kafka took back from the job and the job wrote again, as a server tells it to whoever watches: nothing here waits for it.
import type { KafkaConnection } from "../kafka/connection.ts";
import { writtenAgain } from "../kafka/written-again.ts";
import { lookEvery } from "./look-every.ts";

const LOOK_EVERY_MS = 30_000;

export class OutputsWatch {
  #figures = { transactions: 0, records: 0 };
  readonly stop: () => void;

  constructor({ connection, generation }: { connection: KafkaConnection; generation: number }) {
    this.stop = lookEvery(LOOK_EVERY_MS, async () => {
      const all = await writtenAgain(connection, generation);
      this.#figures = { transactions: all.length, records: all.reduce((sum, { records }) => sum + records, 0) };
    });
  }

  /** Of the whole job, of the days that brokers keep marks. */
  get figures(): Readonly<{ transactions: number; records: number }> {
    return this.#figures;
  }
}
