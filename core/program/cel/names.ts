// What an expression may name, by the place where it stands.
import { BOOL, type CelType, DOUBLE, MAP, STRING, STRINGS } from "./value.ts";

/** A place in a program that holds expressions. */
export type Place = "segment" | "trigger" | "slot" | "item" | "where";

export interface NamesOfProgram {
  readonly place: Place;
  readonly eventTypes: ReadonlySet<string>;
  /** The program's own features, in the order of the plan. */
  readonly features: ReadonlyMap<string, FeatureName>;
  readonly segments: ReadonlySet<string>;
  /** True once the plan is made: an expression may only read windows that are in it. */
  readonly closed: boolean;
  /** Index of a window in the plan, which is added where it is new; undefined where the program's plan is closed. */
  windowIndex(measure: "count" | "sum", type: string, windowMs: number): number | undefined;
  sequenceIndex(first: string, second: string, windowMs: number): number | undefined;
}

export interface FeatureName {
  readonly index: number;
  readonly type: CelType;
  readonly eventTypes: readonly string[] | null;
  readonly kind: string;
  /** null where it counts from the beginning on. */
  readonly windowMs: number | null;
}

export const SESSION_FIELDS: Readonly<Record<string, CelType>> = {
  id: STRING,
  started_at: DOUBLE,
  duration_s: DOUBLE,
  events: DOUBLE,
  interactions: DOUBLE,
  page_views: DOUBLE,
  clicks: DOUBLE,
  click_interval_s: DOUBLE,
  rapid_clicks: DOUBLE,
  dwell_s: DOUBLE,
  scroll_depth: DOUBLE,
  bounce: BOOL,
  active: BOOL,
  is_new: BOOL,
};

export const CONTEXT_FIELDS: Readonly<Record<string, CelType>> = {
  device: STRING,
  os: STRING,
  browser: STRING,
  locale: STRING,
  timezone: STRING,
  country: STRING,
  region: STRING,
  referrer: STRING,
  weather: STRING,
  variant: STRING,
  hour: DOUBLE,
  weekday: DOUBLE,
};

export const EVENT_FIELDS: Readonly<Record<string, CelType>> = {
  event_type: STRING,
  item_id: STRING,
  value: DOUBLE,
  page_url: STRING,
  timestamp: DOUBLE,
  session_id: STRING,
  hour: DOUBLE,
  weekday: DOUBLE,
  additional_data: MAP,
  item: MAP,
  context: MAP,
};

/** What the log keeps of an event's item: `event.item`, and `item` where an event is asked of. */
export const EVENT_ITEM_FIELDS: Readonly<Record<string, CelType>> = {
  item_id: STRING,
  categories: STRINGS,
  tags: STRINGS,
  price: DOUBLE,
};

export const ITEM_FIELDS: Readonly<Record<string, CelType>> = {
  item_id: STRING,
  title: STRING,
  categories: STRINGS,
  tags: STRINGS,
  price: DOUBLE,
  available: BOOL,
  image_url: STRING,
  url: STRING,
  published_at: DOUBLE,
  age_s: DOUBLE,
  attributes: MAP,
};

/** Words with a meaning of their own; every other bare name reads the attribute of that name. */
export const ROOTS = ["attributes", "features", "session", "context", "event", "item"] as const;

export const FUNCTIONS = [
  "count",
  "sum",
  "since",
  "interest",
  "in_segment",
  "followed",
  "has",
  "size",
  "double",
  "string",
] as const;
export const METHODS = [
  "contains",
  "startsWith",
  "endsWith",
  "size",
  "lowerAscii",
  "upperAscii",
  "exists",
  "all",
  "exists_one",
  "filter",
  "map",
] as const;

/** Which roots a place may read. Where an event is asked of, `item` is the event's; in a `where`, so is `context`. */
export const ROOTS_OF: Readonly<Record<Place, ReadonlySet<string>>> = {
  segment: new Set(["attributes", "features", "session", "context"]),
  trigger: new Set(["attributes", "features", "session", "context", "event", "item"]),
  slot: new Set(["attributes", "features", "session", "context"]),
  item: new Set(["attributes", "features", "session", "context", "item"]),
  where: new Set(["event", "item", "context"]),
};

/** The nearest of the names that `name` may have meant; undefined where none is near. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(name.length / 3) + 1);
  for (const candidate of names) {
    const distance = editDistance(name, candidate, bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      next.push(same ? row[j - 1]! : 1 + Math.min(row[j - 1]!, row[j]!, next[j - 1]!));
    }
    row = next;
  }
  return row[b.length]!;
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearest(name, names);
  return near === undefined ? "" : `; did you mean \`${near}\`?`;
}
