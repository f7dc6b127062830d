// A topic of one partition that every server reads from its start (or from near its end) and may write to: what all of
// them must know in one order. Whoever appends is answered when he has read his own record, so that he has also seen all
// that came before it.
import { uuidv7 } from "uuidv7";
import { HostError } from "../../server/ports.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader, type ReadRecord, type StartAt } from "../kafka/reader.ts";
import type { KafkaSender } from "../kafka/sender.ts";

/** Beyond what `KafkaSender` takes to confirm a record. */
const READ_BACK_MS = 5_000;
const RETRY_AFTER_S = 2;

export interface SharedLogOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  readonly topic: string;
  /** Called with every record, in order; must not throw. */
  readonly onRecord: (value: Buffer, record: ReadRecord) => void;
}

export class SharedLog {
  readonly #options: SharedLogOptions;
  readonly #reader: KafkaReader;
  /** By the key of the record: told when it was read. */
  readonly #appended = new Map<string, () => void>();

  constructor(options: SharedLogOptions) {
    this.#options = options;
    this.#reader = new KafkaReader({
      connection: options.connection,
      onBatch: ({ records }) => {
        for (const record of records) this.#take(record);
      },
    });
  }

  /** Resolves when everything up to the end was read. */
  async start(from: StartAt): Promise<void> {
    const { topic } = this.#options;
    this.#reader.read(topic, 0, from);
    await this.#reader.caughtUp(topic);
  }

  /** Offset that reading goes on at. */
  get position(): number {
    return this.#reader.position(this.#options.topic, 0) ?? 0;
  }

  /** Resolves when it is stored and read. @throws HostError: it may or may not be stored. */
  async append(value: Uint8Array): Promise<void> {
    const { sender, topic } = this.#options;
    const key = uuidv7();
    let timer: NodeJS.Timeout | undefined;
    const isRead = new Promise<void>((resolve) => this.#appended.set(key, resolve));
    try {
      await sender.send([{ topic, partition: 0, key: Buffer.from(key), value }]);
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(unavailable()), READ_BACK_MS);
      });
      await Promise.race([isRead, late]);
    } finally {
      clearTimeout(timer);
      this.#appended.delete(key);
    }
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  #take(record: ReadRecord): void {
    if (record.value !== null) this.#options.onRecord(record.value, record);
    if (record.key !== null) this.#appended.get(record.key.toString())?.();
  }
}

function unavailable(): HostError {
  return new HostError("unavailable", "Kafka does not answer; try it again.", { retryAfterS: RETRY_AFTER_S });
}
