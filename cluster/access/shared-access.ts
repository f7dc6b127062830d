// Keys and console sessions that all servers of a cluster share. They lie in the `access` topic, keys as hashes; each
// server has read all of it before it answers, and hears of a change as soon as Kafka has it.
import type { KeyRing } from "../../server/access/key-ring.ts";
import { makeKey, makeSecret, type IssuedKey, type KeyRequest } from "../../server/access/key-table.ts";
import type { Sessions } from "../../server/access/sessions.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { checkTopics } from "../kafka/topics.ts";
import { sharedTopics } from "../wire/topics.ts";
import { AccessState, decodeAccess, encodeAccess, type AccessRecord } from "./access-state.ts";
import { clusterKey, ClusterKeyError } from "./cluster-key.ts";
import { sealedSessions } from "./sealed-sessions.ts";
import { SharedLog } from "./shared-log.ts";

export interface SharedAccessOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  /** The cluster's key, in base64. */
  readonly key: string;
  /** Goes on where a project's secret was closed with another key: to make new ones. */
  readonly isNewKey?: boolean;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

export interface SharedAccess {
  readonly ring: KeyRing;
  readonly sessions: Sessions;
  close(): Promise<void>;
}

/**
 * Resolves when every key that there is is known.
 * @throws TopicError; ClusterKeyError where it is no key or the cluster has another one.
 */
export async function openSharedAccess(options: SharedAccessOptions): Promise<SharedAccess> {
  const { connection, sender, key, now, onCorrupt } = options;
  const secretKey = clusterKey(key, "user tokens");
  const topics = sharedTopics();
  await checkTopics(connection, [{ name: topics.access, settings: topics.settings }]);
  const state = new AccessState({ now, open: (sealed) => secretKey.open(sealed) });
  const log = new SharedLog({
    connection,
    sender,
    topic: topics.access,
    onRecord: (value) => {
      try {
        state.apply(decodeAccess(value));
      } catch (error) {
        onCorrupt(error as Error);
      }
    },
  });
  await log.start("earliest");
  if (state.closed.size > 0 && options.isNewKey !== true) {
    await log.close();
    const projects = [...state.closed].join(", ");
    throw new ClusterKeyError(
      `the secrets of ${projects} were closed with another key than these settings name (--cluster-key-file); ` +
        "if the key was replaced: attune cluster keys secret --project NAME",
    );
  }
  const say = (record: AccessRecord): Promise<void> => log.append(encodeAccess(record));
  const ring = ringOf(state, { say, now, seal: (text) => secretKey.seal(text) });
  const sessions = sealedSessions({
    ring,
    key: clusterKey(key, "sessions"),
    isEnded: (id) => state.isEnded(id),
    end: (id, untilMs) => say({ kind: "session_ended", id, untilMs }),
    now,
  });
  return { ring, sessions, close: () => log.close() };
}

interface RingOptions {
  readonly say: (record: AccessRecord) => Promise<void>;
  readonly seal: (text: string) => string;
  readonly now: () => number;
}

function ringOf(state: AccessState, { say, seal, now }: RingOptions): KeyRing {
  async function issue(request: KeyRequest): Promise<IssuedKey> {
    const issued = makeKey(request, state.table.list().length, now());
    await say({ kind: "key", key: issued.stored });
    return issued;
  }
  return {
    get isEmpty() {
      return state.table.isEmpty;
    },
    isInForce: (id) => state.table.isInForce(id),
    find: (key) => state.table.find(key),
    list: (project) => state.table.list(project),
    secrets: (project) => state.table.secrets(project),
    issue,
    async rotate(id, overlapMs) {
      const old = state.table.get(id);
      if (old === undefined) return undefined;
      const issued = await issue(old);
      await say({ kind: "key_ends", id, atMs: now() + overlapMs });
      return issued;
    },
    async revoke(id) {
      if (!state.table.isInForce(id)) return false;
      await say({ kind: "key_revoked", id, atMs: now() });
      return true;
    },
    async rotateSecret(project, overlapMs) {
      const made = makeSecret(project, now());
      const { id, secret, createdAtMs } = made;
      const sealed = seal(secret);
      await say({ kind: "secret", id, project, sealed, createdAtMs, earlierEndAtMs: now() + overlapMs });
      return made;
    },
  };
}
