// Group commit. Everything that changes a project comes through here, one group after the other: what waits is encoded,
// written and synced in one go, then folded, then answered. So an answer means "on disk and already in the profile", and
// the check for duplicates sees every event before it.
import { LogFailedError, LogFullError, type SegmentLog } from "../log/log.ts";
import { RecordBatch } from "../log/record-batch.ts";
import { HostError } from "../ports.ts";
import { GroupKeys, GroupLinks, type KeyedRecord } from "./event-keys.ts";
import { encodeRecord } from "./record-codec.ts";

/**
 * Records folded between two turns of the event loop: 500 take about 6 ms. Where many wait, turns are long, and a group of
 * that size in each of them would be a fraction of what the node can take.
 */
const GROUP_RECORDS = 500;
const GROUP_RECORDS_MAX = 2_000;
/** The part of what waits that a group takes. */
const GROUP_SHARE = 1 / 8;
/** What may wait before new work is refused: bounds memory under overload. */
const QUEUED_BYTES_MAX = 32 << 20;
/** From here on it is full for whoever asks first: there may be room for one event, but none for a batch. */
const FULL_BYTES = 0.98 * QUEUED_BYTES_MAX;
const RETRY_AFTER_S = 1;
/** How often a full disk is looked at while nobody writes: a balancer that reads `/readyz` sends nobody until it is ready again. */
const SPACE_LOOK_MS = 5_000;

export interface Group {
  /** Processing time of all its records, Unix ms: never before that of an earlier group, nor before any look at a person. */
  readonly atMs: number;
  /** Keys of the events that it writes already, for the check for duplicates. */
  readonly keys: GroupKeys;
  /** What its records link and say, for the checks for duplicates and for consent. */
  readonly links: GroupLinks;
  /** The newest version among the programs that it writes already; 0 where it writes none. */
  programVersion: number;
}

/** One request's share of a group. */
export interface Work {
  /** About how much memory it holds while it waits. */
  readonly sizeBytes: number;
  /** How many records it may add. */
  readonly records: number;
  /** Its turn comes as the first of a group: everything before it is folded then. */
  readonly isFirst?: boolean;
  /** Called when its turn has come, after every earlier group was folded: names the records to be written. */
  prepare(group: Group): KeyedRecord[];
}

interface Waiting {
  work: Work;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class Committer {
  readonly #log: SegmentLog;
  readonly #fold: (record: KeyedRecord, next: number) => void;
  readonly #clock: () => number;
  readonly #folded: (end: number) => void;
  /** Set while a group is on its way. */
  #group: Promise<void> | null = null;
  /** Set while somebody has the log for himself. */
  #held: Promise<void> | null = null;
  readonly #batch = new RecordBatch();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #queuedRecords = 0;
  #running: Promise<void> | null = null;
  #closed = false;
  #failed: HostError | null = null;
  #groupAtMs: number | null = null;
  #spaceTimer: NodeJS.Timeout | null = null;
  /** Set while a look for space is on its way. */
  #looking: Promise<void> | null = null;
  /** Set while the disk is full. */
  storageFull = false;

  constructor(options: {
    log: SegmentLog;
    /** Applies one durable record, which ends at log position `next`; called in log order. */
    fold: (record: KeyedRecord, next: number) => void;
    /** Told after each group: everything before this log position is folded. */
    folded: (end: number) => void;
    /** Processing time, Unix ms; never goes back. */
    clock: () => number;
  }) {
    this.#log = options.log;
    this.#fold = options.fold;
    this.#clock = options.clock;
    this.#folded = options.folded;
  }

  /**
   * The time to which a person may be brought now. While a group is on its way to the disk that is the group's own time:
   * a record must never be folded into a person who has been brought past it, because a replay knows no looks. The same
   * when the log has failed: the group that met it may be on the disk.
   */
  lookTimeMs(): number {
    return this.#groupAtMs ?? this.#clock();
  }

  get queuedRecords(): number {
    return this.#queuedRecords;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The log cannot be written any more, until the process starts anew. */
  get hasFailed(): boolean {
    return this.#failed !== null;
  }

  get isFull(): boolean {
    return this.#queuedBytes > FULL_BYTES;
  }

  /** Resolves when the work's records are durable and folded. Rejects with HostError where none of them was taken. */
  submit(work: Work): Promise<void> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    if (this.#closed) {
      const options = { retryAfterS: RETRY_AFTER_S };
      return Promise.reject(new HostError("shutting_down", "the node is shutting down; send it again", options));
    }
    if (this.#queuedBytes + work.sizeBytes > QUEUED_BYTES_MAX && this.#queue.length > 0) {
      const options = { retryAfterS: RETRY_AFTER_S };
      return Promise.reject(new HostError("overloaded", "too much is waiting to be written; send it again", options));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#queuedBytes += work.sizeBytes;
      this.#queuedRecords += work.records;
      this.#running ??= this.#run();
    });
  }

