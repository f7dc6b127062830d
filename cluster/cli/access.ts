// Keys and audit trail of the cluster of a plan, for commands.
import { openClusterAccess, type ClusterAccess } from "../access/cluster-access.ts";
import { createTopics } from "../kafka/topics.ts";
import { redisConnection } from "./redis-rows.ts";
import type { ClusterSettings } from "./settings.ts";
import { sharedNeeds } from "./topics.ts";

/** @param isNewKey - the plan's key may be another one than what is there was closed with. */
export async function openPlanAccess(
  { plan, connection }: Pick<ClusterSettings, "plan" | "connection">,
  isNewKey = false,
): Promise<ClusterAccess> {
  // A cluster of an earlier release has none of these topics.
  await createTopics(connection, sharedNeeds(), plan);
  return openClusterAccess({
    kafka: connection,
    redis: redisConnection(plan.redis),
    key: plan.clusterKey,
    isNewKey,
    now: Date.now,
    onCorrupt: (error) => process.stderr.write(`attune: a record was left out: ${error.message}\n`),
  });
}
