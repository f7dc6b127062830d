// Records of several partitions in the order of their log time.
import { personKeyOf } from "../wire/record-key.ts";
import { readCommitted } from "./committed.ts";
import type { KafkaConnection } from "./connection.ts";
import type { ReadRecord } from "./batches.ts";

export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The person's; of a topic that is kept by other keys, that. */
  readonly key: string;
  /** As it lies in the topic. */
  readonly rawKey: Buffer;
  /** Log time, Unix ms. */
  readonly atMs: number;
  readonly value: Buffer;
}

export interface MergedLogOptions {
  readonly connection: KafkaConnection;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
}

export class MergedLog {
  readonly #options: MergedLogOptions;
  readonly #sources: { topic: string; partition: number; position: number | undefined }[];

  constructor(options: MergedLogOptions, topics: readonly string[]) {
    this.#options = options;
    this.#sources = topics.flatMap((topic) => {
      const length = options.partitions.get(topic)!;
      return Array.from({ length }, (_, partition) => ({ topic, partition, position: undefined }));
    });
  }

  /** Yields batches up to the ends of now; the next call goes on from there. Memory is bounded by one batch of each partition. */
  async *read(): AsyncGenerator<LogRecord[]> {
    const { connection } = this.#options;
    const heads = await Promise.all(
      this.#sources.map(async (source) => {
        const { topic, partition, position } = source;
        const from = position === undefined ? {} : { fromOffset: position };
        const batches = readCommitted({ connection, topic, partition, ...from });
        return { source, batches, waiting: await nextOf(batches), at: 0 };
      }),
    );
    try {
      let records: LogRecord[] = [];
      for (;;) {
        const open = heads.filter(({ waiting }) => waiting !== undefined);
        if (open.length === 0) break;
        const head = open.reduce((a, b) => (b.waiting![b.at]!.timestampMs < a.waiting![a.at]!.timestampMs ? b : a));
        const { offset, timestampMs, key, value } = head.waiting![head.at++]!;
        head.source.position = offset + 1;
        const { topic, partition } = head.source;
        const person = key === null ? "" : personKeyOf(key);
        const place = { topic, partition, offset };
        if (person !== "" && value !== null) records.push({ ...place, key: person, rawKey: key!, atMs: timestampMs, value });
        if (head.at < head.waiting!.length) continue;
        head.waiting = await nextOf(head.batches);
        head.at = 0;
        yield records;
        records = [];
      }
      if (records.length > 0) yield records;
    } finally {
      // Whoever reads no further must leave no connection behind.
      await Promise.all(heads.map(({ batches }) => batches.return(undefined)));
    }
  }
}

async function nextOf(batches: AsyncGenerator<ReadRecord[]>): Promise<ReadRecord[] | undefined> {
  const { value, done } = await batches.next();
  return done === true ? undefined : value;
}
