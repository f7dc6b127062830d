// How far the job is behind the log: the log's ends against the offsets that it committed with its newest checkpoint.
import { Admin } from "@platformatic/kafka";
import { clientOptions, type KafkaConnection } from "./connection.ts";

const LATEST = -1n;

export interface TopicLag {
  readonly topic: string;
  readonly partitions: number;
  /** Sum of the partitions' ends: records ever written. */
  readonly end: number;
  /** Records that the group has not confirmed; undefined where it never confirmed any. */
  readonly lag: number | undefined;
}

/** Of the topics that are there. */
export async function lagOf(
  connection: KafkaConnection,
  groupId: string,
  topics: readonly string[],
): Promise<TopicLag[]> {
  const admin = new Admin({ ...clientOptions(connection), retries: 2 });
  try {
    const known = new Set(await admin.listTopics());
    const there = topics.filter((topic) => known.has(topic));
    if (there.length === 0) return [];
    const metadata = await admin.metadata({ topics: there });
    const indexes = (topic: string): number[] =>
      Array.from({ length: metadata.topics.get(topic)!.partitionsCount }, (_, i) => i);
    const ends = await admin.listOffsets({
      topics: there.map((name) => ({
        name,
        partitions: indexes(name).map((partitionIndex) => ({ partitionIndex, timestamp: LATEST })),
      })),
    });
    const wanted = there.map((name) => ({ name, partitionIndexes: indexes(name) }));
    const groups = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics: wanted }] });
    const confirmed = groups.flatMap((group) => group.topics);
    const committed = new Map(confirmed.map(({ name, partitions }) => [name, partitions]));
    return ends.map(({ name, partitions }) => {
      const offsets = new Map(committed.get(name)?.map((one) => [one.partitionIndex, Number(one.committedOffset)]));
      const isKnown = [...offsets.values()].some((offset) => offset >= 0);
      const behind = partitions.map(({ partitionIndex, offset }) =>
        Math.max(0, Number(offset) - Math.max(0, offsets.get(partitionIndex) ?? 0)),
      );
      return {
        topic: name,
        partitions: partitions.length,
        end: partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
        lag: isKnown ? behind.reduce((sum, records) => sum + records, 0) : undefined,
      };
    });
  } finally {
    await admin.close();
  }
}
