// A refused event of somebody who was erased, as far as it can be read.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";

/** `covers`: whether what the person of this key did at that moment was erased. */
export function isErasedBody(body: unknown, covers: (personKey: string, atMs: number) => boolean): boolean {
  if (typeof body !== "object" || body === null) return false;
  const { user_id: user, anonymous_id: anonymous, timestamp } = body as Record<string, unknown>;
  const atMs = typeof timestamp === "number" ? timestamp : Date.parse(String(timestamp));
  if (typeof user === "string" && covers(userKeyOf(user), atMs)) return true;
  return typeof anonymous === "string" && covers(anonymousKeyOf(anonymous), atMs);
}
