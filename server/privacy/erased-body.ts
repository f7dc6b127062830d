// Of whom a refused event is, as far as it can be read, and what is said of a person: what comes late of somebody who was
// erased, or of one who allows no events, is kept nowhere.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import type { PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";

/** Of whom something is said: the user, or the device where none is named. */
export function saidOf({ user_id: user, anonymous_id: anonymous }: PersonRef): string {
  return user !== undefined ? userKeyOf(user) : anonymousKeyOf(anonymous!);
}

/**
 * Whom a refused event names, as far as it can be read; undefined where it names nobody. Of an event, of a message of the
 * Segment protocol, and of a webhook's delivery that failed.
 */
export function refOfBody(body: unknown): PersonRef | undefined {
  const said = saidIn(body);
  const user = idOf(said["user_id"] ?? said["userId"]);
  const anonymous = idOf(said["anonymous_id"] ?? said["anonymousId"]);
  if (user === undefined && anonymous === undefined) return undefined;
  return { ...(user !== undefined && { user_id: user }), ...(anonymous !== undefined && { anonymous_id: anonymous }) };
}

/** @param covers - whether what the person of this key did at that moment was erased. */
export function isErasedBody(body: unknown, covers: (personKey: string, atMs: number) => boolean): boolean {
  const { user_id: user, anonymous_id: anonymous } = refOfBody(body) ?? {};
  const said = saidIn(body);
  const time = said["timestamp"] ?? said["originalTimestamp"] ?? said["fired_at"];
  const atMs = typeof time === "number" ? time : Date.parse(String(time));
  if (user !== undefined && covers(userKeyOf(user), atMs)) return true;
  return anonymous !== undefined && covers(anonymousKeyOf(anonymous), atMs);
}

function saidIn(body: unknown): Record<string, unknown> {
  if (!isObject(body)) return {};
  return isObject(body["payload"]) ? body["payload"] : body;
}

/** A number too: that it is none may be why the event was refused. */
function idOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
