// What Kafka took back from the job and the job wrote again: each such transaction leaves a mark, the committed offset of a
// consumer group of its own (cluster/flink, OutputsAgain.java), for as long as brokers keep offsets: 7 days by default.
import type { KafkaConnection } from "./connection.ts";
import { withAdmin } from "./topics.ts";

export interface WrittenAgain {
  readonly transactionalId: string;
  readonly records: number;
  /** Unix ms. */
  readonly at: number;
}

const SUFFIX = "-again";

/** Oldest first. */
export async function writtenAgain(connection: KafkaConnection, generation: number): Promise<WrittenAgain[]> {
  // As Job.java names its transactions.
  const prefix = `attune.g${generation}.results-`;
  return withAdmin(connection, async (admin) => {
    const known = [...(await admin.listGroups()).keys()];
    const groups = known.filter((id) => id.startsWith(prefix) && id.endsWith(SUFFIX));
    if (groups.length === 0) return [];
    const marks = await admin.listConsumerGroupOffsets({ groups });
    const found = marks.flatMap(({ groupId: id, topics }) => {
      const text = topics.flatMap(({ partitions }) => partitions)[0]?.metadata;
      if (text == null) return [];
      const { records, at } = JSON.parse(text) as Omit<WrittenAgain, "transactionalId">;
      return [{ transactionalId: id.slice(0, -SUFFIX.length), records, at }];
    });
    return found.sort((a, b) => a.at - b.at);
  });
}

/** In words, for operators; undefined where nothing was taken back. */
export function sayWrittenAgain(all: readonly WrittenAgain[]): string | undefined {
  const last = all.at(-1);
  if (last === undefined) return undefined;
  const records = all.reduce((sum, one) => sum + one.records, 0);
  return (
    `Kafka took ${all.length} transactions back, whose ${records} outputs the job wrote again, the last at ` +
    `${new Date(last.at).toISOString()}: brokers or the job were away for longer than --transaction-timeout-ms`
  );
}