  /**
   * Runs `work` between two groups: nothing is written or folded meanwhile, what comes waits. Where the log fails in it, it
   * rejects with HostError.
   */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#held;
    let release = (): void => {};
    const held = (this.#held = new Promise<void>((resolve) => (release = resolve)));
    await before;
    await this.#group;
    try {
      return await work();
    } catch (error) {
      const isLogs = error instanceof LogFullError || error instanceof LogFailedError;
      throw isLogs ? this.#translate(error) : error;
    } finally {
      if (this.#held === held) this.#held = null;
      release();
    }
  }

  /** Resolves when what waited is written; later work is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#spaceTimer !== null) clearTimeout(this.#spaceTimer);
    await this.#looking;
    await this.#running;
  }

  #lookForSpaceSoon(): void {
    if (this.#closed || this.#failed !== null) return;
    this.#spaceTimer ??= setTimeout(() => {
      this.#spaceTimer = null;
      this.#looking = this.#lookForSpace().finally(() => (this.#looking = null));
    }, SPACE_LOOK_MS).unref();
  }

  /** Where there is room again an empty batch says that the log takes what comes. */
  async #lookForSpace(): Promise<void> {
    try {
      await this.exclusive(async () => {
        if (!this.storageFull) return;
        if (!(await this.#log.hasRoom())) return this.#lookForSpaceSoon();
        this.#folded(await this.#log.append(new RecordBatch()));
        this.storageFull = false;
      });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }

  async #run(): Promise<void> {
    // One turn later, so that requests which arrived together share a group from the start.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      while (this.#held !== null) await this.#held;
      this.#group = this.#commitGroup();
      await this.#group;
      this.#group = null;
    }
    this.#running = null;
  }

  async #commitGroup(): Promise<void> {
    const group: Waiting[] = [];
    const records: KeyedRecord[] = [];
    const ends: number[] = [];
    const atMs = this.#groupAtMs ?? this.#clock();
    const shared: Group = { atMs, keys: new GroupKeys(), links: new GroupLinks(), programVersion: 0 };
    this.#groupAtMs = atMs;
    this.#batch.clear();
    const recordsMax = Math.min(GROUP_RECORDS_MAX, Math.max(GROUP_RECORDS, this.#queuedRecords * GROUP_SHARE));
    for (const entry of this.#queue) {
      const isNext = entry.work.isFirst !== true && records.length + entry.work.records <= recordsMax;
      if (group.length > 0 && !isNext) break;
      this.#queuedBytes -= entry.work.sizeBytes;
      this.#queuedRecords -= entry.work.records;
      group.push(entry);
      for (const record of entry.work.prepare(shared)) {
        const { type, payload } = encodeRecord(record);
        this.#batch.add(type, payload);
        records.push(record);
        ends.push(this.#batch.sizeBytes);
      }
    }
    this.#queue = this.#queue.slice(group.length);
    let end = this.#log.end;
    try {
      if (records.length > 0) {
        end = await this.#log.append(this.#batch);
        this.storageFull = false;
      }
    } catch (cause) {
      const error = this.#translate(cause);
      // Of a full disk nothing stays. Of a write that failed nobody knows: the next start may find its records and fold
      // them, so time stands still for everybody until then.
      if (this.#failed === null) this.#groupAtMs = null;
      for (const { reject } of group) reject(error);
      return;
    }
    const start = end - this.#batch.sizeBytes;
    for (let i = 0; i < records.length; i++) this.#fold(records[i]!, start + ends[i]!);
    this.#folded(end);
    this.#groupAtMs = null;
    for (const { resolve } of group) resolve();
  }

  #translate(cause: unknown): HostError {
    if (cause instanceof LogFullError) {
      this.storageFull = true;
      this.#lookForSpaceSoon();
      const message = "the disk is full: nothing of this was taken; free space and send it again";
      return new HostError("storage_full", message, { retryAfterS: 5, cause });
    }
    const message = "the log cannot be written any more: restart the node when the disk is well";
    this.#failed = new HostError("storage_failed", message, { retryAfterS: 30, cause });
    return this.#failed;
  }
}
