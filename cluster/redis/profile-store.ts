// Profiles in Redis: what `profiles` holds, by person, with the members of each segment.
//
// A project's rows are split as the topic is: shard = partition. Everything of a shard has one hash tag, so that it lies
// in one slot of a Redis Cluster, a write is one script, and the shard's mark (how far the topic was taken in) lives and
// dies with its rows. The script takes a row only where it is newer, so writes may come twice, late and from several
// servers; and it alone tells the others, so that each change is told once.
import type { Consent } from "../../core/record.ts";
import type { ErasureBook } from "../erasure/book.ts";
import { partitionOf } from "../kafka/partition.ts";
import { decodeProfile, encodeProfile, LIVES_APART_MS, type ProfileChange, type ProfileValue } from "../wire/profile.ts";
import type { RedisLink } from "./link.ts";
import { run, script } from "./script.ts";

export interface StoreNames {
  readonly project: string;
  /** Of the topics that are in force: a backfill fills the next one beside it. */
  readonly generation: number;
  /** Partitions of `profiles`. */
  readonly shards: number;
}

/** What servers tell each other when a row was taken. */
export interface ChangeMessage {
  readonly key: string;
  readonly sequence: number;
  readonly asOfMs: number;
  readonly signpost?: string;
  readonly changes: readonly ProfileChange[];
  /** The server that wrote it. */
  readonly by?: string;
}

/** What servers tell each other when a row was taken away; sequence and time are those of nobody. */
export interface ForgottenMessage extends ChangeMessage {
  readonly isForgotten: true;
}

/** What servers tell each other when somebody has said what he allows, before it is in his row. */
export interface ConsentMessage {
  readonly key: string;
  readonly consent: Consent;
}

export interface StoredProfile {
  /** Undefined: nobody, as far as the store knows. */
  readonly profile: ProfileValue | undefined;
  /** False while the shard is being filled, or where the row was taken away: what is missing may come yet. */
  readonly isWhole: boolean;
}

export interface ShardMark {
  readonly mark: number | undefined;
  readonly isWhole: boolean;
}

/** Sequence and time as float64, big-endian, then the length of the segments' names; what a row begins with. */
const HEAD_BYTES = 20;
/** Keys that are asked for at once. */
const PAGE = 1_000;
const NAME_SEPARATOR = "\n";
/** A list beside those of the segments, none of which can be called so: who does not allow that his events are kept. */
const REFUSING = "!refusing";

/**
 * KEYS: row, the shard's person keys, the channel's tag. ARGV: row, prefix of segments, person key, 1 for a signpost,
 * channel, message. 1 where the row was taken: where it is newer, as `isNewer` has it. One that is there already has its lists
 * completed: somebody else may have taken those away.
 */
const PUT = script(`
local row = ARGV[1]
local sequence, asOf, length = struct.unpack('>ddI4', row)
local names = string.sub(row, ${HEAD_BYTES + 1}, ${HEAD_BYTES} + length)
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD_BYTES - 1})
local before = ''
if head ~= '' then
  local oldSequence, oldAsOf, oldLength = struct.unpack('>ddI4', head)
  if asOf < oldAsOf - ${LIVES_APART_MS} then return 0 end
  local isOfOneLife = asOf <= oldAsOf + ${LIVES_APART_MS}
  if isOfOneLife and (sequence < oldSequence or (sequence == oldSequence and asOf < oldAsOf)) then return 0 end
  if oldLength > 0 then before = redis.call('GETRANGE', KEYS[1], ${HEAD_BYTES}, ${HEAD_BYTES - 1} + oldLength) end
  if isOfOneLife and sequence == oldSequence and asOf == oldAsOf then
    for name in string.gmatch(before, '[^\\n]+') do redis.call('ZADD', ARGV[2] .. name, 0, ARGV[3]) end
    if ARGV[4] ~= '1' then redis.call('ZADD', KEYS[2], 0, ARGV[3]) end
    return 0
  end
end
redis.call('SET', KEYS[1], row)
if names ~= before then
  local now = {}
  for name in string.gmatch(names, '[^\\n]+') do now[name] = true end
  for name in string.gmatch(before, '[^\\n]+') do
    if now[name] then now[name] = nil else redis.call('ZREM', ARGV[2] .. name, ARGV[3]) end
  end
  for name in string.gmatch(names, '[^\\n]+') do
    if now[name] then redis.call('ZADD', ARGV[2] .. name, 0, ARGV[3]) end
  end
end
if ARGV[4] == '1' then redis.call('ZREM', KEYS[2], ARGV[3]) else redis.call('ZADD', KEYS[2], 0, ARGV[3]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
`);

