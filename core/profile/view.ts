// A person as `GET /v1/users/{id}/profile` answers him.
import { formatTimestamp } from "../event/time.ts";
import type { EventContext } from "../event/event.ts";
import type { Consent } from "../record.ts";
import { decodePerson, encodePerson } from "./codec.ts";
import { sharesOf, type Interests } from "./interests.ts";
import { localTime } from "./local-time.ts";
import type { FoldPlan } from "./plan.ts";
import { BUILT_IN_FEATURES, builtinValue, featureValue, knownAttributes, sessionView, type SessionView } from "./reading.ts";
import type { PersonState } from "./state.ts";

const DAY_MS = 86_400_000;

export interface ProfileView {
  /** null for an anonymous visitor. */
  user_id: string | null;
  anonymous_ids: string[];
  version: number;
  /** ISO 8601; null where no record made it. */
  updated_at: string | null;
  attributes: Record<string, unknown>;
  /** Shares of the positive interest in categories, 0-1, strongest first. */
  interests: Record<string, number>;
  /** The same by tag. */
  interest_tags: Record<string, number>;
  /** Newest first, at most 50. */
  recent: { item_id: string; event_type: string; timestamp: string; value?: number }[];
  /** Built-in ones and the program's; null where a value is not finite (`recency_s` of somebody who never did anything). */
  features: Record<string, number | string | null>;
  session: (Omit<SessionView, "started_at"> & { started_at: string }) | null;
  segments: string[];
  /** As last seen, and the hour (0-23) and weekday (0 = Sunday) where the visitor is, else in UTC. */
  context: EventContext & { hour: number; weekday: number };
  consent: Consent | null;
  /** Interactions by UTC day, the last 30 days that had any, oldest first. */
  activity: { date: string; interactions: number }[];
}

/**
 * The profile at `atMs`, or where the state is ahead of that at its `asOf`, for which its segments stand. Numbers are
 * rounded to six decimals. A state of another plan is left as it is and shown as it would be under `plan`.
 */
export function profileView(person: PersonState, plan: FoldPlan, atMs: number): ProfileView {
  const nowMs = Math.max(atMs, person.asOf);
  const state = person.layout.plan === plan ? person : decodePerson(encodePerson(person), plan);
  const session = sessionView(state, nowMs);
  return {
    user_id: state.userId ?? null,
    anonymous_ids: [...state.anonymousIds],
    version: state.version,
    updated_at: state.updatedMs < 0 ? null : formatTimestamp(state.updatedMs),
    attributes: knownAttributes(state),
    interests: shares(state.categories),
    interest_tags: shares(state.tags),
    recent: state.recent.map(({ item_id, event_type, timestamp, value }) => ({
      item_id,
      event_type,
      timestamp: formatTimestamp(timestamp),
      ...(value === undefined ? {} : { value }),
    })),
    features: features(state, nowMs),
    session: session.events === 0 ? null : { ...session, started_at: formatTimestamp(session.started_at) },
    segments: [...state.memberships.keys()].sort(),
    context: { ...state.context, ...localTime(state.context.timezone, nowMs) },
    consent: state.consent ?? null,
    activity: state.days.map((day, i) => ({
      date: formatTimestamp(day * DAY_MS).slice(0, 10),
      interactions: state.dayCounts[i]!,
    })),
  };
}

function shares(interests: Interests): Record<string, number> {
  return Object.fromEntries(sharesOf(interests).map(([name, share]) => [name, rounded(share)]));
}

function features(state: PersonState, nowMs: number): Record<string, number | string | null> {
  const out: [string, number | string | null][] = BUILT_IN_FEATURES.map((name) => [
    name,
    shown(builtinValue(state, name, nowMs)),
  ]);
  state.layout.plan.features.forEach(({ name }, index) => out.push([name, shown(featureValue(state, index, nowMs))]));
  return Object.fromEntries(out);
}

function shown(value: number | string): number | string | null {
  if (typeof value === "string") return value;
  return value - value === 0 ? rounded(value) : null;
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
