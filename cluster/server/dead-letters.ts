// Dead letters: kept in their topic, listed from an index in Redis that a filler makes of it. Records that the job put
// aside (`quarantine`) are listed with them.
import { HostError } from "../../server/ports.ts";
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import type { DeadLetter } from "../../core/record.ts";
import type { ErasureBook } from "../erasure/book.ts";
import { textsOf } from "../../server/privacy/belonging.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import { decodeDocument, type QuarantineValue } from "../wire/documents.ts";
import type { ReadRecord } from "../kafka/reader.ts";
import type { RedisLink, Reply } from "../redis/link.ts";
import { MARK } from "../redis/profile-store.ts";
import { run, script } from "../redis/script.ts";
import type { FillTarget } from "./filler.ts";

/** Letters listed; beyond it the oldest leave the list (they stay in the topic). */
const LETTERS_MAX = 100_000;
/** Letters dealt with whose places are remembered, for whoever has got to one of them on his way through the list. */
const GONE_MAX = 10_000;
const RETRY_AFTER_S = 2;
const SCAN_COUNT = 1_000;

/**
 * KEYS: ids by time, letters by id, resolved records of the job, ids by time of those dealt with. ARGV: time, id, letter (''
 * where it is resolved), most letters, most of those dealt with. A record that the job put aside (its id holds a slash) comes
 * from another topic than its resolution, so either may be first.
 */
const PUT = script(`
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('ZADD', KEYS[4], ARGV[1], ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - tonumber(ARGV[5]))
  if string.find(ARGV[2], '/', 1, true) then redis.call('SADD', KEYS[3], ARGV[2]) end
  return 1
end
if redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 1 then return 0 end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if over > 0 then
  for _, id in ipairs(redis.call('ZPOPMIN', KEYS[1], over)) do redis.call('HDEL', KEYS[2], id) end
end
return 1
`);

export interface DeadLetterIndexOptions {
  readonly link: RedisLink;
  readonly project: string;
  /** It may grow. */
  readonly erasures: ErasureBook;
  /** A value that is no letter; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

export class DeadLetterIndex {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #erasures: ErasureBook;
  readonly #onCorrupt: (error: Error) => void;
  #total = 0;

  constructor({ link, project, erasures, onCorrupt }: DeadLetterIndexOptions) {
    this.#link = link;
    this.#erasures = erasures;
    this.#onCorrupt = onCorrupt;
    this.#prefix = `attune:{${project}}:letters:`;
  }

  /** As last counted. */
  get total(): number {
    return this.#total;
  }

