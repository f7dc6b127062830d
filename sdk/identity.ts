// Who the visitor is to this site: an anonymous id, a user id once he is known, a session. All in the shared store, so
// that tabs agree; read anew each time, because another tab may have changed it.
import { SESSION_GAP_MS } from "../core/event/session-gap.ts";
import type { KeyValueStore } from "./host.ts";

export interface Identity {
  /** 128 random bits in hex, made on first use. */
  anonymousId(): string;
  userId(): string | undefined;
  setUser(userId: string): void;
  /** The running session, kept alive by this call; a new one after 30 minutes without. */
  session(nowMs: number): string;
  /** The running session as it is, without keeping it alive. */
  sessionNow(nowMs: number): string | undefined;
  /** Forgets everything: another visitor. */
  reset(): void;
}

export function openIdentity(store: KeyValueStore, prefix: string, randomId: () => string): Identity {
  const anonymousKey = `${prefix}anonymous`;
  const userKey = `${prefix}user`;
  const sessionKey = `${prefix}session`;

  function sessionNow(nowMs: number): string | undefined {
    const [id, lastMs] = (store.get(sessionKey) ?? "").split(" ");
    // A clock set back makes the last activity lie ahead: still the same session, as long as it is near.
    return id && Math.abs(nowMs - Number(lastMs)) < SESSION_GAP_MS ? id : undefined;
  }

  return {
    anonymousId() {
      const held = store.get(anonymousKey);
      if (held) return held;
      const id = randomId();
      store.set(anonymousKey, id);
      return id;
    },
    userId: () => store.get(userKey) ?? undefined,
    setUser: (userId) => void store.set(userKey, userId),
    session(nowMs) {
      const id = sessionNow(nowMs) ?? randomId();
      store.set(sessionKey, `${id} ${nowMs}`);
      return id;
    },
    sessionNow,
    reset() {
      for (const key of [anonymousKey, userKey, sessionKey]) store.remove(key);
    },
  };
}
