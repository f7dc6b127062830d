// Of whom a refused event is, as far as it can be read, and what is said of a person: what comes late of somebody who was
// erased, or of one who allows no events, is kept nowhere.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import type { PersonRef } from "../../core/record.ts";
import { isObject } from "../http/body.ts";

/** In a text, a field that is asked for here, with its value; linear in the text. */
const FIELD =
  /\b(user_id|userId|anonymous_id|anonymousId|timestamp|originalTimestamp|fired_at)"?\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}"]+)/g;

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
  const readMs = typeof time === "number" ? time : Date.parse(String(time));
  // An event without a time is of now; one whose time cannot be read may be of before.
  const isUnread = Number.isNaN(readMs) && (time !== undefined || typeof body === "string");
  const atMs = isUnread ? -Infinity : readMs;
  if (user !== undefined && covers(userKeyOf(user), atMs)) return true;
  return anonymous !== undefined && covers(anonymousKeyOf(anonymous), atMs);
}

function saidIn(body: unknown): Record<string, unknown> {
  if (typeof body === "string") return saidInText(body);
  if (!isObject(body)) return {};
  return isObject(body["payload"]) ? body["payload"] : body;
}

/** Of a text that may be JSON which could not be read: a line of a file, or an event that was encoded twice. */
function saidInText(text: string): Record<string, unknown> {
  const said: Record<string, unknown> = {};
  // Each field once: what is no JSON costs an exception.
  for (const [, name, value] of text.matchAll(FIELD)) {
    if (name! in said) continue;
    try {
      said[name!] = JSON.parse(value!);
    } catch {
      said[name!] = value; // Without quotes, or with what JSON does not put between them.
    }
  }
  return said;
}

/** A number too: that it is none may be why the event was refused. */
function idOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
