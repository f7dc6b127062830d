// Seeded traffic of every kind, as servers write it to the log: visitors who are known by a cookie, log in, share
// devices, come late, are sent twice; servers that know of a link late.
import type { LoggedEvent } from "../../../core/event/event.ts";
import { anonymousKeyOf, userKeyOf } from "../../../core/identity/identity.ts";
import type { Rng } from "../../../core/math/rng.ts";
import { BUILT_IN_EVENT_TYPES } from "../../../core/event/event.ts";
import type { PersonRef } from "../../../core/record.ts";
import type { ClusterRecord, UnstampedEvent } from "../../wire/record.ts";

export interface VisitOptions {
  persons: number;
  /** Log time now, Unix ms. */
  nowMs: number;
  serial: number;
}

export function randomVisit(rng: Rng, { persons, nowMs, serial }: VisitOptions): UnstampedEvent {
  const person = rng.between(1, persons);
  // Two users share each third device.
  const device = person % 3 === 0 ? person - rng.between(0, 1) : person;
  const lot = rng.between(0, 9);
  const ref: PersonRef =
    lot < 4
      ? { anonymous_id: `a${device}` }
      : lot < 7
        ? { user_id: `u${person}` }
        : { user_id: `u${person}`, anonymous_id: `a${device}` };
  const type = BUILT_IN_EVENT_TYPES[rng.between(0, BUILT_IN_EVENT_TYPES.length - 1)]!;
  const lateMs = rng.between(0, 4) === 0 ? rng.between(1, 3_600_000) : 0;
  const isAhead = rng.between(0, 30) === 0;
  return {
    event_id: `e${serial}`,
    ...ref,
    event_type: type,
    timestamp: nowMs - lateMs + (isAhead ? 2_000 : 0),
    ...(rng.between(0, 2) === 0 ? { session_id: `s${person}-${Math.floor(serial / 200)}` } : {}),
    ...(["page_view", "search", "mouse_move"].includes(type)
      ? {}
      : {
          item_id: `i${rng.between(1, 40)}`,
          item: { categories: [`c${rng.between(1, 6)}`], tags: ["new"], price: 10.5 },
        }),
    ...valueOf(rng, type),
    ...(rng.between(0, 25) === 0 ? { traffic: "bot" as const } : {}),
    context: { country: ["NO", "DE", "FR"][rng.between(0, 2)]!, device: "mobile" },
  };
}

function valueOf(rng: Rng, type: string): Partial<LoggedEvent> {
  if (type === "dwell") return { value: rng.between(1, 60) };
  if (type === "scroll") return { value: rng.between(0, 100) / 100 };
  if (type === "rating") return { value: rng.between(1, 5) };
  return type === "purchase" ? { value: rng.between(1, 500) } : {};
}

/** What a server knows of links: the keys that it makes of a ref, and the marker that must be written first. */
export class ServerLinks {
  readonly #name: string;
  readonly #links = new Map<string, string>();
  #made = 0;

  /** Markers have ids of their own, so servers have names of theirs. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Whom the anonymous id belongs to, else whom the ref names. */
  keyOf({ user_id: user, anonymous_id: anonymous }: PersonRef): string {
    if (anonymous === undefined) return userKeyOf(user!);
    return this.#links.get(anonymousKeyOf(anonymous)) ?? anonymousKeyOf(anonymous);
  }

  place(ref: PersonRef): { key: string; marker?: Extract<ClusterRecord, { kind: "link" }> } {
    const { user_id: user, anonymous_id: anonymous } = ref;
    if (user === undefined) {
      const anonKey = anonymousKeyOf(anonymous!);
      return { key: this.#links.get(anonKey) ?? anonKey };
    }
    const key = userKeyOf(user);
    if (anonymous === undefined) return { key };
    const anonKey = anonymousKeyOf(anonymous);
    if (this.#links.get(anonKey) === key) return { key };
    this.#links.set(anonKey, key);
    return { key, marker: { kind: "link", id: `${anonKey}>${key}@${this.#name}.${this.#made++}`, anonKey, userKey: key } };
  }

  /** Nobody's device any more. */
  forget(anonKey: string): void {
    this.#links.delete(anonKey);
  }

  /** As if it had read the other's words. */
  learn(other: ServerLinks): void {
    for (const [anonKey, userKey] of other.#links) this.#links.set(anonKey, userKey);
  }
}
