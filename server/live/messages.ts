// What goes over a live connection, in both directions, as the contract names it.
import { refusal } from "../access/gate.ts";
import { TOKEN_CHARS_MAX } from "../access/user-token.ts";
import { mayRead, type Reader } from "../access/reader.ts";
import type { IntakeAnswer } from "../intake/intake.ts";
import { isObject } from "../http/body.ts";
import {
  excluded,
  flag,
  fromJson,
  fromQuery,
  ID_CHARS_MAX,
  listLimit,
  optionalText,
  personRef,
  requiredText,
  texts,
  type Source,
} from "../http/parameters.ts";
import { Problem, type ProblemCode } from "../http/problem.ts";
import type { Query } from "../http/route.ts";
import type { RecommendRequest } from "../ports.ts";
import type { PersonRef } from "../../core/record.ts";

const PLACEMENTS_MAX = 8;
const MESSAGE_ID_CHARS_MAX = 64;
const KEY_CHARS_MAX = 128;

/** Whom a connection watches, and which lists it wants to be kept fresh. */
export interface Subscription {
  readonly ref: PersonRef;
  readonly requests: readonly RecommendRequest[];
  /** Asked before each push: keys are revoked and ids are linked while a connection is open. */
  readonly mayRead: () => boolean;
}

/** The newest event behind a change: what a page needs to measure how fresh an answer is. */
export interface Cause {
  event_id: string;
  received_at: string;
}

type Stamped = { at: string };
type OfPerson = Stamped & { caused_by?: Cause };

export type LiveMessage =
  | (Stamped & { type: "hello"; project: string; heartbeat_s: number })
  | (Stamped & { type: "ack"; id?: string; subscribed: PersonRef & { placements: string[] } })
  | (Stamped & { type: "ack"; id?: string; unsubscribed: true })
  | (Stamped & { type: "ack"; id?: string } & IntakeAnswer)
  | (OfPerson & { type: "profile"; [field: string]: unknown })
  | (OfPerson & { type: "segments"; segments: readonly string[]; entered: readonly string[]; left: readonly string[] })
  | (OfPerson & { type: "trigger"; name: string; item_id?: string; fired_at: string })
  | (OfPerson & { type: "recommendations"; placement: string; [field: string]: unknown })
  | (Stamped & { type: "error"; id?: string; code: ProblemCode; detail: string });

export type ClientMessage =
  | { kind: "subscribe"; id: string | undefined; subscription: Subscription }
  | { kind: "unsubscribe"; id: string | undefined }
  /** The events as they came; intake checks them. */
  | { kind: "events"; id: string | undefined; body: Record<string, unknown> };

/** @throws Problem. `value` is parsed JSON. */
export async function readClientMessage(value: unknown, reader: Reader): Promise<ClientMessage> {
  if (!isObject(value)) throw new Problem("bad_json", "A message must be a JSON object.");
  const id = messageId(value);
  if (value["type"] === "events" || (value["type"] === undefined && Array.isArray(value["events"]))) {
    return { kind: "events", id, body: { events: value["events"], sent_at: value["sent_at"] } };
  }
  if (value["unsubscribe"] === true) return { kind: "unsubscribe", id };
  if (isObject(value["subscribe"])) {
    return { kind: "subscribe", id, subscription: await readSubscription(fromJson(value["subscribe"]), reader) };
  }
  throw new Problem(
    "bad_request",
    'Send {"subscribe": {…}}, {"unsubscribe": true} or {"type": "events", "events": […]}.',
  );
}

/** The first message of a connection that showed no key: `{"auth": {"key": …, "user_token": …}}`. @throws Problem. */
export function readAuth(value: unknown): { key: string; userToken: string | undefined } {
  const auth = isObject(value) && isObject(value["auth"]) ? fromJson(value["auth"]) : undefined;
  if (auth === undefined) throw refusal("key_missing");
  return {
    key: requiredText(auth, "key", KEY_CHARS_MAX),
    userToken: optionalText(auth, "user_token", TOKEN_CHARS_MAX),
  };
}

/** The id that a message carries and that its ack or error repeats. */
export function messageId(value: Record<string, unknown>): string | undefined {
  const id = Object.hasOwn(value, "id") ? value["id"] : undefined;
  return typeof id === "string" && id.length <= MESSAGE_ID_CHARS_MAX ? id : undefined;
}

export function subscriptionOfQuery(query: Query, reader: Reader): Promise<Subscription> {
  return readSubscription(fromQuery(query), reader);
}

/** Rejects with a Problem (bad_parameter, forbidden). */
export async function readSubscription(source: Source, reader: Reader): Promise<Subscription> {
  const ref = await personRef(source, reader);
  const placements = [...new Set(texts(source, "placements", { countMax: PLACEMENTS_MAX, charsMax: ID_CHARS_MAX }))];
  const itemId = optionalText(source, "item_id", ID_CHARS_MAX);
  const exclude = excluded(source);
  const limit = listLimit(source);
  const shared = {
    ref,
    explain: flag(source, "explain"),
    ...(limit !== undefined && { limit }),
    ...(itemId !== undefined && { itemId }),
    ...(exclude.length > 0 && { exclude }),
  };
  return {
    ref,
    requests: placements.map((placement) => ({ ...shared, placement })),
    mayRead: () => reader.principal.holds() && mayRead(ref, reader),
  };
}
