// The append-only log on disk: segment files, one synced write per batch.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { KeyObject } from "node:crypto";
import { assert } from "../../core/assert.ts";
import { closedBatches, type OnDamage } from "./closed-batches.ts";
import { BATCH_TYPE, ERASED_TYPE } from "./frame.ts";
import {
  type Erased,
  LogDamagedError,
  type LogEntry,
  LogFailedError,
  type LogFault,
  LogFullError,
  type LogOptions,
  type ReadOptions,
  type SegmentLog,
} from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import { hasRoomFor, openReserve, type Reserve } from "./reserve.ts";
import { rewriteSegment } from "./rewrite.ts";
import type { SegmentKeys } from "./seal.ts";
import {
  baseOfName,
  checkSegmentHeader,
  generationOf,
  readAt,
  SEGMENT_HEADER_BYTES,
  type SegmentFile,
  segmentHeader,
  segmentName,
  type WalkRange,
  walkFrames,
} from "./segment-file.ts";
import { givingWay } from "../giving-way.ts";
import { syncFolder } from "./sync-folder.ts";
import { examineTail, isCloseMark } from "./tail.ts";

const SEGMENT_BYTES_MAX = 128 * 1024 * 1024;
const RESERVE_BYTES = 1024 * 1024;
/** No space on the device, in the quota, in the size that a file may have. */
const FULL_CODES = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/**
 * On Linux a file opened so is written and synced by one call: what `write` and `fdatasync` would do in two, each with a
 * way to the thread pool and back (a twelfth of the CPU of a single event). Elsewhere it does not reach the platter.
 */
const SYNCED_WRITES = process.platform === "linux" ? constants.O_DSYNC : 0;

/**
 * Opens the log in `folder`, which is created, and finds its end: the last segment is read whole (0.3 s for 128 MiB),
 * a torn tail is removed, everything amiss goes to `onFault`. The caller holds the folder's lock.
 * Throws LogFullError or LogFailedError where the disk does not let it.
 */
export async function openLog(folder: string, options: LogOptions): Promise<SegmentLog> {
  const log = new FileLog(folder, options);
  await translated(() => log.open());
  return log;
}

class FileLog implements SegmentLog {
  state: SegmentLog["state"] = "open";
  readonly #folder: string;
  readonly #segmentBytesMax: number;
  readonly #sync: "fdatasync" | "none";
  readonly #durableEnd: number;
  readonly #onFault: (fault: LogFault) => void;
  readonly #reserveBytes: number;
  readonly #keys: SegmentKeys | undefined;
  #reserve!: Reserve;
  /** In order of position, never empty; the last one is written to. */
  #segments: SegmentFile[] = [];
  #file!: FileHandle;
  #busy = false;

  constructor(folder: string, options: LogOptions) {
    this.#folder = folder;
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    this.#sync = options.sync ?? "fdatasync";
    this.#durableEnd = options.durableEnd ?? 0;
    this.#reserveBytes = options.reserveBytes ?? RESERVE_BYTES;
    this.#onFault = options.onFault;
    this.#keys = options.keys;
  }

  get start(): number {
    return this.#segments[0]!.base;
  }

  get end(): number {
    return this.#segments.at(-1)!.end;
  }

