// How often a key, an address and a person may ask. Counted in this process; a node without keys counts nothing.
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

/** Those who are told to wait; a flood of many beyond it starts anew. */
const WAITING_MAX = 100_000;

/** Whoever has used up his second is refused from the next request on, until it has passed. */
export function createLimits(config: LimitConfig, now: () => number): Limits {
  const limit = (what: string, perS: number): ((key: string) => void) => {
    const limiter = new RateLimiterMemory({ points: perS, duration: 1 });
    const until = new Map<string, number>();
    const exceeded = (key: string, { msBeforeNext }: RateLimiterRes): void => {
      if (until.size >= WAITING_MAX) until.clear();
      until.set(key, now() + msBeforeNext);
    };
    return (key) => {
      const untilMs = until.get(key) ?? 0;
      const waitMs = untilMs - now();
      if (waitMs > 0) {
        throw new Problem("rate_limited", `More than ${perS} requests a second by one ${what}.`, {
          retryAfterS: waitMs / 1_000,
        });
      }
      if (untilMs > 0) until.delete(key);
      limiter.consume(key).catch((result: RateLimiterRes) => exceeded(key, result));
    };
  };
  const persons = limit("person", config.personPerS);
  return {
    key: limit("key", config.keyPerS),
    address: limit("address", config.addressPerS),
    person: (project, personKey) => persons(`${project} ${personKey}`),
  };
}
