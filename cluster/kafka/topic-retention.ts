// How long Kafka keeps what: the retention that is in force is what the topics say, whoever has set it.
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import type { PersonAges, RetentionPolicy } from "../../server/privacy/retention.ts";
import { sharedTopics, type ProjectTopics } from "../wire/topics.ts";
import type { KafkaConnection } from "./connection.ts";
import { withAdmin } from "./topics.ts";

/** Kinds of data that Kafka keeps by age. */
export const KAFKA_KINDS = ["events", "decisions", "dead_letters"] as const;
export type KafkaRetention = Partial<Pick<RetentionPolicy, (typeof KAFKA_KINDS)[number]>>;

const RETENTION = "retention.ms";
const FOR_EVER = "-1";
/** Kafka drops whole segments, and never the one that is written to: what is old goes so much later at most. */
const SEGMENT_MS = 86_400_000;

/** Sets the ages that are given; a topic of another kind stays as it is. What was made of events goes with them. */
export async function setTopicRetention(
  connection: KafkaConnection,
  topics: ProjectTopics,
  { events, decisions, dead_letters: letters }: KafkaRetention,
): Promise<void> {
  const ages = new Map<string, number>();
  if (events !== undefined) for (const name of [...topics.log, topics.steps, topics.outcomes]) ages.set(name, events);
  if (decisions !== undefined) ages.set(topics.decision, decisions);
  if (letters !== undefined) for (const name of [topics.deadLetters, topics.quarantine]) ages.set(name, letters);
  if (ages.size === 0) return;
  const now = await agesOf(connection, [...ages.keys()]);
  const changed = [...ages].filter(([name, ageMs]) => now.get(name) !== ageMs);
  if (changed.length === 0) return;
  const SET = IncrementalAlterConfigOperationTypes.SET;
  const resources = changed.map(([resourceName, ageMs]) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configs: [
      { name: RETENTION, configOperation: SET, value: ageMs === Infinity ? FOR_EVER : String(ageMs) },
      { name: "segment.ms", configOperation: SET, value: String(SEGMENT_MS) },
    ],
  }));
  await withAdmin(connection, (admin) => admin.incrementalAlterConfigs({ resources }));
}

/** By kind of data; of several topics the one that keeps it longest. `persons`: the ages that the job keeps to. */
export async function topicRetention(
  connection: KafkaConnection,
  topics: ProjectTopics,
  persons: PersonAges,
): Promise<RetentionPolicy> {
  const { audit } = sharedTopics();
  const names = {
    events: topics.log,
    decisions: [topics.decision],
    dead_letters: [topics.deadLetters, topics.quarantine],
    audit: [audit],
  };
  const ages = await agesOf(connection, Object.values(names).flat());
  const longest = (of: readonly string[]): number => Math.max(...of.map((name) => ages.get(name) ?? Infinity));
  return {
    events: longest(names.events),
    decisions: longest(names.decisions),
    ...persons,
    dead_letters: longest(names.dead_letters),
    audit: longest(names.audit),
    erasures: Infinity,
  };
}

/** In ms, by topic; one that is not there is not in it. */
async function agesOf(connection: KafkaConnection, names: readonly string[]): Promise<Map<string, number>> {
  return withAdmin(connection, async (admin) => {
    const known = new Set(await admin.listTopics());
    const resources = names
      .filter((name) => known.has(name))
      .map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
    const described = await admin.describeConfigs({ resources });
    return new Map(
      described.map(({ resourceName, configs }) => {
        const value = configs.find(({ name }) => name === RETENTION)?.value;
        return [resourceName, value == null || value === FOR_EVER ? Infinity : Number(value)];
      }),
    );
  });
}
