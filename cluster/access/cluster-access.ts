// Everything about who may do what on one of the cluster's servers, over connections of its own: a login waits behind no
// events.
import type { KeyRing } from "../../server/access/key-ring.ts";
import type { Sessions } from "../../server/access/sessions.ts";
import type { AuditLog } from "../../server/audit/audit-log.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { openSharedAccess, type SharedAccessOptions } from "./shared-access.ts";

export interface ClusterAccessOptions extends Omit<SharedAccessOptions, "connection" | "sender"> {
  readonly kafka: KafkaConnection;
}

export interface ClusterAccess {
  readonly keys: KeyRing;
  readonly sessions: Sessions;
  openAudit(): Promise<AuditLog | undefined>;
  close(): Promise<void>;
}

/** @throws TopicError, ClusterKeyError; with Kafka away it rejects. */
export async function openClusterAccess({ kafka, ...options }: ClusterAccessOptions): Promise<ClusterAccess> {
  const sender = new KafkaSender(kafka);
  try {
    const { ring, sessions, close } = await openSharedAccess({ ...options, connection: kafka, sender });
    return {
      keys: ring,
      sessions,
      openAudit: async () => undefined,
      async close() {
        await close();
        await sender.close();
      },
    };
  } catch (error) {
    await sender.close();
    throw error;
  }
}
