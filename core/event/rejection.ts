// Why an event is refused: the closed list of codes, and for each the words that say what to do. Refused events are
// data, not errors: they go to the dead letters with this reason.

const TEXTS = {
  not_an_object: "send the event as a JSON object",
  event_id_invalid: "send 1-64 characters without control characters or lone surrogates, or leave it out to get one",
  identity_missing: "send user_id or anonymous_id, so that the event belongs to somebody",
  user_id_invalid: "send a string of 1-128 characters without control characters or lone surrogates",
  anonymous_id_invalid: "send a string of 1-128 characters without control characters or lone surrogates",
  session_id_invalid:
    "send a string of 1-128 characters without control characters or lone surrogates, or leave it out",
  event_type_missing: 'say what happened in event_type, e.g. "view"',
  event_type_invalid: "event_type is a lower-case letter, then up to 63 of a-z, 0-9 and _",
  event_type_unknown: 'use a built-in event_type, or declare this one under "events" in the program',
  timestamp_missing: "send when it happened: ISO 8601 with a zone, or Unix milliseconds",
  timestamp_invalid: "send ISO 8601 with a zone (2026-01-31T12:00:00Z) or Unix milliseconds as a number",
  timestamp_in_future:
    "the event is more than 5 minutes ahead of the server: correct the clock, or send sent_at; Unix time is in milliseconds",
  timestamp_too_old:
    "the event is older than 30 days: bring history in with `attune import`; Unix time is in milliseconds",
  sent_at_invalid: "sent_at is the sender's clock, in the form of timestamp",
  page_url_invalid: "send an absolute URL or a path that starts with /, without spaces, of at most 2,048 characters",
  item_id_invalid: "send a string of 1-128 characters without control characters or lone surrogates, or leave it out",
  value_invalid: "send a finite number",
  value_out_of_range: "dwell takes seconds from 0 on, scroll a depth from 0 to 1",
  context_invalid: "context is an object whose known fields are strings of at most 256 characters (referrer: 2,048)",
  additional_data_invalid: "additional_data is an object of JSON values, without a key named __proto__",
  additional_data_too_many_keys: "at most 64 keys, fields that attune does not know included",
  additional_data_too_deep: "at most 5 objects or arrays in each other, additional_data itself included",
  additional_data_too_large: "at most 16 KiB as JSON, fields that attune does not know included",
} as const;

export type RejectionCode = keyof typeof TEXTS;

/** All codes, for documents and tests. */
export const REJECTION_CODES = Object.keys(TEXTS) as readonly RejectionCode[];

export interface Rejection {
  code: RejectionCode;
  /** JSON pointer into the event; "" is the event itself. */
  path: string;
  message: string;
  /** Where the event had a usable one. */
  event_id?: string;
}

export function rejection(code: RejectionCode, path: string): Rejection {
  return { code, path, message: TEXTS[code] };
}