/**
 * KEYS: row, the shard's person keys, the channel's tag. ARGV: prefix of segments, person key, the time up to which a row
 * goes, channel, message. 1: it went.
 */
const ERASE = script(`
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD_BYTES - 1})
if head == '' then return 0 end
local _, asOf, length = struct.unpack('>ddI4', head)
if asOf > tonumber(ARGV[3]) then return 0 end
if length > 0 then
  for name in string.gmatch(redis.call('GETRANGE', KEYS[1], ${HEAD_BYTES}, ${HEAD_BYTES - 1} + length), '[^\\n]+') do
    redis.call('ZREM', ARGV[1] .. name, ARGV[2])
  end
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
`);

/** KEYS: mark, whole. ARGV: what the mark should be ('' for none), what it becomes, 1 where the end was reached. */
export const MARK = script(`
local mark = redis.call('GET', KEYS[1]) or ''
if mark ~= ARGV[1] then return mark end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[3] == '1' then redis.call('SET', KEYS[2], '1') end
return ARGV[2]
`);

/**
 * KEYS: row, the shard's person keys, mark, whole, when it was last said. ARGV: person key, s. Of a person who is listed and has no row:
 * somebody else took it away. Without its mark the shard is filled again, not more often than that.
 */
const LOST = script(`
if redis.call('EXISTS', KEYS[1]) == 1 or not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
if redis.call('SET', KEYS[5], '1', 'NX', 'EX', ARGV[2]) then redis.call('DEL', KEYS[3], KEYS[4]) end
return 1
`);
/** A Redis that evicts loses rows all the time, and a filling reads the whole topic; a guess. */
const LOST_EVERY_S = 600;

export class ProfileStore {
  readonly link: RedisLink;
  readonly names: StoreNames;
  readonly channel: string;

  constructor(link: RedisLink, names: StoreNames) {
    this.link = link;
    this.names = names;
    this.channel = `attune:{${names.project}}:g${names.generation}:changes`;
  }

  shardOf(key: string): number {
    return partitionOf(key, this.names.shards);
  }

  /** True where the row was newer than what was there; only then is anybody told. */
  async put(message: ChangeMessage, value: ProfileValue): Promise<boolean> {
    const { key, signpost } = message;
    const prefix = this.#prefix(this.shardOf(key));
    const taken = await run(
      this.link,
      PUT,
      [`${prefix}p:${key}`, `${prefix}keys`],
      [rowOf(value), `${prefix}m:`, key, signpost === undefined ? "0" : "1", this.channel, JSON.stringify(message)],
    );
    return taken === 1;
  }

  /**
   * Takes the row away, and the person out of every list, where it is not of after `atMs`; true where it was there, and then
   * all are told.
   */
  async erase(key: string, atMs: number): Promise<boolean> {
    const prefix = this.#prefix(this.shardOf(key));
    const keys: [string, string] = [`${prefix}p:${key}`, `${prefix}keys`];
    const message: ForgottenMessage = { key, sequence: 0, asOfMs: 0, changes: [], isForgotten: true };
    const args = [`${prefix}m:`, key, String(atMs), this.channel, JSON.stringify(message)];
    return (await run(this.link, ERASE, keys, args)) === 1;
  }

