// Values of `erasures`, the ledger of a project's erasures. JSON in UTF-8, by key, compacted: of a job the newest value stays,
// so the ids that the first one names are gone from the topic soon after the job is done.
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** How long after it was written an erasure takes effect: by then everybody has read it. */
export const ERASURE_DELAY_MS = 1_000;

export type ErasureValue =
  /** What ids are hashed with (HMAC-SHA-256), in base64url. Where two servers wrote one, the first counts. */
  | { kind: "salt"; salt: string }
  /** `keys`: his person key, then those of his devices. What has a log time up to `at` (Unix ms) is as if never written. */
  | { kind: "erasure"; job_id: string; status: "running"; at: number; keys: string[] }
  /** `hashes`: of the same keys, in base64url. */
  | { kind: "erasure"; job_id: string; status: "done"; at: number; hashes: string[]; proof: ErasureProof };

/** What was done and what was looked at afterwards; times are ISO 8601. */
export interface ErasureProof {
  readonly erased_at: string;
  readonly done_at: string;
  readonly [part: string]: unknown;
}

export function encodeErasure(value: ErasureValue): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

/** Throws on what is no such value: taken for an erasure without a time it would undo all others. */
export function decodeErasure(bytes: Uint8Array): ErasureValue {
  const value = JSON.parse(decodeUtf8(bytes)) as ErasureValue | null;
  if (!isErasure(value)) throw new Error("no value of the ledger of erasures");
  return value;
}

function isErasure(value: ErasureValue | null): value is ErasureValue {
  if (value?.kind === "salt") return typeof value.salt === "string";
  if (value?.kind !== "erasure" || typeof value.job_id !== "string" || !Number.isFinite(value.at)) return false;
  return Array.isArray(value.status === "running" ? value.keys : value.hashes);
}
