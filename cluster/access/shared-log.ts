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

  /** As `start`, from the last `count` records on; true where these are not all. */
  async startNearEnd(count: number): Promise<boolean> {
    const { connection, topic } = this.#options;
    const end = new KafkaReader({ connection, onBatch: () => undefined });
    end.read(topic, 0, "latest");
    await end.caughtUp(topic);
    const from = Math.max(0, end.position(topic, 0)! - count);
    await end.close();
    await this.start(from);
    return from > 0;
  }

  /**
   * Resolves when it is stored and read.
   * @param key - the record's, by which its writer knows it; no two have the same one.
   * @throws HostError: it may or may not be stored.
   */
  async append(value: Uint8Array, key: string = uuidv7()): Promise<void> {
    const { sender, topic } = this.#options;
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

  /** Kafka refuses to have it read. */
  get isRefused(): boolean {
    return this.#reader.isRefused;
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
