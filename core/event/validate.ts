// Raw JSON in, a valid event or the reason against it out: the contract's event table to the letter. Hand-written,
// because this runs before everything else for every event; it never throws and never changes its input.
import { cleanUrl, cleanUrlsIn } from "./clean-url.ts";
import { checkData, DATA_KEYS_MAX } from "./data.ts";
import { CONTEXT_KEYS, type AttuneEvent, type EventContext } from "./event.ts";
import { rejection, type Rejection } from "./rejection.ts";
import { isShortText } from "./text.ts";
import { parseTimestamp } from "./time.ts";

export const EVENT_ID_LENGTH_MAX = 64;
export const ID_LENGTH_MAX = 128;
export const URL_LENGTH_MAX = 2048;
export const CONTEXT_LENGTH_MAX = 256;
/** An event may be this far ahead of the server's clock. */
const FUTURE_MS_MAX = 5 * 60_000;
/** An event may be this old, unless it is imported. */
const AGE_MS_MAX = 30 * 86_400_000;
/**
 * A difference between the sender's and the server's clock below this is the way through the network, not a wrong
 * clock: it moves nothing. Beyond it the way is counted as clock too, which puts events at most that much too late.
 */
export const CLOCK_TOLERANCE_MS = 1000;

export interface ValidateOptions {
  /** Processing time. */
  readonly receivedAtMs: number;
  /** The batch's `sent_at` (`parseTimestamp` of it); one in the event itself comes first. */
  readonly sentAtMs?: number;
  /** Types that the program accepts, built-in ones included. */
  readonly eventTypes: ReadonlySet<string>;
  /** For imports: any age, but none ahead of `receivedAtMs`, and no correction by `sent_at`, since nobody is there to compare clocks with. */
  readonly anyAge?: boolean;
  /** Gives an id where the event has none. */
  readonly newEventId: () => string;
}

export type Validated = { readonly event: AttuneEvent } | { readonly rejected: Rejection };

