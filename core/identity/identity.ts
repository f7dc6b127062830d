// Who an event belongs to. A person's key is his user id, or the anonymous id while that is all there is; an anonymous id
// that came with a user id is linked to it, and from then on events with it alone belong to the user.
import type { PersonRef } from "../record.ts";

/** An anonymous id that belongs to a user from now on. */
export interface IdentityLink {
  anonKey: string;
  userKey: string;
  /** Whether the anonymous profile becomes part of the user's. */
  merge: boolean;
}

export interface Resolution {
  /** The person that the event is folded into. */
  key: string;
  /** A link to be made first. */
  link?: IdentityLink;
}

export function userKeyOf(userId: string): string {
  return `u:${userId}`;
}

export function anonymousKeyOf(anonymousId: string): string {
  return `a:${anonymousId}`;
}

/** The key that `ref` names by itself, before links: the user's, else the anonymous visitor's. At least one is set. */
export function personKeyOf(ref: PersonRef): string {
  return ref.user_id !== undefined ? userKeyOf(ref.user_id) : anonymousKeyOf(ref.anonymous_id!);
}

/** The ref that a key stands for. */
export function refOfKey(key: string): PersonRef {
  return key.startsWith("u:") ? { user_id: key.slice(2) } : { anonymous_id: key.slice(2) };
}

/**
 * Resolves `ref` under the links so far (`linkOf` gives the user's key of an anonymous key).
 *
 * The user id wins. An anonymous id that no user had yet is linked to the one it comes with, and what the visitor did
 * before becomes his. One that another user had is a shared device: from now on it is the new user's, and what was done
 * on it before stays with the user before.
 */
export function resolve(ref: PersonRef, linkOf: (anonKey: string) => string | undefined): Resolution {
  const userKey = ref.user_id === undefined ? undefined : userKeyOf(ref.user_id);
  const anonKey = ref.anonymous_id === undefined ? undefined : anonymousKeyOf(ref.anonymous_id);
  return resolveKeys(userKey, anonKey, linkOf);
}

/** `resolve` for one whose keys are made already; at least one of the two is set. */
export function resolveKeys(
  userKey: string | undefined,
  anonKey: string | undefined,
  linkOf: (anonKey: string) => string | undefined,
): Resolution {
  if (anonKey === undefined) return { key: userKey! };
  const linked = linkOf(anonKey);
  if (userKey === undefined) return { key: linked ?? anonKey };
  if (linked === userKey) return { key: userKey };
  return { key: userKey, link: { anonKey, userKey, merge: linked === undefined } };
}
