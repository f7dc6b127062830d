// What comes late of somebody who was erased: a refused event, as far as it can be read, and what is said of a person.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import type { PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";

/** Of whom something is said: the user, or the device where none is named. */
export function saidOf({ user_id: user, anonymous_id: anonymous }: PersonRef): string {
  return user !== undefined ? userKeyOf(user) : anonymousKeyOf(anonymous!);
}

/**
 * Of an event, of a message of the Segment protocol, and of a webhook's delivery that failed.
 * @param covers - whether what the person of this key did at that moment was erased.
 */
export function isErasedBody(body: unknown, covers: (personKey: string, atMs: number) => boolean): boolean {
  if (!isObject(body)) return false;
  const said = isObject(body["payload"]) ? body["payload"] : body;
  const user = said["user_id"] ?? said["userId"];
  const anonymous = said["anonymous_id"] ?? said["anonymousId"];
  const time = said["timestamp"] ?? said["originalTimestamp"] ?? said["fired_at"];
  const atMs = typeof time === "number" ? time : Date.parse(String(time));
  if (typeof user === "string" && covers(userKeyOf(user), atMs)) return true;
  return typeof anonymous === "string" && covers(anonymousKeyOf(anonymous), atMs);
}
