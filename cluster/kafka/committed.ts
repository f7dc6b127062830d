// Reads one partition from its start to its end of now as `read_committed` means it: without what an aborted
// transaction wrote, and not beyond the first one that is open. The client's own `read_committed` hands out aborted records.
import { Consumer, type RecordsBatch } from "@platformatic/kafka";
import { clientOptions, type KafkaConnection } from "./connection.ts";
import type { ReadRecord } from "./reader.ts";

const READ_COMMITTED = 1;
const IS_TRANSACTIONAL = 0x10;
const IS_CONTROL = 0x20;
const TIMESTAMP_IS_APPEND_TIME = 0x08;
const ABORT_MARKER = 0;
const WAIT_MS = 500;
const FETCH_BYTES_MAX = 4 << 20;
const EARLIEST = -2n;

export interface CommittedOptions {
  connection: KafkaConnection;
  topic: string;
  partition: number;
  /** Default: the earliest. */
  fromOffset?: number;
}

/** Yields batches in the partition's order; ends at the last stable offset as of the first answer. */
export async function* readCommitted(options: CommittedOptions): AsyncGenerator<ReadRecord[]> {
  const { connection, topic, partition } = options;
  const consumer = new Consumer({ ...clientOptions(connection), groupId: "attune-none", retries: 5 });
  try {
    const metadata = await consumer.metadata({ topics: [topic] });
    const { id: topicId, partitions } = metadata.topics.get(topic)!;
    const node = partitions[partition]!.leader;
    let position = options.fromOffset ?? (await earliest(consumer, topic, partition));
    let end: number | undefined;
    // Producers whose transaction around the position is aborted.
    const aborted = new Set<bigint>();
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
      const starts = [...(answer.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset));
      for (const batch of answer.records ?? []) {
        const last = Number(batch.firstOffset) + batch.lastOffsetDelta;
        while (starts.length > 0 && Number(starts[0]!.firstOffset) <= last) aborted.add(starts.shift()!.producerId);
        const records = committedOf(batch, aborted).filter(({ offset }) => offset >= position && offset < end!);
        position = last + 1;
        if (records.length > 0) yield records;
      }
    }
  } finally {
    await consumer.close(true);
  }
}

function committedOf(batch: RecordsBatch, aborted: Set<bigint>): ReadRecord[] {
  if ((batch.attributes & IS_CONTROL) !== 0) {
    // The marker's key: version and kind, two bytes each.
    if (batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER) aborted.delete(batch.producerId);
    return [];
  }
  if ((batch.attributes & IS_TRANSACTIONAL) !== 0 && aborted.has(batch.producerId)) return [];
  const appendMs = (batch.attributes & TIMESTAMP_IS_APPEND_TIME) === 0 ? undefined : Number(batch.maxTimestamp);
  return batch.records.map(({ key, value, offsetDelta, timestampDelta }) => ({
    offset: Number(batch.firstOffset) + offsetDelta,
    timestampMs: appendMs ?? Number(batch.firstTimestamp + timestampDelta),
    key,
    value,
  }));
}

async function earliest(consumer: Consumer, topic: string, partition: number): Promise<number> {
  const offsets = await consumer.listOffsets({
    topics: [topic],
    partitions: { [topic]: [partition] },
    timestamp: EARLIEST,
  });
  return Number(offsets.get(topic)![partition]!);
}
