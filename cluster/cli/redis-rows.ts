// A generation's rows in Redis, filled and forgotten from the command line.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { KafkaConnection } from "../kafka/connection.ts";
import { type RedisConnection, RedisLink, type Reply } from "../redis/link.ts";
import { changeOf, ProfileStore } from "../redis/profile-store.ts";
import { Filler } from "../server/filler.ts";
import { Membership } from "../server/membership.ts";
import { decodeProfile } from "../wire/profile.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Plan } from "./settings.ts";

const LOOK_EVERY_MS = 100;
const SCAN_COUNT = 1_000;

export interface Fill {
  /** Resolves when every partition was taken in to its end once. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

export function redisConnection({ url, caFile }: Plan["redis"]): RedisConnection {
  return { urls: url.split(","), ...(caFile === undefined ? {} : { tls: { ca: readFileSync(caFile) } }) };
}

/** Fills a generation's rows, and keeps them up to date until it is closed, while no server does it yet. */
export async function fillRedis(options: {
  connection: KafkaConnection;
  link: RedisLink;
  project: string;
  generation: number;
  topics: ProjectTopics;
  partitions: ReadonlyMap<string, number>;
}): Promise<Fill> {
  const { connection, link, project, generation, topics } = options;
  const shards = options.partitions.get(topics.profiles)!;
  const store = new ProfileStore(link, { project, generation, shards });
  // Alone under this name, so that every partition falls to us.
  const membership = new Membership(link, { project: `${project}.g${generation}.backfill`, server: "backfill" });
  const filler = new Filler({
    connection,
    membership,
    target: {
      topic: topics.profiles,
      partitions: shards,
      mark: (partition) => store.mark(partition),
      moveMark: (partition, move) => store.moveMark(partition, move),
      write: async (records) => {
        const writes = records.flatMap(({ key, value }) => {
          if (key === null || value === null) return [];
          const profile = decodeProfile(value);
          return [store.put({ ...changeOf(key.toString(), profile), changes: [] }, profile)];
        });
        await Promise.all(writes);
      },
    },
  });
  return {
    async whole() {
      while (filler.shares < shards || !filler.isWhole) await setTimeout(LOOK_EVERY_MS);
    },
    async close() {
      await filler.close();
      await membership.close();
    },
  };
}

/** Removes a generation's rows. On a Redis Cluster only those of one node: the others stay until deleted by hand. */
export async function forgetGeneration(link: RedisLink, project: string, generation: number): Promise<void> {
  let cursor = "0";
  do {
    const scan = ["SCAN", cursor, "MATCH", `attune:{${project}.*}:g${generation}:*`, "COUNT", String(SCAN_COUNT)];
    const [next, keys] = (await link.write("attune", scan)) as [Reply, readonly Buffer[]];
    if (keys.length > 0) await link.write("attune", ["UNLINK", ...keys]);
    cursor = String(next);
  } while (cursor !== "0");
}
