// The records of batches as a broker hands them out, with the clock that the topic goes by.
import type { RecordsBatch } from "@platformatic/kafka";

export interface ReadRecord {
  readonly offset: number;
  /** Unix ms: the broker's clock where the topic says so, else the producer's. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** Null: the key is deleted. */
  readonly value: Buffer | null;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

const TIMESTAMP_IS_APPEND_TIME = 0x08;
const IS_TRANSACTIONAL = 0x10;
const IS_CONTROL = 0x20;
const ABORT_MARKER = 0;

/** Records from an offset on: a batch is read whole, also from its middle on. Markers of transactions are none. */
export function recordsOf(batch: RecordsBatch, from: number): ReadRecord[] {
  if ((batch.attributes & IS_CONTROL) !== 0) return [];
  const first = Number(batch.firstOffset);
  const appendMs = (batch.attributes & TIMESTAMP_IS_APPEND_TIME) === 0 ? undefined : Number(batch.maxTimestamp);
  const records: ReadRecord[] = [];
  for (const { key, value, offsetDelta, timestampDelta } of batch.records) {
    const offset = first + offsetDelta;
    if (offset < from) continue;
    records.push({ offset, timestampMs: appendMs ?? Number(batch.firstTimestamp + timestampDelta), key, value });
  }
  return records;
}

/** The batches of one answer without those that an aborted transaction wrote; `aborted` as the same answer lists them. */
export function withoutAborted(
  batches: readonly RecordsBatch[],
  aborted: readonly AbortedTransaction[] | null | undefined,
): RecordsBatch[] {
  const starts = [...(aborted ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  const producers = new Set<bigint>();
  return batches.filter((batch) => {
    const last = nextOffsetOf(batch) - 1;
    while (starts.length > 0 && Number(starts[0]!.firstOffset) <= last) producers.add(starts.shift()!.producerId);
    if ((batch.attributes & IS_CONTROL) !== 0) {
      // The marker's key: version and kind, two bytes each.
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER) producers.delete(batch.producerId);
      return false;
    }
    return (batch.attributes & IS_TRANSACTIONAL) === 0 || !producers.has(batch.producerId);
  });
}

export function nextOffsetOf({ firstOffset, lastOffsetDelta }: RecordsBatch): number {
  return Number(firstOffset) + lastOffsetDelta + 1;
}
