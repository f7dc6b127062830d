// A copy of a project's ledger of erasures on a server's own machine, beside the key-encryption keys: where Kafka is lost with
// the ledger in it, whoever restores an older backup knows by it who was erased since. It holds hashes, never ids.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../server/disk/durable-file.ts";
import type { ErasureBook } from "./book.ts";

export interface CopiedJob {
  readonly job_id: string;
  /** Log time up to which it holds, Unix ms. */
  readonly at: number;
  readonly hashes: readonly string[];
}

export interface CopiedLedger {
  /** What ids are hashed with, in base64url. */
  readonly salt: string;
  readonly jobs: readonly CopiedJob[];
}

/** The file is no copy of a ledger. */
export class LedgerCopyError extends Error {
  override readonly name = "LedgerCopyError";
}

/** Each salt has a file of its own: a ledger that is begun anew never takes the place of the one before. */
export function ledgerCopyPath(folder: string, project: string, salt: string): string {
  const id = createHash("sha256").update(salt).digest("hex").slice(0, 16);
  return join(folder, `cluster-ledger.${project}.${id}.json`);
}

/** Undefined where there is none. @throws LedgerCopyError */
export function readLedgerCopy(path: string): CopiedLedger | undefined {
  if (!existsSync(path)) return undefined;
  let copy: Partial<CopiedLedger>;
  try {
    copy = JSON.parse(readFileSync(path, "utf8")) as Partial<CopiedLedger>;
  } catch (cause) {
    throw new LedgerCopyError(`${path} is no copy of a ledger of erasures`, { cause });
  }
  if (typeof copy.salt !== "string" || !Array.isArray(copy.jobs)) throw new LedgerCopyError(`${path} is no copy of a ledger of erasures`);
  return copy as CopiedLedger;
}

/** Adds to the copy what the book knows; on disk when it returns. What is in the copy already stays. */
export function keepLedgerCopy(folder: string, project: string, book: ErasureBook): void {
  const { salt, jobs } = book.copy();
  if (salt === undefined || jobs.length === 0) return;
  const path = ledgerCopyPath(folder, project, salt);
  const all = new Map([...(readLedgerCopy(path)?.jobs ?? []), ...jobs].map((job) => [job.job_id, job]));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Servers of one machine write the same file.
  const own = `${path}.${process.pid}`;
  replaceFile(own, JSON.stringify({ salt, jobs: [...all.values()] } satisfies CopiedLedger));
  renameSync(own, path);
}
