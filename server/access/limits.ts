// How often a key, an address and a person may ask. Counted in this process, or with others; a node without keys counts
// nothing.
import ipaddr from "ipaddr.js";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { Problem } from "../http/problem.ts";

/** Requests a second. Generous: they end abuse and loops, not a busy day. */
export interface LimitConfig {
  /** A write key is that of all visitors of a site together. */
  keyPerS: number;
  /** An office or a mobile network may stand behind one address. */
  addressPerS: number;
  /** Reads and changes of one person. */
  personPerS: number;
}

export const DEFAULT_LIMITS: LimitConfig = { keyPerS: 20_000, addressPerS: 1_000, personPerS: 100 };

export interface Limits {
  /** @throws Problem (rate_limited). */
  key(id: string): void;
  /** @throws Problem (rate_limited). */
  address(address: string): void;
  /** @throws Problem (rate_limited). */
  person(project: string, personKey: string): void;
}

/** Counts one more of somebody, and tells, at once or soon, where that was too much and how long he has to wait. */
export type Count = (somebody: string, exceeded: (somebody: string, waitMs: number) => void) => void;
export type CounterOf = (what: keyof Limits, perS: number) => Count;

/** In the memory of this process. */
const countInMemory: CounterOf = (_, perS) => {
  const limiter = new RateLimiterMemory({ points: perS, duration: 1 });
  return (somebody, exceeded) => {
    limiter.consume(somebody).catch(({ msBeforeNext }: RateLimiterRes) => exceeded(somebody, msBeforeNext));
  };
};

const IPV6_NETWORK_BYTES = 7;
const SECOND_MS = 1_000;
/** Those who are told to wait; a flood of many beyond it starts anew. */
const WAITING_MAX = 100_000;

/** Whoever has used up his second is refused from the next request on, until it has passed. */
export function createLimits(config: LimitConfig, now: () => number, counterOf: CounterOf = countInMemory): Limits {
  const limit = (what: keyof Limits, perS: number): ((key: string) => void) => {
    const count = counterOf(what, perS);
    const until = new Map<string, number>();
    const exceeded = (key: string, waitMs: number): void => {
      if (until.size >= WAITING_MAX) until.clear();
      until.set(key, now() + waitMs);
    };
    return (key) => {
      const untilMs = until.get(key) ?? 0;
      const waitMs = untilMs - now();
      // Nobody waits longer than his second: the clock was set back.
      if (waitMs > 0 && waitMs <= SECOND_MS) {
        throw new Problem("rate_limited", `More than ${perS} requests a second by one ${what}.`, {
          retryAfterS: waitMs / 1_000,
        });
      }
      if (untilMs > 0) until.delete(key);
      count(key, exceeded);
    };
  };
  const addresses = limit("address", config.addressPerS);
  const persons = limit("person", config.personPerS);
  return {
    key: limit("key", config.keyPerS),
    address: (address) => addresses(networkOf(address)),
    person: (project, personKey) => persons(`${project} ${personKey}`),
  };
}

/** What one sender has to himself: an IPv4 address, or the 56 bits that a provider gives out of an IPv6 one. */
function networkOf(text: string): string {
  if (!text.includes(":") || !ipaddr.isValid(text)) return text;
  const address = ipaddr.process(text);
  if (address.kind() === "ipv4") return address.toString();
  return Buffer.from(address.toByteArray().slice(0, IPV6_NETWORK_BYTES)).toString("hex");
}
