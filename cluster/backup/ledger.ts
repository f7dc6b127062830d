// The ledger of erasures of a project as a restored cluster must have it.
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import { BackupError } from "../../server/backup/place.ts";
import { textsOf } from "../../server/privacy/belonging.ts";
import { ErasureBook } from "../erasure/book.ts";
import type { CopiedLedger } from "../erasure/ledger-copy.ts";
import { decodeDocument, readable } from "../wire/documents.ts";
import { decodeErasure, encodeErasure } from "../wire/erasure.ts";
import { personKeyOf } from "../wire/record-key.ts";
import type { StoredRecord } from "./records.ts";
import type { TruthKind } from "./truth.ts";

/**
 * The values to send back: the salt, and one of each job. One that ended while the topics were copied is to be done again
 * on what the backup holds, so where an earlier value names whom it was about, that counts.
 */
export function restoredLedger(records: readonly StoredRecord[]): StoredRecord[] {
  const kept = new Map<string, { record: StoredRecord; isRunning: boolean }>();
  for (const record of records) {
    const value = decodeErasure(record.value!);
    const isRunning = value.kind === "erasure" && value.status === "running";
    const name = value.kind === "salt" ? "salt" : value.job_id;
    const known = kept.get(name);
    // Of two salts the first one counts, and the last look at a job knows most of his devices.
    const isKept = known !== undefined && (value.kind === "salt" || (known.isRunning && !isRunning));
    if (!isKept) kept.set(name, { record, isRunning });
  }
  return [...kept.values()].map(({ record }) => record);
}

/** The ledger with those jobs of its copy that it does not know: they were begun after the backup, and are done by the restore. */
export function withCopied(
  ledger: readonly StoredRecord[],
  copyOf: (salt: string) => CopiedLedger | undefined,
): readonly StoredRecord[] {
  const values = ledger.map(({ value }) => decodeErasure(value!));
  const salt = values.find((value) => value.kind === "salt")?.salt;
  const copy = salt === undefined ? undefined : copyOf(salt);
  if (copy === undefined) return ledger;
  if (copy.salt !== salt) throw new BackupError("the copy of the ledger is of another cluster");
  const known = new Set(values.flatMap((value) => (value.kind === "erasure" ? [value.job_id] : [])));
  const more = copy.jobs.filter(({ job_id }) => !known.has(job_id)).map(({ job_id, at, hashes }): StoredRecord => {
    const proof = { erased_at: new Date(at).toISOString(), done_at: new Date(at).toISOString(), restored: "from a backup of before" };
    const value = encodeErasure({ kind: "erasure", job_id, status: "done", at, hashes: [...hashes], proof });
    return { key: Buffer.from(job_id), value: Buffer.from(value), timestampMs: at };
  });
  return [...ledger, ...more];
}

export function bookOf(ledger: readonly StoredRecord[]): ErasureBook {
  const book = new ErasureBook();
  const values = ledger.map(({ value }) => value!);
  // Hashes need the salt.
  for (const value of values.filter((bytes) => decodeErasure(bytes).kind === "salt")) book.take(value);
  for (const value of values) book.take(value);
  return book;
}

/** A ledger that is there already must be the same one, grown: then it knows at least as many as the backup. */
export function checkGrown(topic: string, standing: readonly StoredRecord[], backedUp: readonly StoredRecord[]): void {
  const names = new Set(standing.map(({ value }) => readable(nameOf, value!)));
  if (backedUp.every(({ value }) => names.has(nameOf(value!)))) return;
  throw new BackupError(`${topic} is not the ledger that was copied: delete the topic, and the backup's is restored`);
}

function nameOf(bytes: Uint8Array): string {
  const value = decodeErasure(bytes);
  return value.kind === "salt" ? `salt/${value.salt}` : value.job_id;
}

/** Whether the record counts as never written. It need not come back at all. */
export function isErased(book: ErasureBook, kind: TruthKind, { key, value, timestampMs }: StoredRecord): boolean {
  if (timestampMs > book.newestAtMs) return false;
  if (kind === "log" || kind === "decision") return key !== null && book.covers(personKeyOf(key), timestampMs);
  if (kind !== "deadLetters" || value === null) return false;
  const letter = readable((bytes) => decodeDocument("deadLetters", bytes), value);
  // Of what is no letter nobody knows whose it is: it does not come back.
  if (letter === undefined) return true;
  const { at, body } = letter;
  return [...textsOf(body)].some((text) => book.covers(userKeyOf(text), at) || book.covers(anonymousKeyOf(text), at));
}