  /** @throws RedisAwayError */
  async get(key: string): Promise<StoredProfile> {
    const prefix = this.#prefix(this.shardOf(key));
    const rowKey = `${prefix}p:${key}`;
    const [row, whole] = (await this.link.ask(rowKey, ["MGET", rowKey, `${prefix}whole`])) as (Buffer | null)[];
    if (row != null) return { profile: profileOf(row), isWhole: whole != null };
    return { profile: undefined, isWhole: whole != null && !(await this.#isLost(prefix, key)) };
  }

  /** Whether a person without a row is one whom the shard knows: somebody deleted the row, let it expire, or has Redis evict. */
  async #isLost(prefix: string, key: string): Promise<boolean> {
    const listed = await this.link.ask(`${prefix}keys`, ["ZSCORE", `${prefix}keys`, key]);
    if (listed === null) return false;
    const keys: [string, ...string[]] = [`${prefix}p:${key}`, ...["keys", "mark", "whole", "lost"].map((name) => prefix + name)];
    return (await run(this.link, LOST, keys, [key, String(LOST_EVERY_S)])) === 1;
  }

  /** Tells all servers, where Redis is there. */
  tellConsent(message: ConsentMessage): void {
    this.link.write(this.channel, ["PUBLISH", this.channel, JSON.stringify(message)]).catch(() => undefined);
  }

  /** How many do not allow that their events are kept; undefined while that is being filled. */
  async refusing(): Promise<number | undefined> {
    const known = await Promise.all(
      this.#shards().map((shard) => this.link.ask(`${this.#prefix(shard)}whole`, ["EXISTS", `${this.#prefix(shard)}whole`])),
    );
    if (known.includes(0)) return undefined;
    return (await this.sizes([REFUSING])).get(REFUSING);
  }

  /** Live members of each segment. */
  async sizes(segments: readonly string[]): Promise<Map<string, number>> {
    const sizes = segments.map(async (segment) => {
      const counts = await Promise.all(this.#shards().map((shard) => this.#count(`${this.#prefix(shard)}m:${segment}`)));
      return [segment, sum(counts)] as const;
    });
    return new Map(await Promise.all(sizes));
  }

  /** Keys of all persons that there are rows of, shard after shard. */
  async *everybody(): AsyncGenerator<string> {
    for (const shard of this.#shards()) yield* this.#everybodyOf(shard);
  }

  async *#everybodyOf(shard: number): AsyncGenerator<string> {
    for (let from = "-", isLast = false; !isLast; ) {
      const keys = await this.#range(`${this.#prefix(shard)}keys`, from, "+", PAGE);
      yield* keys;
      isLast = keys.length < PAGE;
      from = `(${keys.at(-1)}`;
    }
  }

  /** Takes out the shard's persons who were erased, where that was not done since the newest erasure. */
  async clean(shard: number, erasures: Pick<ErasureBook, "newestAtMs" | "erasedAt">): Promise<void> {
    const key = `${this.#prefix(shard)}erased`;
    const toMs = erasures.newestAtMs;
    if (toMs === -Infinity || Number(await this.link.write(key, ["GET", key])) === toMs) return;
    for await (const person of this.#everybodyOf(shard)) {
      const atMs = erasures.erasedAt(person);
      if (atMs !== undefined) await this.erase(person, atMs);
    }
    await this.link.write(key, ["SET", key, String(toMs)]);
  }

  /** Person keys of a segment, shard after shard, each in key order; `after` is the last one of the page before. */
  async members(segment: string, page: { limit: number; after?: string }): Promise<string[]> {
    const keys: string[] = [];
    const first = page.after === undefined ? 0 : this.shardOf(page.after);
    for (let shard = first; shard < this.names.shards && keys.length < page.limit; shard++) {
      const from = shard === first && page.after !== undefined ? `(${page.after}` : "-";
      keys.push(...(await this.#range(`${this.#prefix(shard)}m:${segment}`, from, "+", page.limit - keys.length)));
    }
    return keys;
  }

  /** Keys of persons that begin with `prefix`, at most `limit`, in key order. */
  async search(prefix: string, limit: number): Promise<string[]> {
    const found = await Promise.all(
      this.#shards().map((shard) => this.#range(`${this.#prefix(shard)}keys`, `[${prefix}`, `[${prefix}\u{10ffff}`, limit)),
    );
    return found.flat().sort().slice(0, limit);
  }

  /** How many persons there are. */
  async count(): Promise<number> {
    return sum(await Promise.all(this.#shards().map((shard) => this.#count(`${this.#prefix(shard)}keys`))));
  }

  /** Offset up to which the shard's partition was taken in (undefined: not at all), and whether its end was reached. */
  async mark(shard: number): Promise<ShardMark> {
    const prefix = this.#prefix(shard);
    const key = `${prefix}mark`;
    const [mark, whole] = (await this.link.write(key, ["MGET", key, `${prefix}whole`])) as (Buffer | null)[];
    return { mark: mark == null ? undefined : Number(mark), isWhole: whole != null };
  }

  /**
   * Moves the mark, where it still is what the caller left it at. Where it is not (Redis was flushed, fell back to an
   * older state, or another server fills the shard) it comes back as it is, and nothing changed.
   */
  async moveMark(
    shard: number,
    move: { from: number | undefined; to: number; isWhole: boolean },
  ): Promise<{ mark: number | undefined }> {
    const prefix = this.#prefix(shard);
    const args = [String(move.from ?? ""), String(move.to), move.isWhole ? "1" : "0"];
    const mark = String(await run(this.link, MARK, [`${prefix}mark`, `${prefix}whole`], args));
    return { mark: mark === "" ? undefined : Number(mark) };
  }

  #prefix(shard: number): string {
    return `attune:{${this.names.project}.${shard}}:g${this.names.generation}:`;
  }

  #shards(): number[] {
    return Array.from({ length: this.names.shards }, (_, shard) => shard);
  }

  async #count(key: string): Promise<number> {
    return Number(await this.link.ask(key, ["ZCARD", key]));
  }

  async #range(key: string, from: string, to: string, limit: number): Promise<string[]> {
    const found = await this.link.ask(key, ["ZRANGEBYLEX", key, from, to, "LIMIT", "0", String(limit)]);
    return (found as Buffer[]).map(String);
  }
}

/** What is told of a value. */
export function changeOf(key: string, { sequence, asOfMs, signpost, changes }: ProfileValue): ChangeMessage {
  return { key, sequence, asOfMs, changes, ...(signpost === undefined ? {} : { signpost }) };
}

/** A message as a server hears it. */
export function decodeChange(message: Buffer): ChangeMessage | ForgottenMessage | ConsentMessage {
  return JSON.parse(message.toString("utf8")) as ChangeMessage | ForgottenMessage | ConsentMessage;
}

function rowOf(value: ProfileValue): Buffer {
  const lists = value.analytics === "denied" ? [...value.memberships, REFUSING] : value.memberships;
  const names = Buffer.from(lists.join(NAME_SEPARATOR));
  // What changed was told; the row is who he is.
  const profile = encodeProfile({ ...value, changes: [] });
  const row = Buffer.alloc(HEAD_BYTES + names.length + profile.length);
  row.writeDoubleBE(value.sequence, 0);
  row.writeDoubleBE(value.asOfMs, 8);
  row.writeUInt32BE(names.length, 16);
  names.copy(row, HEAD_BYTES);
  row.set(profile, HEAD_BYTES + names.length);
  return row;
}

function profileOf(row: Buffer): ProfileValue {
  return decodeProfile(row.subarray(HEAD_BYTES + row.readUInt32BE(16)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
