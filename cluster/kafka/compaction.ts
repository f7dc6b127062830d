// Takes single records out of topics: a tombstone for the key of each, and Kafka compacts the topic, for as long as it takes,
// with settings that make it do so at once. Every other record has a key of its own (cluster/wire/record-key.ts), so that
// compaction leaves it; the caller answers for that.
import { setTimeout } from "node:timers/promises";
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import { readCommitted } from "./committed.ts";
import type { KafkaConnection } from "./connection.ts";
import type { KafkaSender, OutgoingRecord } from "./sender.ts";
import { withAdmin } from "./topics.ts";

export interface RemovedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly offset: number;
}

export interface CompactionOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Asked now and then: then `remove` ends early. */
  readonly isStopped: () => boolean;
}

/** For as long as records are taken out. What is deleted is deleted at once, tombstones too: they name the key. */
const AT_ONCE: Readonly<Record<string, string>> = {
  "min.cleanable.dirty.ratio": "0",
  "max.compaction.lag.ms": "500",
  "segment.ms": "500",
  "delete.retention.ms": "0",
  "file.delete.delay.ms": "0",
};
const LOOK_EVERY_MS = 1_000;
/** A cleaner that is busy with large topics may need long; what is left then is tried again with the next look. */
const PATIENCE_MS = 600_000;
/** Nobody's key, of the record that begins a new segment: Kafka compacts none that it writes to. */
const ROLL_KEY = Buffer.alloc(9, 0xff);

/**
 * Resolves to how many of the records, or tombstones for them, are still there: 0 where Kafka was quick enough.
 * @param isCompacted - topics that are compacted anyway.
 */
export async function remove(
  records: readonly RemovedRecord[],
  isCompacted: (topic: string) => boolean,
  options: CompactionOptions,
): Promise<Map<string, number>> {
  const { connection, sender, isStopped } = options;
  const topics = [...new Set(records.map(({ topic }) => topic))];
  if (topics.length === 0) return new Map();
  // A topic that is compacted anyway has its tombstones; another one would take away who has begun anew.
  const tombstones = records.filter(({ topic }) => !isCompacted(topic));
  await sender.send(tombstones.map(({ topic, partition, key }) => ({ topic, partition, key, value: null })));
  const segmentMs = await segmentAges(connection, topics);
  await setCompaction(connection, topics, (topic) => ({ ...AT_ONCE, ...(isCompacted(topic) ? {} : { "cleanup.policy": "compact,delete" }) }));
  try {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      await sender.send(topics.flatMap((topic) => rolls(topic, options)));
      await setTimeout(LOOK_EVERY_MS);
      const left = await countLeft(records, options);
      const isDone = [...left.values()].every((count) => count === 0);
      if (isDone || isStopped() || performance.now() > deadline) return left;
    }
  } finally {
    await setCompaction(connection, topics, (topic) => ({
      ...Object.fromEntries(Object.keys(AT_ONCE).map((name) => [name, undefined])),
      ...(isCompacted(topic) ? {} : { "cleanup.policy": "delete" }),
      "segment.ms": segmentMs.get(topic),
    }));
  }
}

/** As they are to be afterwards; not one that a server left behind that died while it compacted. */
async function segmentAges(connection: KafkaConnection, topics: readonly string[]): Promise<Map<string, string>> {
  const resources = topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
  const described = await withAdmin(connection, (admin) => admin.describeConfigs({ resources }));
  return new Map(
    described.flatMap(({ resourceName, configs }): [string, string][] => {
      const value = configs.find(({ name }) => name === "segment.ms")?.value;
      return value == null || value === AT_ONCE["segment.ms"] ? [] : [[resourceName, value]];
    }),
  );
}

function rolls(topic: string, { partitions }: CompactionOptions): OutgoingRecord[] {
  const length = partitions.get(topic)!;
  return Array.from({ length }, (_, partition) => ({ topic, partition, key: ROLL_KEY, value: null }));
}

/** By topic. */
async function countLeft(records: readonly RemovedRecord[], { connection }: CompactionOptions): Promise<Map<string, number>> {
  const sought = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
  const left = new Map<string, number>();
  for (const ofPartition of sought.values()) {
    const { topic, partition } = ofPartition[0]!;
    const lastOffsets = new Map<string, number>();
    for (const { key, offset } of ofPartition) {
      const name = key.toString("latin1");
      lastOffsets.set(name, Math.max(offset, lastOffsets.get(name) ?? -1));
    }
    let count = 0;
    for await (const read of readCommitted({ connection, topic, partition }))
      for (const { key, value, offset } of read)
        // Under the same key of a compacted topic he may have begun anew, or a device may be somebody else's.
        if (key !== null && isLeft(lastOffsets.get(key.toString("latin1")), offset, value)) count++;
    left.set(topic, (left.get(topic) ?? 0) + count);
  }
  return left;
}

function isLeft(lastOffset: number | undefined, offset: number, value: Buffer | null): boolean {
  return lastOffset !== undefined && (value === null || offset <= lastOffset);
}

/** Settings by name; undefined: as the broker has it. */
async function setCompaction(
  connection: KafkaConnection,
  topics: readonly string[],
  settingsOf: (topic: string) => Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { SET, DELETE } = IncrementalAlterConfigOperationTypes;
  const resources = topics.map((resourceName) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configs: Object.entries(settingsOf(resourceName)).map(([name, value]) =>
      value === undefined ? { name, configOperation: DELETE } : { name, configOperation: SET, value },
    ),
  }));
  await withAdmin(connection, (admin) => admin.incrementalAlterConfigs({ resources }));
}