  /** Newest first. @throws HostError `unavailable` while Redis is away. */
  async page({ limit, before }: { limit: number; before?: string }): Promise<{ letters: DeadLetter[]; total: number }> {
    const ids = `${this.#prefix}ids`;
    // Counted first, so that what is resolved meanwhile is never listed beside a total without it.
    const total = await this.count();
    const first = before === undefined ? 0 : await this.#placeAfter(before);
    if (first === undefined) return { letters: [], total };
    const found = (await this.#ask(ids, ["ZREVRANGE", ids, String(first), String(first + limit - 1)])) as Buffer[];
    const rows = `${this.#prefix}rows`;
    const letters = found.length === 0 ? [] : ((await this.#ask(rows, ["HMGET", rows, ...found])) as (Buffer | null)[]);
    return { letters: letters.flatMap((letter) => (letter === null ? [] : [letterOf(letter)])), total };
  }

  /**
   * Where the list goes on after this letter, also where it was dealt with since it was listed; undefined for one that the
   * list does not know.
   */
  async #placeAfter(id: string): Promise<number | undefined> {
    const [ids, gone] = [`${this.#prefix}ids`, `${this.#prefix}gone`];
    const rank = await this.#ask(ids, ["ZREVRANK", ids, id]);
    if (rank !== null) return Number(rank) + 1;
    const at = (await this.#ask(gone, ["ZSCORE", gone, id])) as Buffer | null;
    if (at === null) return undefined;
    const newer = Number(await this.#ask(ids, ["ZCOUNT", ids, `(${at.toString()}`, "+inf"]));
    const together = (await this.#ask(ids, ["ZRANGEBYSCORE", ids, at, at])) as Buffer[];
    return newer + together.filter((one) => one.compare(Buffer.from(id)) > 0).length;
  }

  /** @throws HostError `unavailable` */
  async get(id: string): Promise<DeadLetter | undefined> {
    const rows = `${this.#prefix}rows`;
    const letter = (await this.#ask(rows, ["HGET", rows, id])) as Buffer | null;
    return letter === null ? undefined : letterOf(letter);
  }

  /** @throws HostError `unavailable` */
  async count(): Promise<number> {
    const ids = `${this.#prefix}ids`;
    this.#total = Number(await this.#ask(ids, ["ZCARD", ids]));
    return this.#total;
  }

  /** How a filler brings one of the two topics in. */
  target(kind: "deadLetters" | "quarantine", topic: string): FillTarget {
    const marks: [string, string] = [`${this.#prefix}mark:${topic}`, `${this.#prefix}whole:${topic}`];
    return {
      topic,
      partitions: 1,
      mark: async () => {
        const [mark, whole] = (await this.#link.write(marks[0], ["MGET", ...marks])) as (Buffer | null)[];
        return { mark: mark == null ? undefined : Number(mark), isWhole: whole != null };
      },
      moveMark: async (_, { from, to, isWhole }) => {
        const args = [String(from ?? ""), String(to), isWhole ? "1" : "0"];
        const mark = String(await run(this.#link, MARK, marks, args));
        return { mark: mark === "" ? undefined : Number(mark) };
      },
      clean: () => this.#clean(),
      write: async (records) => void (await Promise.all(records.map((record) => this.#put(kind, record)))),
    };
  }

  async #put(kind: "deadLetters" | "quarantine", record: ReadRecord): Promise<void> {
    const letter = this.#read(kind, record);
    if (letter === undefined || this.#namesErased(letter)) return;
    const text = letter.resolved === true ? "" : JSON.stringify(letter);
    const [first, ...others] = ["ids", "rows", "resolved", "gone"].map((name) => `${this.#prefix}${name}`);
    const args = [String(letter.at), letter.id, text, String(LETTERS_MAX), String(GONE_MAX)];
    await run(this.#link, PUT, [first!, ...others], args);
  }

  /** Undefined for what is none: it would be tried for ever, and no letter behind it be listed. */
  #read(kind: "deadLetters" | "quarantine", { value, offset }: ReadRecord): DeadLetter | undefined {
    if (value === null) return undefined;
    try {
      const letter =
        kind === "deadLetters" ? decodeDocument("deadLetters", value) : letterOfQuarantine(decodeDocument("quarantine", value));
      if (typeof letter.id === "string" && Number.isFinite(letter.at)) return letter;
      throw new Error("it has no id or no time");
    } catch (cause) {
      this.#onCorrupt(new Error(`record ${offset} of ${kind === "quarantine" ? kind : "the dead letters"} is no letter`, { cause }));
      return undefined;
    }
  }

  /** Takes out letters of who was erased, where that was not done since the newest erasure. */
  async #clean(): Promise<void> {
    const [key, rows] = [`${this.#prefix}erased`, `${this.#prefix}rows`];
    const toMs = this.#erasures.newestAtMs;
    if (toMs === -Infinity || Number(await this.#link.write(key, ["GET", key])) === toMs) return;
    for (let cursor = "0", isLast = false; !isLast; isLast = cursor === "0") {
      const scan = ["HSCAN", rows, cursor, "COUNT", String(SCAN_COUNT)];
      const [next, found] = (await this.#link.write(rows, scan)) as [Buffer, Buffer[]];
      const letters = found.flatMap((field, i) => (i % 2 === 0 ? [] : [letterOf(field)]));
      await this.remove(letters.filter((letter) => this.#namesErased(letter)).map(({ id }) => id));
      cursor = next.toString();
    }
    await this.#link.write(key, ["SET", key, String(toMs)]);
  }

  /** Takes them out of the index. @throws RedisAwayError */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const [command, key] of [["ZREM", "ids"], ["HDEL", "rows"]] as const)
      await this.#link.write(`${this.#prefix}${key}`, [command, `${this.#prefix}${key}`, ...ids]);
  }

  /** A letter is everybody's whose id stands anywhere in it. */
  #namesErased({ at, body }: DeadLetter): boolean {
    for (const text of textsOf(body))
      if (this.#erasures.covers(userKeyOf(text), at) || this.#erasures.covers(anonymousKeyOf(text), at)) return true;
    return false;
  }

  #ask(key: string, args: readonly (string | Buffer)[]): Promise<Reply> {
    return this.#link.ask(key, args).catch((cause: unknown) => {
      throw new HostError("unavailable", "Dead letters cannot be listed while Redis is away.", {
        retryAfterS: RETRY_AFTER_S,
        cause,
      });
    });
  }
}

function letterOf(bytes: Buffer): DeadLetter {
  return JSON.parse(bytes.toString("utf8")) as DeadLetter;
}

function letterOfQuarantine({ id, key, at, reason, message, record }: QuarantineValue): DeadLetter {
  return { id, at, code: `quarantined_${reason}`, path: "", message, source: `job ${key}`, body: bodyOf(record) };
}

function bodyOf(record: string): unknown {
  try {
    const decoded = decodeClusterRecord(Buffer.from(record, "base64"));
    return decoded.kind === "event" ? decoded.event : decoded;
  } catch {
    // What nobody can read is shown as it is.
    return record;
  }
}
