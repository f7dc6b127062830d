// Everything about who may do what on one of the cluster's servers, over connections of its own: a login waits behind no
// events.
import type { KeyRing } from "../../server/access/key-ring.ts";
import type { CounterOf } from "../../server/access/limits.ts";
import type { Sessions } from "../../server/access/sessions.ts";
import type { AuditLog } from "../../server/audit/audit-log.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { RedisLink, type RedisConnection } from "../redis/link.ts";
import { sharedCounts } from "./shared-counts.ts";
import { openSharedAudit } from "./shared-audit.ts";
import { openSharedAccess, type SharedAccessOptions } from "./shared-access.ts";

export interface ClusterAccessOptions extends Omit<SharedAccessOptions, "connection" | "sender"> {
  readonly kafka: KafkaConnection;
  readonly redis: RedisConnection;
}

export interface ClusterAccess {
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  readonly counterOf: CounterOf;
  openAudit(): Promise<AuditLog>;
  close(): Promise<void>;
}

/** @throws TopicError, ClusterKeyError; with Kafka away it rejects, with Redis away each server counts for itself. */
export async function openClusterAccess({ kafka, redis, ...options }: ClusterAccessOptions): Promise<ClusterAccess> {
  const sender = new KafkaSender(kafka);
  const link = await RedisLink.open(redis);
  try {
    const { ring, sessions, close } = await openSharedAccess({ ...options, connection: kafka, sender });
    return {
      keys: ring,
      sessions,
      counterOf: sharedCounts(link, () => performance.now()),
      openAudit: () => openSharedAudit({ ...options, connection: kafka, sender, link }),
      async close() {
        await close();
        await sender.close();
        link.close();
      },
    };
  } catch (error) {
    await sender.close();
    link.close();
    throw error;
  }
}