/** Validates and normalises one event. null counts as a field that is not there. */
export function normaliseEvent(raw: unknown, options: ValidateOptions): Validated {
  if (!isObject(raw)) return { rejected: rejection("not_an_object", "") };
  const fault = faultOf(raw, options);
  if (fault !== null) return withId(fault, raw["event_id"]);
  const context = readContext(raw["context"]);
  if (context !== undefined && "code" in context) return withId(context, raw["event_id"]);
  const timestamp = correctedTime(raw, options);
  if (typeof timestamp !== "number") return withId(timestamp, raw["event_id"]);

  const event: AttuneEvent = {
    event_id: (raw["event_id"] as string | null | undefined) ?? options.newEventId(),
    event_type: raw["event_type"] as string,
    timestamp,
  };
  if (isSet(raw["user_id"])) event.user_id = raw["user_id"] as string;
  if (isSet(raw["anonymous_id"])) event.anonymous_id = raw["anonymous_id"] as string;
  if (isSet(raw["session_id"])) event.session_id = raw["session_id"] as string;
  if (isSet(raw["page_url"])) event.page_url = cleanUrl(raw["page_url"] as string);
  if (isSet(raw["item_id"])) event.item_id = raw["item_id"] as string;
  if (isSet(raw["value"])) event.value = (raw["value"] as number) + 0; // + 0: -0 is 0.
  if (context !== undefined) event.context = context;
  return withData(event, raw);
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

/** A field that is null counts as left out. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function withId(rejected: Rejection, id: unknown): Validated {
  if (isShortText(id, EVENT_ID_LENGTH_MAX)) rejected.event_id = id;
  return { rejected };
}

// The first thing that is wrong with the fields but context, times and additional data; in the order of the contract's table.
function faultOf(raw: Record<string, unknown>, options: ValidateOptions): Rejection | null {
  const eventType = raw["event_type"];
  if (isSet(raw["event_id"]) && !isShortText(raw["event_id"], EVENT_ID_LENGTH_MAX)) {
    return rejection("event_id_invalid", "/event_id");
  }
  if (!isSet(raw["user_id"]) && !isSet(raw["anonymous_id"])) return rejection("identity_missing", "");
  if (badId(raw["user_id"])) return rejection("user_id_invalid", "/user_id");
  if (badId(raw["anonymous_id"])) return rejection("anonymous_id_invalid", "/anonymous_id");
  if (badId(raw["session_id"])) return rejection("session_id_invalid", "/session_id");
  if (typeof eventType !== "string" || !options.eventTypes.has(eventType)) return typeFault(eventType);
  if (isSet(raw["page_url"]) && !isUrl(raw["page_url"])) return rejection("page_url_invalid", "/page_url");
  if (badId(raw["item_id"])) return rejection("item_id_invalid", "/item_id");
  return valueFault(eventType, raw["value"]);
}

function badId(value: unknown): boolean {
  return value !== undefined && value !== null && !isShortText(value, ID_LENGTH_MAX);
}

function typeFault(eventType: unknown): Rejection {
  if (!isSet(eventType)) return rejection("event_type_missing", "/event_type");
  const isName = typeof eventType === "string" && /^[a-z][a-z0-9_]{0,63}$/.test(eventType);
  return rejection(isName ? "event_type_unknown" : "event_type_invalid", "/event_type");
}

// A scheme, or a path of the site; no white space, no control characters. The URL standard's parser is not in every host.
function isUrl(value: unknown): boolean {
  return isShortText(value, URL_LENGTH_MAX) && /^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"])[^\s<>"]*$/.test(value);
}

function valueFault(eventType: string, value: unknown): Rejection | null {
  if (!isSet(value)) return null;
  if (typeof value !== "number" || value - value !== 0) return rejection("value_invalid", "/value");
  if (eventType === "dwell" && value < 0) return rejection("value_out_of_range", "/value");
  if (eventType === "scroll" && (value < 0 || value > 1)) return rejection("value_out_of_range", "/value");
  return null;
}

/** Of an event or a request. Keys that the contract does not name are dropped, and "" says as much as nothing. */
export function readContext(context: unknown): EventContext | Rejection | undefined {
  if (!isSet(context)) return undefined;
  if (!isObject(context)) return rejection("context_invalid", "/context");
  const known: EventContext = {};
  for (const key of CONTEXT_KEYS) {
    const value = context[key];
    if (value === undefined || value === null || value === "") continue;
    if (!isShortText(value, key === "referrer" ? URL_LENGTH_MAX : CONTEXT_LENGTH_MAX)) {
      return rejection("context_invalid", `/context/${key}`);
    }
    known[key] = key === "referrer" ? cleanUrl(value) : value;
  }
  return known;
}

// Event time, moved by the difference of the clocks; or what is wrong with it.
function correctedTime(raw: Record<string, unknown>, options: ValidateOptions): number | Rejection {
  if (!isSet(raw["timestamp"])) return rejection("timestamp_missing", "/timestamp");
  let timeMs = parseTimestamp(raw["timestamp"]);
  if (timeMs !== timeMs) return rejection("timestamp_invalid", "/timestamp");
  let sentAtMs = options.sentAtMs;
  if (isSet(raw["sent_at"])) {
    sentAtMs = parseTimestamp(raw["sent_at"]);
    if (sentAtMs !== sentAtMs) return rejection("sent_at_invalid", "/sent_at");
  }
  const isImport = options.anyAge === true;
  if (isImport && timeMs < 0) return rejection("timestamp_invalid", "/timestamp");
  if (sentAtMs !== undefined && !isImport) {
    const difference = options.receivedAtMs - sentAtMs;
    if (difference >= CLOCK_TOLERANCE_MS || difference <= -CLOCK_TOLERANCE_MS) timeMs += difference;
  }
  if (timeMs > options.receivedAtMs + FUTURE_MS_MAX) return rejection("timestamp_in_future", "/timestamp");
  if (isImport) return timeMs;
  if (timeMs < options.receivedAtMs - AGE_MS_MAX || timeMs < 0) return rejection("timestamp_too_old", "/timestamp");
  return timeMs;
}

function isKnownField(name: string): boolean {
  switch (name) {
    case "event_id":
    case "user_id":
    case "anonymous_id":
    case "session_id":
    case "event_type":
    case "timestamp":
    case "sent_at":
    case "page_url":
    case "item_id":
    case "value":
    case "context":
    case "additional_data":
      return true;
    default:
      return false;
  }
}

// Additional data: what was sent as such, joined by the fields that the contract does not know.
function withData(event: AttuneEvent, raw: Record<string, unknown>): Validated {
  const given = raw["additional_data"];
  if (isSet(given) && !isObject(given)) {
    return withId(rejection("additional_data_invalid", "/additional_data"), event.event_id);
  }
  let data: Record<string, unknown> | undefined = isObject(given) ? given : undefined;
  let copied = false;
  for (const name in raw) {
    if (isKnownField(name) || raw[name] === undefined || !Object.hasOwn(raw, name)) continue;
    if (name === "__proto__") return withId(rejection("additional_data_invalid", "/__proto__"), event.event_id);
    if (!copied) data = { ...data };
    copied = true;
    // What was sent under additional_data itself comes first.
    if (!Object.hasOwn(data!, name)) data![name] = raw[name];
    if (Object.keys(data!).length > DATA_KEYS_MAX) {
      return withId(rejection("additional_data_too_many_keys", "/additional_data"), event.event_id);
    }
  }
  if (data === undefined) return { event };
  const dataFault = checkData(data);
  if (dataFault !== null) return withId(dataFault, event.event_id);
  if (event.item_id === undefined && isSet(data["item_id"])) {
    if (badId(data["item_id"])) {
      return withId(rejection("item_id_invalid", "/additional_data/item_id"), event.event_id);
    }
    event.item_id = data["item_id"] as string;
  }
  event.additional_data = cleanUrlsIn(data) as Record<string, unknown>;
  return { event };
}
