// The audit trail on disk: one append-only file a node, flushed in groups, and the anchor of its head in another place.
import { createHmac } from "node:crypto";
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../disk/durable-file.ts";
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

/** Reads of the same person by the same key within this time are one entry. */
const SAME_READ_MS = 60_000;
const READS_REMEMBERED_MAX = 10_000;
const FLUSH_MS = 100;
/** Entries that wait for the disk; then writing is done at once. */
const WAITING_MAX = 1_000;
/** Newest entries held in memory for lists; who asks for older ones has the file read. */
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
  /** Something was changed: kept for good when it returns or resolves. */
  change(facts: Omit<AuditFacts, "at">): AuditEntry | Promise<AuditEntry>;
  /** Somebody read a person: on disk soon after; repeated reads within a minute are one entry. */
  read(facts: Omit<AuditFacts, "at">): void;
  /** The keyed hash by which the trail knows a person. */
  subjectOf(project: string, personKey: string): string;
  /** Newest first. */
  list(query: AuditQuery): AuditEntry[] | Promise<AuditEntry[]>;
  close(): void | Promise<void>;
}

/** A trail of this node's own, in a file: everything is done when a call returns. */
export interface FileAuditLog extends AuditLog {
  change(facts: Omit<AuditFacts, "at">): AuditEntry;
  list(query: AuditQuery): AuditEntry[];
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
  let held = readWhole(path);
  const known = readAnchor(anchor);
  const last = held.at(-1);
  let oldestHeld = Math.max(0, held.length - HELD_MAX);
  held = held.slice(oldestHeld);
  if (known !== undefined && (last?.seq ?? 0) < known.seq) {
    throw new AuditDamagedError(`${path} ends before its anchor ${anchor}: run attune audit verify, restore the trail`);
  }
  let file = openSync(path, "a", 0o600);
  let cut = known?.cut;
  let head: Anchor = last === undefined ? { seq: 0, hash: FIRST_HASH } : { seq: last.seq, hash: last.hash };
  let waiting: AuditEntry[] = [];
  let timer: NodeJS.Timeout | null = null;
  const isRepeated = repeatedReads(now);

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const lines = waiting.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    waiting = [];
    writeSync(file, lines);
    fdatasyncSync(file);
    writeAnchor();
  };
  const writeAnchor = (): void => replaceFile(anchor, JSON.stringify(cut === undefined ? head : { ...head, cut }));
  const dropBefore = (atMs: number): number => {
    flush();
    const all = readWhole(path);
    const firstKept = all.findIndex(({ at }) => at >= atMs);
    const count = Math.min(firstKept < 0 ? all.length : firstKept, all.length - 1);
    if (count <= 0) return 0;
    const { seq, hash } = all[count - 1]!;
    cut = { seq, hash };
    // The anchor first: a trail that still begins with its first entry fits it as well.
    writeAnchor();
    const kept = all.slice(count);
    replaceFile(path, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    closeSync(file);
    file = openSync(path, "a", 0o600);
    oldestHeld = Math.max(0, kept.length - HELD_MAX);
    held = kept.slice(oldestHeld);
    return count;
  };
  const add = (facts: Omit<AuditFacts, "at">): AuditEntry => {
    const entry = nextEntry({ ...facts, at: now() }, head);
    head = { seq: entry.seq, hash: entry.hash };
    waiting.push(entry);
    held.push(entry);
    if (held.length >= 2 * HELD_MAX) {
      oldestHeld += HELD_MAX;
      held = held.slice(HELD_MAX);
    }
    if (waiting.length >= WAITING_MAX) flush();
    return entry;
  };

  const cutOld = (): void => void dropBefore(now() - keptMs);
  if (keptMs !== Infinity) cutOld();
  const cutTimer = keptMs === Infinity ? undefined : setInterval(cutOld, CUT_EVERY_MS).unref();

  return {
    dropBefore,
    change(facts) {
      const entry = add(facts);
      flush();
      return entry;
    },
    read(facts) {
      if (isRepeated(facts)) return;
      add(facts);
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    subjectOf(project, personKey) {
      return subjectHash(pepper, project, personKey);
    },
    list(query) {
      const found = newest(held, query);
      if (found.length === query.limit || oldestHeld === 0) return found;
      flush();
      return newest(readWhole(path), query);
    },
    close() {
      clearInterval(cutTimer);
      flush();
      closeSync(file);
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
    if (lastMs !== undefined && nowMs - lastMs < SAME_READ_MS) return true;
    if (lastReads.size >= READS_REMEMBERED_MAX) lastReads.clear();
    lastReads.set(same, nowMs);
    return false;
  };
}

export function subjectHash(pepper: Buffer, project: string, personKey: string): string {
  return createHmac("sha256", pepper).update(`${project}\n${personKey}`).digest("hex").slice(0, 32);
}

/** At most `limit` of them, newest first. */
export function newest(entries: readonly AuditEntry[], { project, before = Infinity, limit, subject, action }: AuditQuery) {
  const found: AuditEntry[] = [];
  for (let i = entries.length - 1; i >= 0 && found.length < limit; i--) {
    const entry = entries[i]!;
    if (entry.seq >= before || entry.project !== project) continue;
    if (subject !== undefined && entry.subject !== subject) continue;
    if (action === undefined || entry.action === action) found.push(entry);
  }
  return found;
}

/** Checks a trail against its anchor: what `attune audit verify` does. */
export function verifyAuditTrail(folder: string, anchor: string): { entries: number; fault?: ChainFault } {
  const path = join(folder, FILE);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const known = readAnchor(anchor);
  const isCut = known?.cut !== undefined && lines.length > 0 && parseEntry(lines[0]!)?.seq !== 1;
  const fault = firstFault(lines, known, isCut ? known.cut : undefined);
  return { entries: lines.length, ...(fault === undefined ? {} : { fault }) };
}

function readWhole(path: string): AuditEntry[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  const end = text.lastIndexOf("\n") + 1;
  if (end < text.length) truncate(path, Buffer.byteLength(text.slice(0, end)));
  const lines = text.slice(0, end).split("\n").slice(0, -1);
  return lines.map((line, i) => {
    const entry = parseEntry(line);
    if (entry === undefined) {
      throw new AuditDamagedError(`${path}:${i + 1} cannot be read: run attune audit verify, restore the trail`);
    }
    return entry;
  });
}

function truncate(path: string, sizeBytes: number): void {
  const file = openSync(path, "r+");
  ftruncateSync(file, sizeBytes);
  fsyncSync(file);
  closeSync(file);
}

function readAnchor(path: string): Anchor | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Anchor) : undefined;
}
