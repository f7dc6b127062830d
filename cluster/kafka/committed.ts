// Reads one partition from its start to its end of now as `read_committed` means it: without what an aborted
// transaction wrote, and not beyond the first one that is open. The client's own `read_committed` hands out aborted records.
import { Consumer } from "@platformatic/kafka";
import { nextOffsetOf, recordsOf, withoutAborted, type ReadRecord } from "./batches.ts";
import { clientOptions, type KafkaConnection } from "./connection.ts";

const READ_COMMITTED = 1;
const WAIT_MS = 500;
const FETCH_BYTES_MAX = 4 << 20;
const EARLIEST = -2n;
/** A transaction ends with the job's next checkpoint; where the job is away, after Kafka's patience with it. */
const OPEN_PATIENCE_MS = 60_000;

/** A transaction that is open keeps what lies behind it from being read. */
export class OpenTransactionError extends Error {
  override readonly name = "OpenTransactionError";
}

export interface CommittedOptions {
  connection: KafkaConnection;
  topic: string;
  partition: number;
  /** Default: the earliest. */
  fromOffset?: number;
  /** Default: the last stable offset as of the first answer. What lies before it and is not committed yet is waited for. */
  toOffset?: number;
}

/** Yields batches in the partition's order. @throws OpenTransactionError where `toOffset` is not reached in time. */
export async function* readCommitted(options: CommittedOptions): AsyncGenerator<ReadRecord[]> {
  const { connection, topic, partition } = options;
  const consumer = new Consumer({ ...clientOptions(connection), groupId: "attune-none", retries: 5 });
  try {
    const metadata = await consumer.metadata({ topics: [topic] });
    const { id: topicId, partitions } = metadata.topics.get(topic)!;
    const node = partitions[partition]!.leader;
    let position = options.fromOffset ?? (await earliest(consumer, topic, partition));
    let end = options.toOffset;
    let movedMs = performance.now();
    while (end === undefined || position < end) {
      const asked = {
        partition,
        fetchOffset: BigInt(position),
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        partitionMaxBytes: FETCH_BYTES_MAX,
      };
      const { responses } = await consumer.fetch({
        node,
        topics: [{ topicId, partitions: [asked] }],
        maxWaitTime: WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES_MAX,
        isolationLevel: READ_COMMITTED,
      });
      const answer = responses[0]!.partitions[0]!;
      end ??= Number(answer.lastStableOffset);
      const batches = answer.records ?? [];
      for (const batch of withoutAborted(batches, answer.abortedTransactions)) {
        const records = recordsOf(batch, position).filter(({ offset }) => offset < end!);
        if (records.length > 0) yield records;
      }
      const last = batches.at(-1);
      if (last !== undefined) {
        position = nextOffsetOf(last);
        movedMs = performance.now();
      } else if (performance.now() - movedMs > OPEN_PATIENCE_MS) {
        throw new OpenTransactionError(
          `${topic}, partition ${partition}: a transaction is open at offset ${answer.lastStableOffset}: try again when ` +
            "the job runs, or when Kafka has ended it (after 15 minutes, where nobody has set another time)",
        );
      }
    }
  } finally {
    await consumer.close(true);
  }
}

async function earliest(consumer: Consumer, topic: string, partition: number): Promise<number> {
  const offsets = await consumer.listOffsets({
    topics: [topic],
    partitions: { [topic]: [partition] },
    timestamp: EARLIEST,
  });
  return Number(offsets.get(topic)![partition]!);
}
