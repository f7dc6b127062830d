// A copy of a log must keep the log time of each record, and the topics of a log go by the broker's clock. So they go by the
// sender's while the copy is written, and by the broker's again afterwards: which of the two it was stands in each batch, for
// ever, so what was copied keeps its times.
import { setTimeout } from "node:timers/promises";
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import type { KafkaConnection } from "./connection.ts";
import { withAdmin } from "./topics.ts";

const TIMESTAMP_TYPE = "message.timestamp.type";
const RETENTION = "retention.ms";
/** A broker takes a topic's new settings in a moment after it was told of them. */
const SETTLE_MS = 1_000;

type Settings = Readonly<Record<string, string>>;

/**
 * Resolves when the topics take the times of whoever writes, and delete nothing. What it resolves to puts that back; until
 * then nothing serves from them, because the check of topics at every start refuses them.
 */
export async function takeGivenTimes(connection: KafkaConnection, names: readonly string[]): Promise<() => Promise<void>> {
  const kept = await retentionOf(connection, names);
  await setSettings(connection, new Map(names.map((name) => [name, { [TIMESTAMP_TYPE]: "CreateTime", [RETENTION]: "-1" }])));
  await setTimeout(SETTLE_MS);
  return () =>
    setSettings(
      connection,
      new Map(names.map((name) => [name, { [TIMESTAMP_TYPE]: "LogAppendTime", [RETENTION]: kept.get(name) ?? "-1" }])),
    );
}

async function retentionOf(connection: KafkaConnection, names: readonly string[]): Promise<Map<string, string | undefined>> {
  const resources = names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
  const described = await withAdmin(connection, (admin) => admin.describeConfigs({ resources }));
  const valueOf = ({ configs }: (typeof described)[number]): string | undefined =>
    configs.find(({ name }) => name === RETENTION)?.value ?? undefined;
  return new Map(described.map((topic) => [topic.resourceName, valueOf(topic)]));
}

async function setSettings(connection: KafkaConnection, byName: ReadonlyMap<string, Settings>): Promise<void> {
  const configOperation = IncrementalAlterConfigOperationTypes.SET;
  const resources = [...byName].map(([resourceName, settings]) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configs: Object.entries(settings).map(([name, value]) => ({ name, configOperation, value })),
  }));
  await withAdmin(connection, (admin) => admin.incrementalAlterConfigs({ resources }));
}
