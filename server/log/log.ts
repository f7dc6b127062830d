// What the log promises: the types that the rest of the server codes against.
import type { RecordBatch } from "./record-batch.ts";
import type { SegmentKeys } from "./seal.ts";

/** One record as a reader sees it: it starts at `position`, the following one at `next` or later. */
export interface LogEntry {
  readonly position: number;
  readonly type: number;
  /** A view that stays valid. */
  readonly payload: Buffer;
  readonly next: number;
}

/**
 * Bytes of the log that are not what was written. `torn_tail`: a write that a crash cut short, never acknowledged,
 * removed at open. `damaged`: bytes that have rotted; they stay where they are and every reader is told of them. Of a
 * closed batch (LogOptions.keys) all is damaged where one byte is: what is not authentic is not given to anybody.
 * `missing`: a range of positions that no file holds.
 */
export interface LogFault {
  readonly kind: "torn_tail" | "damaged" | "missing";
  readonly position: number;
  readonly sizeBytes: number;
  readonly file: string;
}

export interface LogOptions {
  /** A segment takes no further batch once it has this size. Default 128 MiB. */
  readonly segmentBytesMax?: number;
  /** `none` never waits for the disk and loses what was acknowledged when power fails: the rigs' negative control. */
  readonly sync?: "fdatasync" | "none";
  /**
   * A position up to which the caller knows the log to be durable (its checkpoint). What is unreadable or missing
   * before it is reported as such, and never taken for a torn tail; new positions start behind it.
   */
  readonly durableEnd?: number;
  /** Kept free on the disk, so that a full one can still be worked on. Default 1 MiB. */
  readonly reserveBytes?: number;
  /** Closes new segments, and opens closed ones. Without it new segments are open. */
  readonly keys?: SegmentKeys;
  /** Told of everything that open finds wrong. */
  readonly onFault: (fault: LogFault) => void;
}

export interface Erased {
  readonly records: number;
  /** Segments that were written anew. */
  readonly segments: number;
}

export interface ReadOptions {
  /** First position not to be read. Default: `end` at the time of the call. */
  readonly to?: number;
  /** Told of each unreadable range, which is then skipped. Without it the read throws LogDamagedError. */
  readonly onCorrupt?: (fault: LogFault) => void;
}

/** An append-only sequence of records. Positions are byte offsets that only grow, over all segments ever. */
export interface SegmentLog {
  /** Position of the first record still held. */
  readonly start: number;
  /** Position behind the last durable record. */
  readonly end: number;
  /** Bytes on disk. */
  readonly sizeBytes: number;
  /** `full`: the last append was refused for want of space; `failed`: the disk refused to keep its word. */
  readonly state: "open" | "full" | "failed" | "closed";

  /**
   * Resolves with the new `end` when the whole batch is durable. One at a time.
   * Rejects with LogFullError (nothing was taken; try again when there is space) or with LogFailedError (the log must
   * be opened anew; the batch is in it or not).
   */
  append(batch: RecordBatch): Promise<number>;

  /** Whether the disk has twice the reserve: a `full` log then takes more than one batch. Between appends. */
  hasRoom(): Promise<boolean>;

  /** Records in order, from a position that the log gave. Reads in chunks of 1 MiB, synchronously. */
  read(from: number, options?: ReadOptions): Generator<LogEntry, void, void>;

  /** The segments in order: positions of their first record and of the one behind their last. */
  readonly bounds: readonly { readonly base: number; readonly end: number }[];

  /** Removes the segments that lie wholly before `position`, and destroys their keys; the last one stays. */
  dropBefore(position: number): Promise<void>;

  /**
   * Begins a new segment where the last one holds anything; resolves with the end: what lies before it is written no more.
   * Between appends. Rejects as `append` does.
   */
  roll(): Promise<number>;

  /**
   * Takes the records that `isErased` names out of all segments that lie wholly before `before` (and not wholly before
   * `from`) and are written no more.
   * Positions hold; the keys of closed segments that held one are replaced and destroyed. Durable when it resolves; called
   * again after a crash it goes on. Stretches that cannot be read are emptied in a segment that holds one.
   */
  erase(before: number, isErased: (entry: LogEntry) => boolean, from?: number): Promise<Erased>;

  /** Marks the end as cleanly closed, so that later damage there is not taken for a torn write. */
  close(): Promise<void>;
  /** Lets go of the files as a crash would, without the mark: for a log that has failed. */
  abandon(): Promise<void>;
}

/** No space for the batch; nothing of it was taken. The log goes on by itself when there is space again. */
export class LogFullError extends Error {
  override readonly name = "LogFullError";
  readonly code = "storage_full";
}

/** The disk failed. Nothing may be acknowledged any more; free or replace the disk and start the process anew. */
export class LogFailedError extends Error {
  override readonly name = "LogFailedError";
  readonly code = "storage_failed";
}

/** A reader that cannot go on without losing records met bytes that have rotted. */
export class LogDamagedError extends Error {
  override readonly name = "LogDamagedError";
  readonly code = "log_damaged";
  readonly fault: LogFault;
  constructor(fault: LogFault) {
    super(`${fault.file}: ${fault.sizeBytes} bytes at log position ${fault.position} are ${fault.kind}. ` +
      "Restore the file from a backup, or run `attune verify` to see what it cost.");
    this.fault = fault;
  }
}

/** What stands for the log's head, which retention took away, is damaged: nothing that is left can build it anew. */
export class LogHeadDamagedError extends Error {
  override readonly name = "LogHeadDamagedError";
  constructor(path: string) {
    super(`${path} stands for the log's head and is damaged: bring the folder back with attune restore`);
  }
}
