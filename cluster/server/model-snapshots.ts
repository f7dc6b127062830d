// Snapshots of what was learnt in Redis, so that a new server need not read all of it again. One server makes them, the one
// that the task falls to, and writes only the rows that changed since the one before.
//
// Written ahead: changed rows go to a delta first; then the head, which names the delta and the offsets, is swapped in
// (only where it still is the one that our rows are relative to); then the delta is folded into the base. A reader takes
// base and delta together, so whatever moment he comes at he has one snapshot. Where Redis has lost it, all rows are written anew.
import { uuidv7 } from "uuidv7";
import type { RedisLink } from "../redis/link.ts";
import { run, script } from "../redis/script.ts";
import type { Learner, Offsets } from "./learner.ts";
import type { Learnt, LearntTable } from "./learnt.ts";
import type { Membership } from "./membership.ts";

const SNAPSHOT_EVERY_MS = 30_000;
const ROWS_A_WRITE = 500;
const SCAN_COUNT = 1_000;
const RESTORE_TRIES_MAX = 3;
const TASK = "models";
/** What a row in Redis begins with: a row, or that there is none any more. */
const ROW = 1;
const GONE = 0;

interface Head {
  /** Counts snapshots. */
  readonly version: number;
  /** Names the base; a new one begins where an old one could not be read. */
  readonly line: string;
  /** Null: the base is all. */
  readonly delta: string | null;
  readonly offsets: Offsets;
  /** Version of the program under which the decisions' rows stand; an earlier release has none of them. */
  readonly program?: number;
  /** Whoever was erased up to then (log time) is in none of the rows; missing: nobody had been. */
  readonly erasedTo?: number;
}

/** KEYS: head. ARGV: the version that it must have (0: none), the new head. */
const SWAP = script(`
local head = redis.call('GET', KEYS[1])
local version = 0
if head then version = cjson.decode(head).version end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`);

/** KEYS: head, base table. ARGV: version, then row keys and rows. */
const FOLD = script(`
local head = redis.call('GET', KEYS[1])
if not head or cjson.decode(head).version ~= tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 2 do
  if string.byte(ARGV[i + 1]) == ${GONE} then redis.call('HDEL', KEYS[2], ARGV[i])
  else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1
`);

export interface ModelSnapshotsOptions {
  readonly link: RedisLink;
  readonly learner: Learner;
  readonly membership: Membership;
  readonly project: string;
  readonly generation: number;
  readonly onFault: (error: Error) => void;
  /** When somebody was erased last (log time); -Infinity where nobody was. */
  readonly erasedAtMs: () => number;
}

export class ModelSnapshots {
  readonly #options: ModelSnapshotsOptions;
  readonly #prefix: string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The head that our changed rows are relative to; undefined: our models are of no snapshot's line. */
  #head: Head | undefined;
  /** Our models began from nothing, so all their rows count as changed. */
  #isFresh = false;
  /** Version of the snapshot that was found and could not be read. */
  #unread: number | undefined;
  /** Of what was learnt here: as in a head. */
  #erasedTo = -Infinity;
  #turning: Promise<void> | undefined;
  takenTotal = 0;

  constructor(options: ModelSnapshotsOptions) {
    this.#options = options;
    this.#prefix = `attune:{${options.project}}:g${options.generation}:models:`;
  }

  /** Puts what the newest snapshot holds in place, or new ones where there is none that can be read. */
  async restore(): Promise<void> {
    const { learner, onFault, erasedAtMs } = this.#options;
    const erasedTo = erasedAtMs();
    let found: { head: Head; learnt: Learnt } | undefined;
    this.#unread = undefined;
    try {
      found = await this.#load();
    } catch (error) {
      // The topics say the same, only slower.
      onFault(error as Error);
    }
    this.#head = found?.head;
    this.#isFresh = found === undefined;
    await learner.learn(found?.learnt ?? learner.fresh(), found?.head.offsets ?? {});
    this.#erasedTo = erasedTo;
  }

