// The ledger of a project's erasures: who was erased when, as keyed hashes, and what came of it. It outlives log and state:
// what comes late of somebody who was erased is refused by it, and a job that a crash cut short is found in it at start.
import { createHmac, randomBytes, type KeyObject } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readAt } from "../log/segment-file.ts";
import { syncFolder } from "../log/sync-folder.ts";

/** What was done and what was looked at afterwards; times are ISO 8601. */
export interface ErasureProof {
  erased_at: string;
  done_at: string;
  log: { records_erased: number; segments_rewritten: number; keys_destroyed: boolean };
  state: { rebuilt_from_records: number };
  /** The whole log read again, as it is now. */
  scan: { records_read: number; records_found: number; unreadable_stretches: number };
  /** Rows of his taken out of what stands for the part of the log that retention has taken away. */
  base?: { rows_erased: number };
}

export interface ErasureJob {
  readonly job_id: string;
  status: "running" | "done";
  /** Unix ms: his events up to then are refused for ever. */
  readonly at: number;
  /** His records before this log position go; what comes later is a new beginning. */
  before: number;
  /** Keyed hashes of his person keys. The first is the person, the others the devices that were his alone. */
  hashes: string[];
  proof?: ErasureProof;
}

/** The ledger as it lies on the disk. */
export interface StoredErasures {
  format: 1;
  /** What ids are hashed with; empty where a key of the vault does. */
  pepper: string;
  /** Of the state that is derived from the log: each rebuilding makes the next. */
  generation: number;
  /** Of what stands for the log's head where retention has taken it away; missing where nothing was. */
  base?: number;
  /** Refused events that are too old are out of the log before this position. */
  lettersErasedTo?: number;
  jobs: ErasureJob[];
}

const PEPPER_BYTES = 32;
/** Hashes kept from one look to the next, so that a reading of the log hashes each id once. */
const KNOWN_MAX = 50_000;

/** Without its ledger a project would take whoever was erased for new; the message says what to do. */
export class LedgerDamagedError extends Error {
  override readonly name = "LedgerDamagedError";
  constructor(path: string, cause: unknown) {
    super(`${path} says who was erased, and cannot be read: bring it back from a backup, or from its other copy`, { cause });
  }
}

