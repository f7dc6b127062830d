// A generation's rows in Redis, filled and forgotten from the command line.
import { setTimeout } from "node:timers/promises";
import { ErasureBook } from "../erasure/book.ts";
import { readBook } from "../erasure/read-book.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { type RedisConnection, RedisLink, type Reply } from "../redis/link.ts";
import { redisTls } from "../redis/tls-files.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import { Filler } from "../server/filler.ts";
import { Membership } from "../server/membership.ts";
import { profilesTarget } from "../server/profiles-target.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Plan } from "./settings.ts";

const LOOK_EVERY_MS = 100;
const SCAN_COUNT = 1_000;
/** No server: webhooks go out from the one whose name stands beside a row, so from nobody. */
const FILLER = "backfill";

export interface Fill {
  /** Resolves when every partition was taken in to its end once. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

export function redisConnection(redis: Plan["redis"]): RedisConnection {
  const tls = redisTls(redis);
  return { urls: redis.url.split(","), ...(tls === undefined ? {} : { tls }) };
}

/** Fills a generation's rows, and keeps them up to date until it is closed: as soon as a server does it. */
export async function fillRedis(options: {
  connection: KafkaConnection;
  link: RedisLink;
  project: string;
  generation: number;
  topics: ProjectTopics;
  partitions: ReadonlyMap<string, number>;
  report: (line: string) => void;
}): Promise<Fill> {
  const { connection, link, project, generation, topics } = options;
  const shards = options.partitions.get(topics.profiles)!;
  const store = new ProfileStore(link, { project, generation, shards });
  // Whoever is erased meanwhile gets his tombstone in the topic.
  const erasures = new ErasureBook();
  await readBook(erasures, connection, topics.erasures);
  // Alone under this name, so that every partition falls to us.
  const membership = new Membership(link, { project: `${project}.g${generation}.backfill`, server: FILLER, now: Date.now });
  const filler = new Filler({
    connection,
    link,
    membership,
    target: profilesTarget({
      topic: topics.profiles,
      store,
      erasures,
      server: FILLER,
      onTaken: () => {},
      onCorrupt: (error) => options.report(`a profile was left out: ${error.message}`),
    }),
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
  await unlink(link, `attune:{${project}.*}:g${generation}:*`);
}

/** Everything of a project, whatever its generation: what Redis knows of a log that is no more. */
export async function forgetProject(link: RedisLink, project: string): Promise<void> {
  await unlink(link, `attune:{${project}.*}:*`);
  await unlink(link, `attune:{${project}}:*`);
}

async function unlink(link: RedisLink, pattern: string): Promise<void> {
  let cursor = "0";
  do {
    const scan = ["SCAN", cursor, "MATCH", pattern, "COUNT", String(SCAN_COUNT)];
    const [next, keys] = (await link.write("attune", scan)) as [Reply, readonly Buffer[]];
    if (keys.length > 0) await link.write("attune", ["UNLINK", ...keys]);
    cursor = String(next);
  } while (cursor !== "0");
}