  /** True when whoever was erased up to then is in no snapshot any more: then a new server learns nothing of him. */
  async areWithout(atMs: number): Promise<boolean> {
    return erasedToOf(await this.#readHead()) >= atMs;
  }

  /**
   * Brings what was learnt to what it would be without whoever was erased since: by learning anew where snapshots are our
   * task, else from the snapshot that comes of it. What was learnt before answers until then.
   */
  async #catchUpErasures(): Promise<void> {
    const { membership, erasedAtMs, link } = this.#options;
    if (this.#erasedTo >= erasedAtMs() || !link.isUp) return;
    if (!membership.isOurs(TASK)) {
      if (await this.areWithout(erasedAtMs())) await this.restore();
      return;
    }
    await this.restore();
    await this.take();
  }

  /** Takes snapshots from now on, whenever it is our task. */
  start(everyMs = SNAPSHOT_EVERY_MS): void {
    this.#timer = setTimeout(() => void this.turn().finally(() => this.#closed || this.start(everyMs)), everyMs);
    this.#timer.unref();
  }

  /** Takes one now; false where another server was first, or Redis is away. */
  async take(): Promise<boolean> {
    const { learner } = this.#options;
    const current = await this.#readHead();
    // It holds somebody who was erased, or what this release cannot read.
    const isReplaced = current !== undefined && (erasedToOf(current) < this.#erasedTo || current.version === this.#unread);
    // Where Redis has lost it, we still know all of it. Where another server's line went on, its rows are not ours.
    const goesOn = current === undefined || (isReplaced ? this.#isFresh : current.version === this.#head?.version);
    if (!goesOn) {
      await this.restore();
      return false;
    }
    const { tables, decisions } = learner.learning;
    const place = await learner.atRest((offsets) => {
      for (const table of tables) {
        if (current === undefined) table.touchAll();
        table.begin();
      }
      return { offsets, program: decisions.version };
    });
    const version = (current?.version ?? 0) + 1;
    const line = isReplaced || current === undefined ? uuidv7() : current.line;
    const head: Head = { version, line, delta: uuidv7(), ...place, ...this.#erased };
    this.#isFresh = false;
    this.#head = undefined;
    try {
      for (const table of tables) await this.#writeDelta(head.delta!, table);
    } catch (error) {
      // Rows that were not written are no longer marked as changed: from here on we are of no line.
      for (const table of tables) while (!table.take(ROWS_A_WRITE, () => {}));
      throw error;
    }
    if (!(await this.#swap(version - 1, head))) return false;
    this.#head = head;
    this.takenTotal++;
    await this.#fold(head, tables);
    const folded = { ...head, version: version + 1, delta: null };
    if (await this.#swap(version, folded)) this.#head = folded;
    await this.#forget(tables.map((table) => this.#deltaKey(head.delta!, table)));
    if (isReplaced) await this.#forget(tables.map((table) => this.#baseKey(current.line, table)));
    return true;
  }

  get #erased(): Pick<Head, "erasedTo"> {
    return this.#erasedTo === -Infinity ? {} : { erasedTo: this.#erasedTo };
  }

  /** Does what is due now. Never rejects. */
  turn(): Promise<void> {
    this.#turning ??= this.#turn().finally(() => (this.#turning = undefined));
    return this.#turning;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    const { membership, link, onFault } = this.#options;
    await this.#catchUpErasures().catch((error: unknown) => onFault(error as Error));
    if (!link.isCurrent || !membership.isOurs(TASK)) return;
    await this.take().catch((error: unknown) => onFault(error as Error));
  }

  async #load(): Promise<{ head: Head; learnt: Learnt } | undefined> {
    for (let tries = 0; tries < RESTORE_TRIES_MAX; tries++) {
      const head = await this.#readHead();
      if (head === undefined || erasedToOf(head) < this.#options.erasedAtMs()) return undefined;
      this.#unread = head.version;
      const learnt = this.#options.learner.fresh(head.program);
      const rows = new Map<LearntTable, Map<string, Buffer>>();
      for (const source of learnt.tables) {
        // The delta first: while it is folded the base has some of its rows already, and when it is gone all of them.
        const delta = head.delta === null ? new Map<string, Buffer>() : await this.#rows(this.#deltaKey(head.delta, source));
        rows.set(source, new Map([...(await this.#rows(this.#baseKey(head.line, source))), ...delta]));
      }
      if ((await this.#readHead())?.version !== head.version) continue;
      for (const [source, ofTable] of rows) {
        for (const [key, row] of ofTable) if (row[0] === ROW) source.load(key, row.subarray(1));
      }
      this.#unread = undefined;
      return { head, learnt };
    }
    throw new Error("snapshots of the models came faster than one could be read");
  }

  async #readHead(): Promise<Head | undefined> {
    const key = `${this.#prefix}head`;
    const head = (await this.#options.link.write(key, ["GET", key])) as Buffer | null;
    return head === null ? undefined : (JSON.parse(head.toString()) as Head);
  }

  async #rows(key: string): Promise<Map<string, Buffer>> {
    const rows = new Map<string, Buffer>();
    let cursor = "0";
    do {
      const [next, found] = (await this.#options.link.write(key, ["HSCAN", key, cursor, "COUNT", String(SCAN_COUNT)])) as [
        Buffer,
        Buffer[],
      ];
      for (let i = 0; i < found.length; i += 2) rows.set(found[i]!.toString(), found[i + 1]!);
      cursor = next.toString();
    } while (cursor !== "0");
    return rows;
  }

  async #writeDelta(delta: string, table: LearntTable): Promise<void> {
    const key = this.#deltaKey(delta, table);
    for (let isDone = false; !isDone; ) {
      const args: (string | Buffer)[] = [];
      isDone = table.take(ROWS_A_WRITE, (row, bytes) => args.push(String(row), rowOf(bytes)));
      if (args.length > 0) await this.#options.link.write(key, ["HSET", key, ...args]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #fold({ version, line, delta }: Head, tables: readonly LearntTable[]): Promise<void> {
    for (const table of tables) {
      const rows = [...(await this.#rows(this.#deltaKey(delta!, table)))];
      for (let start = 0; start < rows.length; start += ROWS_A_WRITE) {
        const some = rows.slice(start, start + ROWS_A_WRITE).flat();
        const keys: [string, string] = [`${this.#prefix}head`, this.#baseKey(line, table)];
        await run(this.#options.link, FOLD, keys, [String(version), ...some]);
      }
    }
  }

  async #swap(from: number, head: Head): Promise<boolean> {
    const swapped = await run(this.#options.link, SWAP, [`${this.#prefix}head`], [String(from), JSON.stringify(head)]);
    return swapped === 1;
  }

  async #forget(keys: readonly string[]): Promise<void> {
    await this.#options.link.write(keys[0]!, ["UNLINK", ...keys]);
  }

  #baseKey(line: string, { name }: LearntTable): string {
    return `${this.#prefix}base:${line}:${name}`;
  }

  #deltaKey(delta: string, { name }: LearntTable): string {
    return `${this.#prefix}delta:${delta}:${name}`;
  }
}

function erasedToOf(head: Head | undefined): number {
  return head?.erasedTo ?? -Infinity;
}

function rowOf(bytes: Uint8Array | null): Buffer {
  return bytes === null ? Buffer.of(GONE) : Buffer.concat([Buffer.of(ROW), bytes]);
}
