// What a job's topics hold under `read_committed`: the name of each output, as often as it is there.
import { withAdmin } from "../../kafka/topics.ts";
import { readCommitted } from "../../kafka/committed.ts";
import type { KafkaConnection } from "../../kafka/connection.ts";
import type { ReadRecord } from "../../kafka/batches.ts";
import { decodeOutcome } from "../../wire/outcome.ts";
import { decodeProfile } from "../../wire/profile.ts";
import { decodeStep } from "../../wire/step.ts";
import type { ProjectTopics } from "../../wire/topics.ts";

export interface CommittedOutputs {
  /** Event ids, sorted. */
  readonly steps: string[];
  readonly outcomes: string[];
  /** As `Outputs.bytesByVersion` names them, sorted. */
  readonly profiles: string[];
}

export interface OutputTopics {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  readonly partitions: number;
}

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LATEST = -1n;

export async function committedOutputs(of: OutputTopics): Promise<CommittedOutputs> {
  const { steps, outcomes, profiles } = of.topics;
  return {
    steps: await namesIn(of, steps, ({ value }) => {
      const step = decodeStep(value!);
      return step.kind === "step" ? step.eventId : undefined;
    }),
    outcomes: await namesIn(of, outcomes, ({ value }) => {
      const outcome = decodeOutcome(value!);
      return outcome.kind === "acted" ? outcome.event.event_id : undefined;
    }),
    profiles: await namesIn(of, profiles, ({ key, value }) => {
      if (value === null) return undefined;
      const { sequence, asOfMs } = decodeProfile(value);
      return `${String(key)} ${sequence} ${asOfMs}`;
    }),
  };
}

async function namesIn(
  { connection, partitions }: OutputTopics,
  topic: string,
  nameOf: (record: ReadRecord) => string | undefined,
): Promise<string[]> {
  const names: string[] = [];
  for (let partition = 0; partition < partitions; partition++)
    for await (const records of readCommitted({ connection, topic, partition }))
      for (const record of records) names.push(...[nameOf(record)].filter((name) => name !== undefined));
  return names.sort();
}

/** Whether a transaction of the job is open, or about to be committed: whoever reads as committed has to wait. */
export async function areTransactionsOpen(of: OutputTopics): Promise<boolean> {
  const ends = await endsOf(of, READ_UNCOMMITTED);
  const stable = await endsOf(of, READ_COMMITTED);
  return ends.some((end, i) => end !== stable[i]);
}

function endsOf({ connection, topics, partitions }: OutputTopics, isolationLevel: 0 | 1): Promise<bigint[]> {
  const asked = [topics.steps, topics.outcomes, topics.profiles].map((name) => ({
    name,
    partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: LATEST })),
  }));
  return withAdmin(connection, async (admin) => {
    const answers = await admin.listOffsets({ topics: asked, isolationLevel });
    const places = answers.flatMap(({ name, partitions: of }) => of.map((one) => ({ name, ...one })));
    const placeOf = ({ name, partitionIndex }: (typeof places)[number]): string => `${name} ${partitionIndex}`;
    return places.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)).map(({ offset }) => offset);
  });
}
