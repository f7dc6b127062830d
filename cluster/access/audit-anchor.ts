// The head of the audit trail, kept apart from it: in Redis, where every server writes it after each record. It is no
// copy of anything (a Redis that was emptied is told the head again with the next record), but whoever cuts the topic
// off has to reach both.
import type { Anchor } from "../../server/audit/chain.ts";
import type { RedisLink } from "../redis/link.ts";
import { run, script } from "../redis/script.ts";

const KEY = "attune:{audit}:head";

/** KEYS: the head. ARGV: number, hash. It never goes back. */
const MOVE = script(`
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
if tonumber(ARGV[1]) > seq then redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'hash', ARGV[2]) end
return 1
`);

/** Undefined where Redis has none, or is away. */
export async function readAnchor(link: RedisLink): Promise<Anchor | undefined> {
  const [seq, hash] = (await link.ask(KEY, ["HMGET", KEY, "seq", "hash"]).catch(() => [])) as (Buffer | null)[];
  return seq == null || hash == null ? undefined : { seq: Number(seq), hash: hash.toString() };
}

/** Never waited for; while Redis is away it stays where it is. */
export function moveAnchor(link: RedisLink, { seq, hash }: Anchor): void {
  run(link, MOVE, [KEY], [String(seq), hash]).catch(() => undefined);
}

/** The next record of the trail sets a new one: a restored trail may end before it. */
export async function forgetAnchor(link: RedisLink): Promise<void> {
  await link.write(KEY, ["DEL", KEY]);
}
