// Console sessions without a store: the cookie is the session, closed with the cluster's key, so that any server opens it
// at once. What ends one before its time (a logout, its key revoked) all servers know from the `access` topic.
import { randomBytes } from "node:crypto";
import type { KeyRing } from "../../server/access/key-ring.ts";
import { isInForce, SESSION_LIFE_S, type Session, type Sessions } from "../../server/access/sessions.ts";
import type { ClusterKey } from "./cluster-key.ts";

export interface SealedSessionsOptions {
  readonly ring: KeyRing;
  readonly key: ClusterKey;
  /** Whether the session of that id was ended. */
  readonly isEnded: (id: string) => boolean;
  readonly end: (id: string, untilMs: number) => Promise<void>;
  readonly now: () => number;
}

/** The id is within what is closed: the same session can be written as more than one cookie. */
type SealedSession = Session & { readonly id: string };

/** A longer one is none of ours. */
const COOKIE_CHARS_MAX = 4_096;
const ID_BYTES = 16;

export function sealedSessions({ ring, key, isEnded, end, now }: SealedSessionsOptions): Sessions {
  function read(cookie: string): SealedSession | undefined {
    const text = cookie.length > COOKIE_CHARS_MAX ? undefined : key.open(cookie);
    return text === undefined ? undefined : (JSON.parse(text) as SealedSession);
  }
  function isOpen(session: Session): boolean {
    return !isEnded((session as SealedSession).id) && isInForce(session, ring, now());
  }

  return {
    open(facts) {
      const id = randomBytes(ID_BYTES).toString("base64url");
      const session: SealedSession = { ...facts, id, expiresAtMs: now() + SESSION_LIFE_S * 1_000 };
      return key.seal(JSON.stringify(session));
    },
    find(cookie) {
      const session = read(cookie);
      return session !== undefined && isOpen(session) ? session : undefined;
    },
    isOpen,
    async end(cookie) {
      const session = read(cookie);
      if (session !== undefined && isOpen(session)) await end(session.id, session.expiresAtMs);
    },
  };
}