export class Erasures {
  readonly #path: string;
  readonly #copy: string | undefined;
  readonly #stored: StoredErasures;
  readonly #pepper: string | KeyObject;
  readonly #jobs = new Map<string, ErasureJob>();
  /** By hash: the newest erasure. */
  readonly #erasedAt = new Map<string, number>();
  readonly #known = new Map<string, string>();
  #newestAt = -Infinity;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, stored: StoredErasures, { key, copy }: { key: KeyObject | undefined; copy: string | undefined }) {
    this.#path = path;
    this.#copy = copy;
    this.#stored = stored;
    this.#pepper = stored.pepper === "" && key !== undefined ? key : stored.pepper;
    for (const job of stored.jobs) this.#note(job);
  }

  /**
   * @param key - the vault's, where the project has one.
   * @param copy - a second file that is kept the same, apart from the data: what a restored backup learns from whom it has to
   * forget. It is written last, so jobs that it alone knows are those of a ledger that was lost, or put back from an older
   * day: they are to be done again.
   * @throws LedgerDamagedError where the file is there and says nothing.
   */
  static open(path: string, key?: KeyObject, copy?: string): Erasures {
    const fresh: StoredErasures = { format: 1, pepper: key === undefined ? newPepper() : "", generation: 1, jobs: [] };
    const copied = copy !== undefined && existsSync(copy) ? read(copy) : undefined;
    const stored = existsSync(path) ? read(path) : { ...(copied === undefined ? fresh : withoutLost(copied, path)), jobs: [] };
    const known = new Set(stored.jobs.map(({ job_id }) => job_id));
    for (const { proof: _, ...job } of copied?.jobs ?? []) if (!known.has(job.job_id)) stored.jobs.push({ ...job, status: "running" });
    return new Erasures(path, stored, { key, copy });
  }

  get generation(): number {
    return this.#stored.generation;
  }

  /** The job that was taken down last; undefined before the first. */
  get newest(): string | undefined {
    return this.#stored.jobs.at(-1)?.job_id;
  }

  job(id: string): ErasureJob | undefined {
    return this.#jobs.get(id);
  }

  /** Jobs that are not done, oldest first. */
  running(): ErasureJob[] {
    return this.#stored.jobs.filter(({ status }) => status === "running");
  }

  hashOf(personKey: string): string {
    let hash = this.#known.get(personKey);
    if (hash !== undefined) return hash;
    hash = createHmac("sha256", this.#pepper).update(personKey).digest("base64url");
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(personKey, hash);
    return hash;
  }

  /** Whether something of this person that happened at `atMs` was erased, whenever it arrives. */
  covers(personKey: string, atMs: number): boolean {
    if (atMs > this.#newestAt) return false;
    const erasedAt = this.#erasedAt.get(this.hashOf(personKey));
    return erasedAt !== undefined && atMs <= erasedAt;
  }

  /** Adds jobs or what is new about them; durable when it resolves. The whole ledger is written: many are saved together. */
  save(...jobs: ErasureJob[]): Promise<void> {
    for (const job of jobs) {
      if (!this.#jobs.has(job.job_id)) this.#stored.jobs.push(job);
      this.#note(job);
    }
    return this.#write();
  }

  #write(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(async () => {
      const text = JSON.stringify(this.#stored);
      await replace(this.#path, text);
      if (this.#copy !== undefined) await replace(this.#copy, text);
    });
    return this.#saving;
  }

  /** From now on the state of this generation counts; durable when it resolves. */
  setGeneration(generation: number): Promise<void> {
    this.#stored.generation = generation;
    return this.#write();
  }

  /** Generation of the base; 0 where there is none. */
  get base(): number {
    return this.#stored.base ?? 0;
  }

  setBase(generation: number): Promise<void> {
    this.#stored.base = generation;
    return this.#write();
  }

  get lettersErasedTo(): number {
    return this.#stored.lettersErasedTo ?? 0;
  }

  setLettersErasedTo(position: number): Promise<void> {
    this.#stored.lettersErasedTo = position;
    return this.#write();
  }

  /** Forgets done jobs from before `atMs`; durable when it resolves, with their number. */
  async dropBefore(atMs: number): Promise<number> {
    const kept = this.#stored.jobs.filter(({ status, at }) => status === "running" || at >= atMs);
    const dropped = this.#stored.jobs.length - kept.length;
    if (dropped === 0) return 0;
    this.#stored.jobs = kept;
    this.#jobs.clear();
    this.#erasedAt.clear();
    for (const job of this.#stored.jobs) this.#note(job);
    await this.#write();
    return dropped;
  }

  /** Ends jobs; durable when it resolves. */
  done(proofs: ReadonlyMap<ErasureJob, ErasureProof>): Promise<void> {
    for (const [job, proof] of proofs) Object.assign(job, { status: "done", proof });
    return this.#write();
  }

  #note(job: ErasureJob): void {
    this.#jobs.set(job.job_id, job);
    this.#newestAt = Math.max(this.#newestAt, job.at);
    for (const hash of job.hashes) this.#erasedAt.set(hash, Math.max(job.at, this.#erasedAt.get(hash) ?? -Infinity));
  }
}

/** The copy of a ledger that was lost, without the base where that was lost with it. */
function withoutLost(copied: StoredErasures, path: string): StoredErasures {
  const { base, ...others } = copied;
  return base !== undefined && existsSync(join(dirname(path), `base-${base}`)) ? copied : others;
}

function newPepper(): string {
  return randomBytes(PEPPER_BYTES).toString("base64url");
}

function read(path: string): StoredErasures {
  const fd = openSync(path, "r");
  try {
    const stored = JSON.parse(readAt(fd, 0, fstatSync(fd).size).toString("utf8")) as StoredErasures;
    if (!Array.isArray(stored.jobs)) throw new TypeError("it has no jobs");
    return stored;
  } catch (cause) {
    throw cause instanceof SyntaxError || cause instanceof TypeError ? new LedgerDamagedError(path, cause) : cause;
  } finally {
    closeSync(fd);
  }
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.next`;
  const bytes = Buffer.from(text);
  const file = await open(temporary, "w");
  try {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}
