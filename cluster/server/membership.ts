// Which servers are alive, and so who does what only one of them need do: told by a heartbeat in Redis, decided by each
// for himself (the highest hash wins). For a moment two may think that a task is theirs: every such task is harmless to
// do twice.
import { hash64 } from "../../core/math/hash.ts";
import type { RedisLink } from "../redis/link.ts";
import { run, script } from "../redis/script.ts";

const BEAT_MS = 1_000;
/** Who has not been heard of for so long is gone. */
const GONE_MS = 4_000;

/** By Redis's clock, which all share: what it says, and who is alive. KEYS: the servers. ARGV: our name, how long one counts. */
const BEAT = script(`
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZADD', KEYS[1], ms, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - ARGV[2])
return {ms, redis.call('ZRANGE', KEYS[1], 0, -1)}
`);

export class Membership {
  readonly #link: RedisLink;
  readonly #key: string;
  readonly #name: string;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout;
  #servers: readonly string[];
  #closed = false;
  /** How far our clock was ahead of Redis's at the last beat, as far as the time that the answer took tells; below 0: behind. */
  clockAheadMs = 0;

  /** `now`: processing time, Unix ms. */
  constructor(link: RedisLink, options: { project: string; server: string; now: () => number }) {
    this.#link = link;
    this.#key = `attune:{${options.project}}:servers`;
    this.#name = options.server;
    this.#now = options.now;
    this.#servers = [options.server];
    this.#timer = setTimeout(() => void this.#beat(), 0);
  }

  /** Names of the servers that are alive, our own always. */
  get servers(): readonly string[] {
    return this.#servers;
  }

  isOurs(task: string): boolean {
    let best = this.#name;
    for (const server of this.#servers) if (rank(server, task) > rank(best, task)) best = server;
    return best === this.#name;
  }

  /** Called after each heartbeat. */
  onBeat(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Tells the others that we go. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#link.write(this.#key, ["ZREM", this.#key, this.#name]).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    try {
      const askedMs = this.#now();
      const [ms, alive] = (await run(this.#link, BEAT, [this.#key], [this.#name, String(GONE_MS)])) as [number, Buffer[]];
      this.clockAheadMs = Math.max(0, askedMs - ms) + Math.min(0, this.#now() - ms);
      this.#servers = alive.map(String);
    } catch {
      // Without Redis nobody has anything to share: the link counts the fault.
    }
    if (this.#closed) return;
    for (const listener of this.#listeners) listener();
    this.#timer = setTimeout(() => void this.#beat(), BEAT_MS);
    this.#timer.unref();
  }
}

function rank(server: string, task: string): number {
  return hash64(`${server}\n${task}`).hi;
}
