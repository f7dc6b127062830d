// How long what is kept. Ages count from when something was stored or a person was last seen by the node's clock, so that an
// import of old files is not thrown away at once.
import type { PersonState } from "../../core/profile/person.ts";

const DAY_MS = 86_400_000;

/** By kind of data, in ms; Infinity: for ever. */
export interface RetentionPolicy {
  /** Events, attributes and consent as they were received: the log. */
  readonly events: number;
  /** What was shown to whom: lists, variants, experiments. */
  readonly decisions: number;
  /** What is known of a person, since he was last seen. */
  readonly profiles: number;
  /** The same of a visitor who never said who he is and was here in one session only. */
  readonly visitors: number;
  /** Refused events. */
  readonly dead_letters: number;
  /** Entries of the audit trail. */
  readonly audit: number;
  /** Keyed hashes of persons who were erased: as long as something of theirs could come back, from a phone or a backup. */
  readonly erasures: number;
}

export type RetentionKind = keyof RetentionPolicy;

export const DEFAULT_RETENTION: RetentionPolicy = {
  events: 90 * DAY_MS,
  decisions: 90 * DAY_MS,
  profiles: 395 * DAY_MS,
  visitors: 30 * DAY_MS,
  dead_letters: 14 * DAY_MS,
  audit: 730 * DAY_MS,
  erasures: 730 * DAY_MS,
};

export const RETENTION_KINDS = Object.keys(DEFAULT_RETENTION) as RetentionKind[];

/**
 * The least that each may be: events are known again for 8 days; the trail and the ledger must outlast what they tell of
 * (events come up to 30 days late).
 */
const LEAST_MS: RetentionPolicy = {
  events: 8 * DAY_MS,
  decisions: DAY_MS,
  profiles: DAY_MS,
  visitors: DAY_MS,
  dead_letters: 3_600_000,
  audit: 30 * DAY_MS,
  erasures: 31 * DAY_MS,
};

/** What is wrong with an age, or undefined. */
export function retentionFault(kind: RetentionKind, ageMs: number): string | undefined {
  const leastMs = LEAST_MS[kind];
  if (ageMs >= leastMs) return undefined;
  return `at least ${leastMs >= DAY_MS ? `${leastMs / DAY_MS}d` : "1h"}`;
}

/** `30d`, or `forever`. */
export function ageText(ageMs: number): string {
  if (ageMs === Infinity) return "forever";
  return ageMs % DAY_MS === 0 ? `${ageMs / DAY_MS}d` : `${ageMs / 3_600_000}h`;
}

/** The ages that go by when a person was last seen. */
export type PersonAges = Pick<RetentionPolicy, "profiles" | "visitors">;

export const FOR_EVER: PersonAges = { profiles: Infinity, visitors: Infinity };

/** Whether a person was not seen for so long that he is to be forgotten. */
export function isExpired(person: PersonState, ages: PersonAges, nowMs: number): boolean {
  return nowMs - seenMs(person) > ageOf(person, ages);
}

/** When a person was last seen, Unix ms. */
export function seenMs(person: PersonState): number {
  return Math.max(person.lastMs, person.updatedMs);
}

/** For how long a person is kept after he was last seen, in ms. */
export function ageOf(person: PersonState, ages: PersonAges): number {
  const neverReturned = person.userId === undefined && person.sessions.length + person.sessionsForgotten <= 1;
  return neverReturned ? Math.min(ages.visitors, ages.profiles) : ages.profiles;
}

/** What one run of retention did. */
export interface RetentionReport {
  /** ISO 8601. */
  readonly at: string;
  readonly profiles_expired: number;
  readonly visitors_expired: number;
  readonly dead_letters_expired: number;
  readonly erasures_dropped: number;
  /** Records taken out of segments that stay, and bytes of segments that went. */
  readonly log: { readonly records_erased: number; readonly bytes_dropped: number };
}
