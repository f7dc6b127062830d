// The names under which the index of event ids knows an event: made once, before it is written, and kept for the fold.
import { anonymousKeyOf, userKeyOf, type IdentityLink } from "../../core/identity/identity.ts";
import { hash64LinesInto } from "../../core/math/hash.ts";
import type { Consent, LogRecord, PersonRef } from "../../core/record.ts";

/** An event's id within one person's key, as 64 bits; every version must agree on them. */
export interface EventKey {
  readonly personKey: string;
  readonly hi: number;
  readonly lo: number;
}

/** At least one is set. */
export interface EventKeys {
  readonly user: EventKey | undefined;
  readonly anonymous: EventKey | undefined;
}

/** A record of the log; one that was checked against the index of ids brings its keys along, which are never stored. */
export type KeyedRecord = LogRecord & { readonly keys?: EventKeys };

export function eventKeysOf({ user_id: user, anonymous_id: anonymous, event_id: id }: PersonRef & { event_id: string }): EventKeys {
  return {
    user: user === undefined ? undefined : eventKey(userKeyOf(user), id),
    anonymous: anonymous === undefined ? undefined : eventKey(anonymousKeyOf(anonymous), id),
  };
}

const scratch = { hi: 0, lo: 0 };

export function eventKey(personKey: string, eventId: string): EventKey {
  hash64LinesInto(scratch, personKey, eventId);
  return { personKey, hi: scratch.hi, lo: scratch.lo };
}

/** The events that one group writes: what came twice within it is written once. 53 bits of a key tell them apart. */
export class GroupKeys {
  readonly #known = new Set<number>();

  has(key: EventKey): boolean {
    return this.#known.size > 0 && this.#known.has(bitsOf(key));
  }

  add({ user, anonymous }: EventKeys): void {
    if (user !== undefined) this.#known.add(bitsOf(user));
    if (anonymous !== undefined) this.#known.add(bitsOf(anonymous));
  }
}

/**
 * What the records of one group will link and say once they are folded: what comes behind them in the group must find it, or
 * it would matter how requests were gathered.
 */
export class GroupLinks {
  /** Anonymous key → user key. */
  readonly users = new Map<string, string>();
  /** What persons will have said, or taken over from a device that becomes theirs. */
  readonly consents = new Map<string, Consent>();
  readonly #devices = new Map<string, string[]>();

  link({ anonKey, userKey }: IdentityLink): void {
    this.users.set(anonKey, userKey);
    const devices = this.#devices.get(userKey);
    if (devices === undefined) this.#devices.set(userKey, [anonKey]);
    else devices.push(anonKey);
  }

  /** Anonymous keys that the group gives to the person. */
  devicesOf(personKey: string): readonly string[] {
    return this.#devices.get(personKey) ?? NO_DEVICES;
  }
}

const NO_DEVICES: readonly string[] = [];

function bitsOf({ hi, lo }: EventKey): number {
  return hi * 0x20_0000 + (lo >>> 11);
}
