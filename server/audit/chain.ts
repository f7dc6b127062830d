// The audit trail's chain: each entry carries the hash of the one before, so that none can be changed, taken out or moved
// without breaking all that follow. What is cut off at the end is found by the anchor, which lies elsewhere.
import { createHash } from "node:crypto";

/** What was done to whom by whom. Holds no personal data: a person is a keyed hash (`subject`). */
export interface AuditFacts {
  /** Unix ms. */
  at: number;
  project: string;
  /** A key's id (also of its sessions), `open` on a node without keys, `system` for what the node does by itself. */
  actor: string;
  /** The route as the API names it, `PUT /v1/program`; `grpc Profiles/Get`; what the node does itself as `OwnAct` says. */
  action: string;
  /** Keyed hash of the person concerned; missing where it is nobody. */
  subject?: string;
  /** What else the action names: a program's version, a job's id, a key's id. */
  details?: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditEntry extends AuditFacts {
  /** 1, 2, 3 … without a gap. */
  seq: number;
  /** Hash of the entry before; FIRST_HASH for the first. */
  previous: string;
  /** SHA-256 over everything above, hex. */
  hash: string;
}

/** The last entry that is known to exist, kept apart from the trail. */
export interface Anchor {
  seq: number;
  hash: string;
  /** The last entry that retention has taken from the trail's beginning: what is left follows it. */
  cut?: { seq: number; hash: string };
}

export const FIRST_HASH = "0".repeat(64);

export function nextEntry(facts: AuditFacts, head: Anchor): AuditEntry {
  const { at, project, actor, action, subject, details } = facts;
  const body = {
    seq: head.seq + 1,
    at,
    project,
    actor,
    action,
    ...(subject === undefined ? {} : { subject }),
    ...(details === undefined ? {} : { details }),
    previous: head.hash,
  };
  return { ...body, hash: hashOf(body) };
}

export type ChainFault = {
  /** Line of the trail, from 1; one past the end for what was cut off. */
  line: number;
  kind: "unreadable" | "changed" | "out_of_order" | "cut_off";
};

/**
 * The first fault of a trail given as lines; undefined where every entry is as it was written, up to the anchor.
 * @param before - the entry that the first line follows.
 */
export function firstFault(
  lines: Iterable<string>,
  anchor: Anchor | undefined,
  before: Anchor = { seq: 0, hash: FIRST_HASH },
): ChainFault | undefined {
  let head = before;
  let anchored = anchor === undefined || anchor.seq === 0;
  let line = 0;
  for (const text of lines) {
    line++;
    const entry = parseEntry(text);
    if (entry === undefined) return { line, kind: "unreadable" };
    const { hash, ...body } = entry;
    // The text must be what we would write, so that nothing hides in its spelling.
    if (hash !== hashOf(body) || text !== JSON.stringify(entry)) return { line, kind: "changed" };
    if (entry.seq !== head.seq + 1 || entry.previous !== head.hash) return { line, kind: "out_of_order" };
    if (anchor !== undefined && entry.seq === anchor.seq) {
      if (entry.hash !== anchor.hash) return { line, kind: "changed" };
      anchored = true;
    }
    head = { seq: entry.seq, hash };
  }
  return anchored ? undefined : { line: line + 1, kind: "cut_off" };
}

export function parseEntry(text: string): AuditEntry | undefined {
  try {
    const entry = JSON.parse(text) as AuditEntry | null;
    return typeof entry?.seq === "number" && typeof entry.hash === "string" ? entry : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}
