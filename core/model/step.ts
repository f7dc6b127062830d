// Steps: interactions that say where the visitor went, in the order in which he went. Models learn from them.
import type { LoggedEvent } from "../event/event.ts";
import { facetsOf } from "./facets.ts";
import type { Surroundings } from "./situation.ts";

/** One thing that a person did with an item, as the profile's `recent` keeps it (newest first). */
export interface RecentItem {
  readonly item_id: string;
  readonly event_type: string;
  /** Event time, Unix ms. */
  readonly timestamp: number;
  readonly value?: number | undefined;
}

/** One interaction that the models learn from. */
export interface Step extends Surroundings {
  readonly personKey: string;
  readonly sessionId?: string | undefined;
  readonly itemId: string;
  readonly eventType: string;
  /** What the interaction is worth (program `events`); popularity counts it, ≤ 0 teaches nothing. */
  readonly weight: number;
  /** Event time, Unix ms. */
  readonly timeMs: number;
  /** By what samples are bounded, Unix ms (`paceMsOf`); where nobody says it, event time. */
  readonly paceMs?: number | undefined;
  /** Rank before reveal, and learn the blend from it (`learningSample`). */
  readonly sampled: boolean;
  /** The person's recent items before this event, newest first. */
  readonly history: readonly RecentItem[];
  /** Interests before this event, as `RankQuery` has them; only a sampled step needs them. */
  readonly interests?: readonly (readonly [name: string, share: number])[] | undefined;
  /** Whose address sent the event, as intake marks it. */
  readonly source?: string | undefined;
  /** When the person was first seen, Unix ms; undefined where nobody keeps it. */
  readonly knownSinceMs?: number | undefined;
}

/** Types that accompany a visit but are none; a dwell that arrives after the next click would look like a way back. */
const PASSIVE_TYPES: ReadonlySet<string> = new Set(["impression", "hover", "mouse_move", "scroll", "dwell", "search"]);
/** Types that turn away from an item. */
export const NEGATIVE_TYPES: ReadonlySet<string> = new Set(["dislike", "dismiss", "remove_from_cart"]);

export interface StepContext {
  readonly personKey: string;
  /** Weight of the event's type in the program; 0 where it names none. */
  readonly weight: number;
  readonly sampled: boolean;
  /** The person's recent items before this event, newest first. */
  readonly history: readonly RecentItem[];
  /** Time of the person's first interaction before this event, Unix ms; negative where there was none. */
  readonly firstMs?: number;
  /** The person's strongest interests before this event; where it is sampled. */
  readonly interests?: readonly (readonly [name: string, share: number])[] | undefined;
  /** The person's attributes, and which of them make crowds. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  readonly demographics?: readonly string[] | undefined;
}

/** When models take an event to have been: a sender whose clock is ahead would count for more than all of now, and hold up the samples. */
function stepTimeMs({ timestamp, received_at }: Pick<LoggedEvent, "timestamp" | "received_at">): number {
  return Math.min(timestamp, received_at);
}

/** What comes later than this after it was done is history that somebody brings in. */
const LIVE_MS = 3_600_000;

/** The clock that bounds samples: when a step came, because events may all say the same time; of history, when it was. */
export function paceMsOf(timeMs: number, cameMs: number): number {
  return cameMs - timeMs > LIVE_MS ? timeMs : cameMs;
}

/** The step that an event is; undefined where models learn nothing from it. */
export function stepOf(event: LoggedEvent, context: StepContext): Step | undefined {
  const { item_id: itemId } = event;
  const { firstMs } = context;
  const { weight, attributes, demographics } = context;
  if (itemId === undefined || event.traffic !== undefined || !(weight > 0 || weight < 0)) return undefined;
  if (PASSIVE_TYPES.has(event.event_type) || (NEGATIVE_TYPES.has(event.event_type) && weight > 0)) return undefined;
  const facets = facetsOf({ context: event.context, attributes, demographics });
  return {
    personKey: context.personKey,
    sessionId: event.session_id,
    itemId,
    eventType: event.event_type,
    weight,
    timeMs: stepTimeMs(event),
    paceMs: paceMsOf(event.timestamp, event.received_at),
    sampled: context.sampled,
    history: context.history,
    country: event.context?.country,
    device: event.context?.device,
    source: event.source,
    knownSinceMs: firstMs === undefined ? undefined : firstMs < 0 ? stepTimeMs(event) : firstMs,
    weather: event.context?.weather,
    timezone: event.context?.timezone,
    interests: context.interests,
    facets,
  };
}
