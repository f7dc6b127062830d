// The topics of every project of a cluster: made where they are missing, kept as long as the settings say, checked always. With
// them go the ages of persons, which the job keeps to.
import { createTopics, checkTopics, needsOf, type TopicNeeds } from "../kafka/topics.ts";
import { projectTopics, sharedTopics } from "../wire/topics.ts";
import { setPersonAges } from "../kafka/person-ages.ts";
import { setTopicRetention } from "../kafka/topic-retention.ts";
import { checkReadable, CheckError } from "./checks.ts";
import { clusterRetention, type ClusterSettings } from "./settings.ts";

/** What the job of a generation and the servers need; keys and the audit trail are all projects'. */
export function clusterTopics(projects: Readonly<Record<string, string>>, generation: number): TopicNeeds[] {
  const own = Object.keys(projects).flatMap((project) => needsOf(projectTopics(project, { generation })));
  return [...own, ...sharedNeeds()];
}

export function sharedNeeds(): TopicNeeds[] {
  const { access, audit, settings } = sharedTopics();
  return [access, audit].map((name) => ({ name, settings }));
}

/** @throws TopicError with every fault, one a line; CheckError where they may not be read. */
export async function ensureTopics({ plan, connection }: ClusterSettings, generation: number): Promise<void> {
  const needs = clusterTopics(plan.projects, generation);
  await createTopics(connection, needs, plan);
  const ages = clusterRetention(plan.retention);
  for (const project of Object.keys(plan.projects)) {
    const topics = projectTopics(project, { generation });
    await setTopicRetention(connection, topics, ages.topics);
    await setPersonAges(connection, topics.control, ages.persons);
  }
  await checkTopics(connection, needs);
  const refused = await checkReadable(connection, needs.map(({ name }) => name));
  if (refused.length > 0) throw new CheckError(refused.join("\n"));
}

/** Where topics have another number of partitions than planned, and what that does; undefined where none has. */
export function sayPartitions(needs: readonly TopicNeeds[], found: ReadonlyMap<string, number>, partitions: number): string | undefined {
  const others = needs.filter(({ name, settings }) => settings.partitions === "many" && (found.get(name) ?? partitions) !== partitions);
  if (others.length === 0) return undefined;
  const names = others.map(({ name }) => `${name} has ${found.get(name)}`);
  return (
    `${names.join(", ")} partitions, and the cluster was planned with ${partitions}: what is beyond that stays empty, because with it ` +
    "a person's events would go elsewhere; where there are fewer, none may be added"
  );
}
