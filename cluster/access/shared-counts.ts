// How often somebody asks, counted by all servers together in Redis. Only of those who ask much: a server that sees less
// than a small part of what is allowed says nothing, so that the usual visitor costs Redis nothing. Without Redis each
// server counts for itself: never without end.
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from "rate-limiter-flexible";
import type { CounterOf } from "../../server/access/limits.ts";
import type { RedisLink } from "../redis/link.ts";
import { run, script } from "../redis/script.ts";

/** Up to so many servers nobody exceeds a limit unseen by asking each of them a little. */
const SERVERS_RECKONED = 32;
/** What is counted meanwhile goes to Redis together; by as much as is asked in it a limit may be exceeded. */
const GATHER_MS = 10;
const WINDOW_MS = 1_000;

/** KEYS: the count. ARGV: how many more, seconds that they count. The count, and the ms that it is still kept. */
const COUNT = script(`
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = 1000 * ARGV[2]
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return {count, ttl}
`);

export function sharedCounts(link: RedisLink, now: () => number): CounterOf {
  /** What the library asks of a client. */
  const storeClient = {
    rlflxIncr: ([key, points, seconds]: [string, string, string]) => run(link, COUNT, [key], [points, seconds]),
  };
  return (what, perS) => {
    const limits = { points: perS, duration: WINDOW_MS / 1_000 };
    const limiter = new RateLimiterRedis({
      ...limits,
      storeClient,
      keyPrefix: `attune:limit:${what}`,
      insuranceLimiter: new RateLimiterMemory(limits),
    });
    const quietMax = Math.floor(perS / SERVERS_RECKONED);
    let windowEndMs = 0;
    /** In this window, those that were told already left out. */
    let counts = new Map<string, { total: number; untold: number }>();
    let due: Map<string, { untold: number; exceeded: (somebody: string, waitMs: number) => void }> | undefined;

    function tell(): void {
      const told = due!;
      due = undefined;
      for (const [somebody, { untold, exceeded }] of told) {
        limiter
          .consume(somebody, untold)
          .catch((result: RateLimiterRes) => exceeded(somebody, result.msBeforeNext));
      }
    }
    return (somebody, exceeded) => {
      const nowMs = now();
      if (nowMs >= windowEndMs) {
        counts = new Map();
        windowEndMs = nowMs + WINDOW_MS;
      }
      let count = counts.get(somebody);
      if (count === undefined) counts.set(somebody, (count = { total: 0, untold: 0 }));
      count.total++;
      count.untold++;
      if (count.total <= quietMax) return;
      if (due === undefined) {
        due = new Map();
        setTimeout(tell, GATHER_MS).unref();
      }
      const waiting = due.get(somebody);
      if (waiting === undefined) due.set(somebody, { untold: count.untold, exceeded });
      else waiting.untold += count.untold;
      count.untold = 0;
    };
  };
}
