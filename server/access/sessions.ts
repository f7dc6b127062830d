// Console sessions: who has logged in with a key or with an identity provider. They live in memory, so a restart
// ends them all.
import { hash, randomBytes } from "node:crypto";
import type { KeyRing } from "./key-ring.ts";
import type { Role } from "./roles.ts";

export interface Session {
  readonly role: Role;
  /** The only project that it opens; undefined: every one. */
  readonly project: string | undefined;
  /** The key that opened it, if one did: revoking the key ends the session. */
  readonly keyId: string | undefined;
  /** As the audit trail names whom an identity provider let in. */
  readonly subject?: string | undefined;
  readonly expiresAtMs: number;
}

export interface Sessions {
  /** A new session; the value of its cookie. */
  open(session: Omit<Session, "expiresAtMs">): string;
  /** Undefined where there is none, it has ended, or its key is no longer in force. */
  find(cookie: string): Session | undefined;
  isOpen(session: Session): boolean;
  /** Everywhere, when it resolves. */
  end(cookie: string): void | Promise<void>;
}

export const SESSION_LIFE_S = 8 * 3_600;
const SESSIONS_MAX = 10_000;

/** Its time is not over, and the key that opened it, if one did, is in force. */
export function isInForce({ expiresAtMs, keyId }: Session, ring: KeyRing, nowMs: number): boolean {
  return nowMs < expiresAtMs && (keyId === undefined || ring.isInForce(keyId));
}

export function createSessions(ring: KeyRing, now: () => number): Sessions {
  // By hash, oldest first: what is read out of memory or a dump opens nothing.
  const byHash = new Map<string, Session>();
  const open = new WeakSet<Session>();

  function drop(key: string): void {
    const session = byHash.get(key);
    if (session !== undefined) open.delete(session);
    byHash.delete(key);
  }
  function isOpen(session: Session): boolean {
    return open.has(session) && isInForce(session, ring, now());
  }

  return {
    open(facts) {
      if (byHash.size >= SESSIONS_MAX) drop(byHash.keys().next().value!);
      const cookie = randomBytes(32).toString("base64url");
      const session = { ...facts, expiresAtMs: now() + SESSION_LIFE_S * 1_000 };
      byHash.set(hash("sha256", cookie), session);
      open.add(session);
      return cookie;
    },
    find(cookie) {
      const key = hash("sha256", cookie);
      const session = byHash.get(key);
      if (session === undefined || isOpen(session)) return session;
      drop(key);
      return undefined;
    },
    isOpen,
    end: (cookie) => drop(hash("sha256", cookie)),
  };
}