  get bounds(): readonly { readonly base: number; readonly end: number }[] {
    return this.#segments.map(({ base, end }) => ({ base, end }));
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.end - segment.base + SEGMENT_HEADER_BYTES, 0);
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const bases = (await readdir(this.#folder)).map(baseOfName).filter((base) => base !== undefined);
    bases.sort((a, b) => a - b);
    for (const [index, base] of bases.entries()) this.#discover(base, bases[index + 1]);
    this.#reserve = await openReserve(join(this.#folder, "reserve"), this.#reserveBytes);
    if (this.#segments.length === 0) await this.#addSegment(this.#durableEnd);
    else await this.#mendLast();
    if (this.end < this.#durableEnd) {
      this.#report("missing", this.end, this.#durableEnd - this.end, this.#segments.at(-1)!.path);
      await this.#addSegment(this.#durableEnd);
    }
    // The log was kept open until now: from here on it is closed.
    if (this.#keys !== undefined && this.#segments.at(-1)!.generation === 0) await this.#addSegment(this.end);
  }

  /** Notes a segment and what its header and its size say. Damage within closed segments is found by their readers. */
  #discover(base: number, nextBase: number | undefined): void {
    const path = join(this.#folder, segmentName(base));
    const fd = openSync(path, "r");
    try {
      const end = base + Math.max(0, fstatSync(fd).size - SEGMENT_HEADER_BYTES);
      const bytes = readAt(fd, 0, SEGMENT_HEADER_BYTES);
      const header = checkSegmentHeader(bytes, base);
      if (header === "newer") {
        throw new LogFailedError(`${path} was written by a newer version of attune; start that version.`);
      }
      const generation = header === "sound" ? generationOf(bytes) : (this.#keys?.newest(base) ?? 0);
      if (generation > 0 && this.#keys?.find(base, generation) === undefined) {
        const how = this.#keys === undefined ? "encryption is off; turn it on" : "its key is not in the vault; bring the vault back";
        throw new LogFailedError(`${path} is encrypted, and ${how}`);
      }
      // A crash while the last segment was made leaves a header that is not whole, and nothing behind it.
      if (header === "damaged" && (nextBase !== undefined || end > base)) this.#report("damaged", base, 0, path);
      this.#segments.push({ path, base, end: Math.min(end, nextBase ?? end), generation });
      if (nextBase !== undefined && end < nextBase) this.#report("missing", end, nextBase - end, path);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Removes a torn tail. The last batch is written again before it is trusted: after a failed sync the kernel takes
   * pages for clean that never reached the disk, and a sync alone would say yes to them.
   */
  async #mendLast(): Promise<void> {
    const segment = this.#segments.at(-1)!;
    this.#file = await open(segment.path, constants.O_RDWR | this.#syncFlag);
    const tail = examineTail(this.#file.fd, segment, this.#durableEnd);
    for (const { position, sizeBytes } of tail.damaged) this.#report("damaged", position, sizeBytes, segment.path);
    if (tail.end < segment.end) {
      this.#report("torn_tail", tail.end, segment.end - tail.end, segment.path);
      segment.end = tail.end;
      await this.#file.truncate(this.#offset(segment.end));
    }
    if (tail.lastBatch !== undefined && !isCloseMark(tail.lastBatch)) {
      const { start, end } = tail.lastBatch;
      await this.#write(readAt(this.#file.fd, this.#offset(start), end - start), this.#offset(start));
    }
    await this.#write(segmentHeader(segment.base, segment.generation), 0);
    await this.#file.datasync();
    await syncFolder(this.#folder);
  }

  async append(batch: RecordBatch): Promise<number> {
    assert(!this.#busy, "one append at a time");
    if (this.state === "failed") throw new LogFailedError("the log has failed before; start the process anew");
    assert(this.state !== "closed", "the log is open");
    this.#busy = true;
    try {
      await this.#makeRoom(batch.sizeBytes);
      const segment = this.#segments.at(-1)!;
      const { base, generation, end: position } = segment;
      const key = generation === 0 ? undefined : this.#keyOf(segment);
      await this.#write(batch.sealed({ base, generation, position }, key), this.#offset(position));
      await this.#settle();
      segment.end += batch.sizeBytes;
      this.state = "open";
      return segment.end;
    } catch (error) {
      throw await this.#refuse(error as NodeJS.ErrnoException);
    } finally {
      this.#busy = false;
    }
  }

  /** After a full disk the reserve comes back first: the log only goes on when there is room beyond the next batch. */
  async #makeRoom(batchBytes: number): Promise<void> {
    if (!this.#reserve.held) await this.#reserve.take();
    const segment = this.#segments.at(-1)!;
    const usedBytes = segment.end - segment.base;
    if (usedBytes > 0 && usedBytes + batchBytes > this.#segmentBytesMax) await this.#addSegment(segment.end);
  }

  async hasRoom(): Promise<boolean> {
    assert(!this.#busy, "no append is running");
    return hasRoomFor(join(this.#folder, "room"), 2 * this.#reserveBytes);
  }

  async #settle(): Promise<void> {
    if (this.#sync === "none" || this.#syncFlag !== 0) return;
    try {
      await this.#file.datasync();
    } catch (cause) {
      throw new LogFailedError(`${this.#folder}: fdatasync failed; what was written may be lost`, { cause });
    }
  }

  /** Nothing of the batch may stay where the next one will be written, and after a doubt nothing more is taken. */
  async #refuse(error: NodeJS.ErrnoException): Promise<Error> {
    if (FULL_CODES.has(error.code ?? "")) {
      try {
        await this.#reserve.giveBack();
        await this.#file.truncate(this.#offset(this.end));
        this.state = "full";
        return new LogFullError(`no space for the log in ${this.#folder} (${error.code}); free some`, { cause: error });
      } catch (cause) {
        this.state = "failed";
        return new LogFailedError(`${this.#folder}: cannot undo a write on the full disk`, { cause });
      }
    }
    this.state = "failed";
    if (error instanceof LogFailedError) return error;
    return new LogFailedError(`${this.#folder}: ${error.message}`, { cause: error });
  }

  async #addSegment(base: number): Promise<void> {
    const generation = this.#keys === undefined ? 0 : 1;
    this.#keys?.make(base, generation);
    const segment: SegmentFile = { path: join(this.#folder, segmentName(base)), base, end: base, generation };
    const file = await open(
      segment.path,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | this.#syncFlag,
    );
    try {
      await file.write(segmentHeader(base, generation), 0, SEGMENT_HEADER_BYTES, 0);
      if (this.#sync !== "none") {
        await file.datasync();
        await syncFolder(this.#folder);
      }
    } catch (error) {
      await file.close();
      await rm(segment.path, { force: true });
      throw error;
    }
    if (this.#segments.length > 0) await this.#file.close();
    this.#file = file;
    this.#segments.push(segment);
  }

  async #write(bytes: Buffer, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, offset + written);
      written += bytesWritten;
    }
  }

  get #syncFlag(): number {
    return this.#sync === "none" ? 0 : SYNCED_WRITES;
  }

  /** Where a position of the last segment lies in its file. */
  #offset(position: number): number {
    return position - this.#segments.at(-1)!.base + SEGMENT_HEADER_BYTES;
  }

  *read(from: number, options: ReadOptions = {}): Generator<LogEntry, void, void> {
    const to = Math.min(options.to ?? this.end, this.end);
    assert(from >= this.start, `the log starts at position ${this.start}, ${from} is no more`);
    const damaged = (kind: LogFault["kind"], file: string) => (position: number, sizeBytes: number) => {
      const fault: LogFault = { kind, position, sizeBytes, file: basename(file) };
      if (options.onCorrupt === undefined) throw new LogDamagedError(fault);
      options.onCorrupt(fault);
    };
    let position = from;
    for (const segment of [...this.#segments]) {
      const { path, base, end } = segment;
      if (end <= position || base >= to) continue;
      if (base > position) damaged("missing", path)(position, base - position);
      const fd = openSync(path, "r");
      try {
        const range = { base, from: Math.max(position, base), to: Math.min(end, to) };
        const onDamage = damaged("damaged", path);
        if (segment.generation > 0) yield* this.#readClosed(fd, segment, range, onDamage);
        else for (const frame of walkFrames(fd, range, onDamage)) if (isRecord(frame.type)) yield frame;
      } finally {
        closeSync(fd);
      }
      position = end;
    }
  }

  *#readClosed(
    fd: number,
    segment: SegmentFile,
    range: WalkRange,
    onDamage: OnDamage,
  ): Generator<LogEntry, void, void> {
    const key = this.#keyOf(segment);
    for (const { records } of closedBatches(fd, { ...segment, key }, range, onDamage)) {
      for (const record of records) if (record.position >= range.from && record.type !== ERASED_TYPE) yield record;
    }
  }

  #keyOf({ path, base, generation }: SegmentFile): KeyObject {
    const key = this.#keys?.find(base, generation);
    if (key === undefined) throw new LogFailedError(`${path} is encrypted, and its key is not in the vault`);
    return key;
  }

  async dropBefore(position: number): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[0]!.end <= position) {
      await rm(this.#segments[0]!.path, { force: true });
      this.#segments.shift();
    }
    await syncFolder(this.#folder);
    this.#keys?.dropBefore(this.start);
  }

  async roll(): Promise<number> {
    assert(!this.#busy && this.state === "open", "no append is running");
    this.#busy = true;
    try {
      const { base, end } = this.#segments.at(-1)!;
      if (end > base) await this.#addSegment(end);
      return this.end;
    } catch (error) {
      throw await this.#refuse(error as NodeJS.ErrnoException);
    } finally {
      this.#busy = false;
    }
  }

  async erase(before: number, isErased: (entry: LogEntry) => boolean, from = 0): Promise<Erased> {
    const isMeant = (segment: SegmentFile): boolean => segment.end <= before && segment.end > from;
    const segments = this.#segments.filter((segment) => isMeant(segment) && segment !== this.#segments.at(-1));
    const erased = { records: 0, segments: 0 };
    const noted = (entry: LogEntry): boolean => {
      const isHis = isErased(entry);
      if (isHis) erased.records++;
      return isHis;
    };
    for (const segment of segments) {
      if (!(await this.#holdsOne(segment, isErased))) continue;
      const { base, generation } = segment;
      const key = generation === 0 ? undefined : this.#keyOf(segment);
      const newest = generation === 0 ? 0 : Math.max(generation, this.#keys!.newest(base)) + 1;
      const next = { generation: newest, key: newest === 0 ? undefined : this.#keys!.make(base, newest) };
      await rewriteSegment({ segment, key, next, isErased: noted });
      segment.generation = newest;
      erased.segments++;
    }
    this.#keys?.retire(segments.filter(({ generation }) => generation > 0));
    return erased;
  }

  async #holdsOne({ base, end }: SegmentFile, isErased: (entry: LogEntry) => boolean): Promise<boolean> {
    const giveWay = givingWay();
    for (const entry of this.read(base, { to: end, onCorrupt: () => {} })) {
      if (isErased(entry)) return true;
      await giveWay();
    }
    return false;
  }

  async close(): Promise<void> {
    if (this.state === "open" || this.state === "full") {
      await this.append(new RecordBatch()).catch((error: unknown) => {
        // A full disk has no room for the mark; the next open then treats the end as after a crash.
        if (!(error instanceof LogFullError)) throw error;
      });
    }
    await this.abandon();
  }

  async abandon(): Promise<void> {
    if (this.state === "closed") return;
    assert(!this.#busy, "no append is running");
    this.state = "closed";
    await this.#file.close();
  }

  #report(kind: LogFault["kind"], position: number, sizeBytes: number, path: string): void {
    this.#onFault({ kind, position, sizeBytes, file: basename(path) });
  }
}

const isRecord = (type: number): boolean => type !== BATCH_TYPE && type !== ERASED_TYPE;

async function translated(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (FULL_CODES.has(code ?? "")) throw new LogFullError(`no space to open the log: ${message}`, { cause: error });
    if (typeof code === "string" && code.startsWith("E")) {
      throw new LogFailedError(`cannot open the log: ${message}`, { cause: error });
    }
    throw error;
  }
}
