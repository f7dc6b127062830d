// An event as the contract names it. One shape serves the wire, the log and the fold: snake_case names are the
// public ones, so nothing is mapped between them and an exported log can be imported again.

/** Types that every program accepts; a program may declare more (`events` in core/program). */
export const BUILT_IN_EVENT_TYPES = [
  "page_view",
  "view",
  "click",
  "scroll",
  "hover",
  "mouse_move",
  "dwell",
  "search",
  "add_to_cart",
  "remove_from_cart",
  "purchase",
  "like",
  "dislike",
  "dismiss",
  "impression",
  "rating",
] as const;

/** What the visitor's surroundings say; every value is a bounded string, unknown keys are dropped at intake. */
export interface EventContext {
  device?: string;
  os?: string;
  browser?: string;
  locale?: string;
  timezone?: string;
  country?: string;
  region?: string;
  referrer?: string;
  weather?: string;
  variant?: string;
  decision_id?: string;
}

/** Names of the fields of a context. */
export const CONTEXT_KEYS = [
  "device",
  "os",
  "browser",
  "locale",
  "timezone",
  "country",
  "region",
  "referrer",
  "weather",
  "variant",
  "decision_id",
] as const satisfies readonly (keyof EventContext)[];

/** A validated, normalised event. `timestamp` is event time in integer Unix ms, already moved by the clock difference. */
export interface AttuneEvent {
  event_id: string;
  user_id?: string;
  anonymous_id?: string;
  session_id?: string;
  event_type: string;
  timestamp: number;
  page_url?: string;
  item_id?: string;
  value?: number;
  context?: EventContext;
  additional_data?: Record<string, unknown>;
}

/** What the fold may know about the item acted on: copied from the catalogue at intake, so that the fold reads only the log. */
export interface ItemFacts {
  categories: readonly string[];
  tags: readonly string[];
  price?: number;
}

/**
 * Why an event is kept out of trends, models and profiles' numbers: a known bot, a pattern no human makes, or a browser that
 * asks not to be profiled (Global Privacy Control).
 */
export type TrafficMark = "bot" | "suspicious" | "no_consent";

/**
 * An event as the log keeps it: enriched once at intake, never again.
 * `received_at` is processing time in Unix ms, set by the host when it writes the record: never before that of an
 * earlier record, nor before the moment to which its person has been brought already.
 */
export interface LoggedEvent extends AttuneEvent {
  received_at: number;
  item?: ItemFacts;
  traffic?: TrafficMark;
  /** Equal for events that one address sent within a day: a hash under a salt that nobody keeps. */
  source?: string;
}
