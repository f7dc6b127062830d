// Where the partitions of topics begin and end.
import type { KafkaConnection } from "./connection.ts";
import { withAdmin } from "./topics.ts";

export interface TopicOffsets {
  /** Another one where the topic was deleted and made anew. */
  readonly id: string;
  /** By partition: of the first record that is kept, and behind the last one, committed or not. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const LATEST = -1n;
const EARLIEST = -2n;

/** By name, of the topics that are there. */
export async function offsetsOf(connection: KafkaConnection, names: readonly string[]): Promise<Map<string, TopicOffsets>> {
  return withAdmin(connection, async (admin) => {
    const known = new Set(await admin.listTopics());
    const there = names.filter((name) => known.has(name));
    if (there.length === 0) return new Map();
    const { topics } = await admin.metadata({ topics: there });
    const listed = async (timestamp: bigint): Promise<Map<string, number[]>> => {
      const asked = there.map((name) => ({
        name,
        partitions: Array.from({ length: topics.get(name)!.partitionsCount }, (_, partitionIndex) => ({
          partitionIndex,
          timestamp,
        })),
      }));
      const answers = await admin.listOffsets({ topics: asked });
      return new Map(
        answers.map(({ name, partitions }) => {
          const sorted = partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex);
          return [name, sorted.map(({ offset }) => Number(offset))];
        }),
      );
    };
    const ends = await listed(LATEST);
    const starts = await listed(EARLIEST);
    return new Map(
      there.map((name) => [name, { id: topics.get(name)!.id, starts: starts.get(name)!, ends: ends.get(name)! }]),
    );
  });
}
