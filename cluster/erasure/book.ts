// The ledger of erasures as whoever reads it holds it: which keys were erased, up to what log time, and what came of each job.
// The job's JVM half restates it (cluster/flink, Erasures.java).
import { createHash, createHmac } from "node:crypto";
import { decodeErasure, type ErasureProof, type ErasureValue } from "../wire/erasure.ts";

export type ErasureJob = Extract<ErasureValue, { kind: "erasure" }>;

/** Hashes kept from one look to the next. */
const KNOWN_MAX = 50_000;

export class ErasureBook {
  readonly #jobs = new Map<string, ErasureJob>();
  /** By hash: up to what log time. */
  readonly #erasedAt = new Map<string, number>();
  readonly #known = new Map<string, string>();
  #salt: Buffer | undefined;
  /** Of the newest erasure; -Infinity where there is none. */
  newestAtMs = -Infinity;

  get hasSalt(): boolean {
    return this.#salt !== undefined;
  }

  /** Takes the next value of the topic in; the job where it is one. */
  take(bytes: Uint8Array): ErasureJob | undefined {
    const value = decodeErasure(bytes);
    if (value.kind === "salt") {
      this.#salt ??= Buffer.from(value.salt, "base64url");
      return undefined;
    }
    this.#jobs.set(value.job_id, value);
    this.newestAtMs = Math.max(this.newestAtMs, value.at);
    const hashes = this.#hashesOf(value);
    for (const hash of hashes) this.#erasedAt.set(hash, Math.max(value.at, this.#erasedAt.get(hash) ?? -Infinity));
    return value;
  }

  job(id: string): ErasureJob | undefined {
    return this.#jobs.get(id);
  }

  /** Jobs that are not done, oldest first. */
  running(): Extract<ErasureJob, { status: "running" }>[] {
    return [...this.#jobs.values()].filter((job) => job.status === "running");
  }

  /** What whoever must know those erased needs of it: hashes, and the salt (undefined: none yet). */
  copy(): { salt: string | undefined; jobs: { job_id: string; at: number; hashes: string[] }[] } {
    const jobs = [...this.#jobs.values()].map((job) => ({ job_id: job.job_id, at: job.at, hashes: this.#hashesOf(job) }));
    return { salt: this.#salt?.toString("base64url"), jobs };
  }

  hashOf(personKey: string): string {
    let hash = this.#known.get(personKey);
    if (hash !== undefined) return hash;
    if (this.#salt === undefined) throw new Error("the ledger of erasures has no salt yet");
    hash = createHmac("sha256", this.#salt).update(personKey).digest("base64url");
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(personKey, hash);
    return hash;
  }

  #hashesOf(job: ErasureJob): string[] {
    return job.status === "running" ? job.keys.map((key) => this.hashOf(key)) : job.hashes;
  }

  /** Up to what log time everything of this key was erased; undefined: nothing was. */
  erasedAt(personKey: string): number | undefined {
    return this.#erasedAt.size === 0 ? undefined : this.#erasedAt.get(this.hashOf(personKey));
  }

  /** Whether what this person did at `atMs` was erased, whenever it arrives. */
  covers(personKey: string, atMs: number): boolean {
    return atMs <= this.newestAtMs && atMs <= (this.erasedAt(personKey) ?? -Infinity);
  }
}

/** Of the proof as `GET /v1/privacy/jobs/{job_id}` answers it: SHA-256 of its JSON, hex. */
export function proofHash(proof: ErasureProof): string {
  return createHash("sha256").update(JSON.stringify(proof)).digest("hex");
}
