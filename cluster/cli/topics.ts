// The topics of every project of a cluster: made where they are missing, checked always.
import { createTopics, checkTopics, needsOf, type TopicNeeds } from "../kafka/topics.ts";
import { projectTopics } from "../wire/topics.ts";
import type { ClusterSettings } from "./settings.ts";

/** What the job of a generation and the servers need. */
export function clusterTopics(projects: Readonly<Record<string, string>>, generation: number): TopicNeeds[] {
  return Object.keys(projects).flatMap((project) => needsOf(projectTopics(project, { generation })));
}

/** @throws TopicError with every fault, one a line. */
export async function ensureTopics({ plan, connection }: ClusterSettings, generation: number): Promise<void> {
  const needs = clusterTopics(plan.projects, generation);
  await createTopics(connection, needs, plan);
  await checkTopics(connection, needs);
}
