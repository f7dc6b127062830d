// The audit trail on disk: one append-only file a node, flushed in groups, and the anchor of its head in another place.
import { createHmac } from "node:crypto";
import { closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../disk/durable-file.ts";
import { givingWay } from "../giving-way.ts";
import { HostError } from "../ports.ts";
import {
  FIRST_HASH,
  firstFault,
  nextEntry,
  parseEntry,
  type Anchor,
  type AuditEntry,
  type AuditFacts,
  type ChainFault,
} from "./chain.ts";
import { cutHead, linesFromEnd, linesOf, writeAll } from "./trail-file.ts";

/** Reads of the same person by the same key within this time are one entry. */
const SAME_READ_MS = 60_000;
const READS_REMEMBERED_MAX = 10_000;
const FLUSH_MS = 100;
/** What the disk did not take is written again after so long, or with the next change. */
const RETRY_MS = 1_000;
const RETRY_AFTER_S = 2;
/** Entries that wait for the disk; then writing is done at once, and where it cannot be, nothing more is taken. */
const WAITING_MAX = 1_000;
/** Newest entries held in memory for lists; who asks for older ones has the file read, from its end. */
const HELD_MAX = 20_000;
/** Old entries are taken away so often, and at start. */
const CUT_EVERY_MS = 6 * 3_600_000;

export interface AuditQuery {
  project: string;
  /** Entries with a larger number come first, down to (without) this one. */
  before?: number | undefined;
  limit: number;
  subject?: string | undefined;
  action?: string | undefined;
}

export interface AuditLog {
  /**
   * Something was changed: kept for good when it returns or resolves. Throws, or rejects with, HostError where it could not be
   * taken down yet, or so much waits already that it will not be.
   */
  change(facts: Omit<AuditFacts, "at">): AuditEntry | Promise<AuditEntry>;
  /**
   * Somebody read a person: on disk soon after; repeated reads within a minute are one entry. @throws HostError where so much
   * waits that it cannot be taken down: then nobody may be shown.
   */
  read(facts: Omit<AuditFacts, "at">): void;
  /** The keyed hash by which the trail knows a person. */
  subjectOf(project: string, personKey: string): string;
  /** Newest first. */
  list(query: AuditQuery): AuditEntry[] | Promise<AuditEntry[]>;
  close(): void | Promise<void>;
}

/** A trail of this node's own, in a file: what changes it is done when a call returns. */
export interface FileAuditLog extends AuditLog {
  change(facts: Omit<AuditFacts, "at">): AuditEntry;
  /** Takes away the entries from before `atMs`, but for the newest; the chain of the rest holds. Returns how many. */
  dropBefore(atMs: number): number;
  close(): void;
}

export interface AuditOptions {
  /** Folder of the trail. */
  folder: string;
  /** File that holds the head; best on another volume. */
  anchor: string;
  /** Keys the hashes of persons. */
  pepper: Buffer;
  now: () => number;
  /** How long an entry is kept, ms; for ever where it is missing. */
  keptMs?: number | undefined;
}

/** The trail does not fit its anchor, or cannot be read: nothing may be added to it. */
export class AuditDamagedError extends Error {
  override readonly name = "AuditDamagedError";
}

const FILE = "audit.ndjson";

/** Opens the trail and goes on with it. A last line that a crash cut short is dropped: it was never answered. */
export function openAuditLog(options: AuditOptions): FileAuditLog {
  const { folder, anchor, pepper, now, keptMs = Infinity } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(anchor), { recursive: true });
  const path = join(folder, FILE);
  const known = readAnchor(anchor);
  const { newest: stored, first, sizeBytes: storedBytes, anchoredHash } = readStored(path, known?.seq);
  const last = stored.at(-1);
  if (known !== undefined && (last?.seq ?? 0) < known.seq) {
    throw new AuditDamagedError(`${path} ends before its anchor ${anchor}: run attune audit verify, restore the trail`);
  }
  // Hashes can be made anew by whoever writes the file. The next anchor would then stand for his trail, and nobody could tell any more.
  if (known !== undefined && known.seq > 0 && known.seq !== known.cut?.seq && anchoredHash !== known.hash) {
    throw new AuditDamagedError(`${path} is not what its anchor ${anchor} stands for: run attune audit verify, restore the trail`);
  }
  let file = openSync(path, "a", 0o600);
  if (fstatSync(file).size > storedBytes) ftruncateSync(file, storedBytes);
  /** Of whole entries that are durable. */
  let sizeBytes = storedBytes;
  let firstSeq = first?.seq ?? 1;
  let cut = known?.cut;
  let head: Anchor = last === undefined ? { seq: 0, hash: FIRST_HASH } : { seq: last.seq, hash: last.hash };
  let anchoredSeq = head.seq;
  let held = stored;
  let waiting: AuditEntry[] = [];
  let timer: NodeJS.Timeout | null = null;
  const isRepeated = repeatedReads(now);

  /** Where the disk does not take it nothing of it stays in the file: the next one to be written follows what is there. */
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length > 0) {
      const bytes = Buffer.from(waiting.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
      try {
        writeAll(file, bytes);
        fdatasyncSync(file);
      } catch (error) {
        ftruncateSync(file, sizeBytes);
        throw error;
      }
      sizeBytes += bytes.length;
      waiting = [];
    }
    if (anchoredSeq < head.seq) writeAnchor();
  };
  const flushSoon = (ms: number): void => {
    timer ??= setTimeout(() => {
      try {
        flush();
      } catch {
        flushSoon(RETRY_MS); // What waits is bounded, and whoever would add more to it is told.
      }
    }, ms).unref();
  };
  const flushNow = (otherwise: string): void => {
    try {
      flush();
    } catch (cause) {
      flushSoon(RETRY_MS);
      throw new HostError("unavailable", otherwise, { retryAfterS: RETRY_AFTER_S, cause });
    }
  };
  const writeAnchor = (): void => {
    replaceFile(anchor, JSON.stringify(cut === undefined ? head : { ...head, cut }));
    anchoredSeq = head.seq;
  };
  const dropBefore = (atMs: number): number => {
    flush();
    const old = oldestOf(path, atMs);
    if (old === undefined) return 0;
    const { seq, hash } = old.last;
    cut = { seq, hash };
    // The anchor first: a trail that still begins with its first entry fits it as well.
    writeAnchor();
    cutHead(path, old.end);
    closeSync(file);
    file = openSync(path, "a", 0o600);
    sizeBytes -= old.end;
    firstSeq = seq + 1;
    held = held.filter((entry) => entry.seq > seq);
    return old.count;
  };
  const add = (facts: Omit<AuditFacts, "at">): AuditEntry => {
    if (waiting.length >= WAITING_MAX) flushNow("The audit trail cannot be written.");
    const entry = nextEntry({ ...facts, at: now() }, head);
    head = { seq: entry.seq, hash: entry.hash };
    waiting.push(entry);
    held.push(entry);
    if (held.length >= 2 * HELD_MAX) held = held.slice(HELD_MAX);
    return entry;
  };

  const cutOld = (): void => {
    try {
      dropBefore(now() - keptMs);
    } catch (error) {
      if (error instanceof AuditDamagedError) throw error; // Of a full disk, say, they stay until the next time.
    }
  };
  if (keptMs !== Infinity) cutOld();
  const cutTimer = keptMs === Infinity ? undefined : setInterval(cutOld, CUT_EVERY_MS).unref();

  return {
    dropBefore,
    change(facts) {
      const entry = add(facts);
      flushNow("It was done, and could not be taken down yet.");
      return entry;
    },
    read(facts) {
      if (isRepeated(facts)) return;
      add(facts);
      flushSoon(FLUSH_MS);
    },
    subjectOf(project, personKey) {
      return subjectHash(pepper, project, personKey);
    },
    list(query) {
      const found = newest(held, query);
      const oldestHeld = held[0]?.seq ?? firstSeq;
      if (found.length === query.limit || oldestHeld <= firstSeq) return found;
      const { before = Infinity, limit } = query;
      const older = { ...query, before: Math.min(before, oldestHeld), limit: limit - found.length };
      return newestStored(path, older).then((rest) => [...found, ...rest]);
    },
    close() {
      clearInterval(cutTimer);
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

/** Whether the same key read the same person within the last minute already. */
export function repeatedReads(now: () => number): (facts: Omit<AuditFacts, "at">) => boolean {
  const lastReads = new Map<string, number>();
  return ({ project, actor, action, subject }) => {
    const same = `${project} ${actor} ${action} ${subject ?? ""}`;
    const nowMs = now();
    const lastMs = lastReads.get(same);
    if (lastMs !== undefined && Math.abs(nowMs - lastMs) < SAME_READ_MS) return true;
    if (lastReads.size >= READS_REMEMBERED_MAX) lastReads.clear();
    lastReads.set(same, nowMs);
    return false;
  };
}

export function subjectHash(pepper: Buffer, project: string, personKey: string): string {
  return createHmac("sha256", pepper).update(`${project}\n${personKey}`).digest("hex").slice(0, 32);
}

/** At most `limit` of them, newest first. */
export function newest(entries: readonly AuditEntry[], query: AuditQuery): AuditEntry[] {
  const found: AuditEntry[] = [];
  for (let i = entries.length - 1; i >= 0 && found.length < query.limit; i--) {
    if (isAsked(entries[i]!, query)) found.push(entries[i]!);
  }
  return found;
}

function isAsked(entry: AuditEntry, { project, before = Infinity, subject, action }: AuditQuery): boolean {
  if (entry.seq >= before || entry.project !== project) return false;
  return (subject === undefined || entry.subject === subject) && (action === undefined || entry.action === action);
}

/** The same of the file; requests have turns meanwhile. */
async function newestStored(path: string, query: AuditQuery): Promise<AuditEntry[]> {
  const { before = Infinity, limit } = query;
  const giveWay = givingWay();
  const found: AuditEntry[] = [];
  for (const line of linesFromEnd(path, (text) => entryOf(text, path).seq >= before)) {
    const entry = entryOf(line, path);
    if (isAsked(entry, query) && found.push(entry) === limit) break;
    await giveWay();
  }
  return found;
}

/** Checks a trail against its anchor: what `attune audit verify` does. */
export function verifyAuditTrail(folder: string, anchor: string): { entries: number; fault?: ChainFault } {
  const path = join(folder, FILE);
  const known = readAnchor(anchor);
  let entries = 0;
  let firstSeq: number | undefined;
  for (const { text } of linesOf(path)) if (++entries === 1) firstSeq = parseEntry(text)?.seq;
  const isCut = known?.cut !== undefined && entries > 0 && firstSeq !== 1;
  const fault = firstFault(textsOf(path), known, isCut ? known.cut : undefined);
  return { entries, ...(fault === undefined ? {} : { fault }) };
}

function* textsOf(path: string): Generator<string> {
  for (const { text } of linesOf(path)) yield text;
}

interface StoredTrail {
  first: AuditEntry | undefined;
  newest: AuditEntry[];
  /** Of the whole entries. */
  sizeBytes: number;
  /** Hash of the entry that the anchor names. */
  anchoredHash: string | undefined;
}

/** @throws AuditDamagedError where an entry cannot be read. */
function readStored(path: string, anchoredSeq: number | undefined): StoredTrail {
  let first: AuditEntry | undefined;
  let held: AuditEntry[] = [];
  let sizeBytes = 0;
  let anchoredHash: string | undefined;
  let line = 0;
  for (const { text, end, isWhole } of linesOf(path)) {
    line++;
    if (!isWhole) break;
    const entry = entryOf(text, `${path}:${line}`);
    first ??= entry;
    if (entry.seq === anchoredSeq) anchoredHash = entry.hash;
    held.push(entry);
    if (held.length >= 2 * HELD_MAX) held = held.slice(HELD_MAX);
    sizeBytes = end;
  }
  return { first, newest: held, sizeBytes, anchoredHash };
}

/** The entries from before `atMs`, but for the newest of all; undefined where there are none. */
function oldestOf(path: string, atMs: number): { count: number; last: AuditEntry; end: number } | undefined {
  let old: { count: number; last: AuditEntry; end: number } | undefined;
  let next: typeof old;
  for (const { text, end } of linesOf(path)) {
    old = next;
    const last = entryOf(text, path);
    if (last.at >= atMs) break;
    next = { count: (old?.count ?? 0) + 1, last, end };
  }
  return old;
}

/** @throws AuditDamagedError */
function entryOf(text: string, place: string): AuditEntry {
  const entry = parseEntry(text);
  if (entry !== undefined) return entry;
  throw new AuditDamagedError(`${place} cannot be read: run attune audit verify, restore the trail`);
}

function readAnchor(path: string): Anchor | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Anchor) : undefined;
}
