// `attune cluster verify`: folds every project's log anew and compares every profile in Kafka and in Redis.
import { checkTopics } from "../kafka/topics.ts";
import { readJobState } from "../jobs/job-state.ts";
import { RedisLink } from "../redis/link.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import { projectTopics } from "../wire/topics.ts";
import { verifyCluster } from "../verify/verify.ts";
import { redisConnection } from "./redis-rows.ts";
import { type ClusterFlags, readCluster } from "./settings.ts";
import { clusterTopics } from "./topics.ts";

export async function verifyCommand(flags: ClusterFlags): Promise<number> {
  const { folder, plan, connection } = await readCluster(flags);
  const { generation } = await readJobState(folder);
  const link = await RedisLink.open(redisConnection(plan.redis));
  let total = 0;
  try {
    const partitions = await checkTopics(connection, clusterTopics(plan.projects, generation), plan.partitions);
    for (const project of Object.keys(plan.projects)) {
      const topics = projectTopics(project, { generation });
      const store = new ProfileStore(link, { project, generation, shards: partitions.get(topics.profiles)! });
      const verification = await verifyCluster({ connection, topics, partitions, store, now: Date.now });
      const { records, persons, duplicates, thrown, differences } = verification;
      for (const { key, where, kind } of differences)
        process.stdout.write(`${project}: ${key} ${kind.replaceAll("_", " ")} in ${where}\n`);
      const apart = `${duplicates} came twice, ${thrown} set aside`;
      process.stdout.write(`${project}: ${records} records (${apart}), ${persons} persons\n`);
      total += differences.length;
    }
  } finally {
    link.close();
  }
  process.stdout.write(`${total} differences\n`);
  return total === 0 ? 0 : 1;
}
