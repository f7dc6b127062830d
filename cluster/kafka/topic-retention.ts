// How long Kafka keeps what: the retention that is in force is what the topics say, whoever has set it.
import { ConfigResourceTypes } from "@platformatic/kafka";
import type { RetentionPolicy } from "../../server/privacy/retention.ts";
import { sharedTopics, type ProjectTopics } from "../wire/topics.ts";
import type { KafkaConnection } from "./connection.ts";
import { withAdmin } from "./topics.ts";

const RETENTION = "retention.ms";
const FOR_EVER = "-1";

/**
 * By kind of data; of several topics the one that keeps it longest. Persons are kept in `profiles`, which forgets nobody by
 * his age.
 */
export async function topicRetention(connection: KafkaConnection, topics: ProjectTopics): Promise<RetentionPolicy> {
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
    profiles: Infinity,
    visitors: Infinity,
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
