// The ledger of erasures on one server: read from its topic as it grows, so that an erasure holds on every server within
// milliseconds of its being written.
import { randomBytes } from "node:crypto";
import { uuidv7 } from "uuidv7";
import { SharedLog } from "../access/shared-log.ts";
import { ErasureBook, type ErasureJob } from "../erasure/book.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { encodeErasure, ERASURE_DELAY_MS, type ErasureProof } from "../wire/erasure.ts";

export interface ErasuresOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  readonly topic: string;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A value that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
  /** Called when all that there was is known, and after each change; must not throw. */
  readonly keepCopy?: ((book: ErasureBook) => void) | undefined;
}

export type RunningErasure = Extract<ErasureJob, { status: "running" }>;

const SALT_BYTES = 32;
/** The clocks of servers and brokers agree to this. */
const CLOCKS_MS = 1_000;

export class Erasures {
  readonly #options: ErasuresOptions;
  readonly #log: SharedLog;
  readonly #listeners = new Set<(job: ErasureJob) => void>();
  readonly book = new ErasureBook();
  #isOpen = false;

  private constructor(options: ErasuresOptions) {
    this.#options = options;
    const { connection, sender, topic } = options;
    this.#log = new SharedLog({ connection, sender, topic, onRecord: (value) => this.#take(value) });
  }

  /** Everything that the ledger holds is known when it resolves. */
  static async open(options: ErasuresOptions): Promise<Erasures> {
    const erasures = new Erasures(options);
    await erasures.#log.start("earliest");
    if (!erasures.book.hasSalt) {
      const salt = randomBytes(SALT_BYTES).toString("base64url");
      await erasures.#log.append(encodeErasure({ kind: "salt", salt }), `salt/${uuidv7()}`);
    }
    erasures.#isOpen = true;
    options.keepCopy?.(erasures.book);
    return erasures;
  }

  /** Whether what this person did at `atMs` was erased, whenever it arrives. */
  covers(personKey: string, atMs: number): boolean {
    return this.book.covers(personKey, atMs);
  }

  /** Until when the log may still give a place before the erasure to what is written of this person. */
  untilMs(personKey: string): number {
    if (this.newestUntilMs < this.#options.now()) return -Infinity;
    return (this.book.erasedAt(personKey) ?? -Infinity) + CLOCKS_MS;
  }

  /** The same of whoever was erased last. */
  get newestUntilMs(): number {
    return this.book.newestAtMs + CLOCKS_MS;
  }

  /** Told of each job when it begins, when more of his keys are known, and when it is done; must not throw. */
  onJob(listener: (job: ErasureJob) => void): void {
    this.#listeners.add(listener);
  }

  /** The job is in the ledger, and this server knows it, when it resolves. @throws HostError */
  async begin(keys: readonly string[]): Promise<RunningErasure> {
    const at = this.#options.now() + ERASURE_DELAY_MS;
    const job: RunningErasure = { kind: "erasure", job_id: uuidv7(), status: "running", at, keys: [...keys] };
    await this.#log.append(encodeErasure(job), job.job_id);
    return job;
  }

  /** More of his keys were found. @throws HostError */
  async extend(job: RunningErasure, keys: readonly string[]): Promise<RunningErasure> {
    const extended = { ...job, keys: [...job.keys, ...keys] };
    await this.#log.append(encodeErasure(extended), job.job_id);
    return extended;
  }

  /** From now on the ledger knows his keys as hashes only. @throws HostError */
  async finish({ job_id, at, keys }: RunningErasure, proof: ErasureProof): Promise<void> {
    const hashes = keys.map((key) => this.book.hashOf(key));
    await this.#log.append(encodeErasure({ kind: "erasure", job_id, status: "done", at, hashes, proof }), job_id);
  }

  /** Kafka refuses to have it read. */
  get isRefused(): boolean {
    return this.#log.isRefused;
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #take(value: Buffer): void {
    try {
      const job = this.book.take(value);
      if (job === undefined) return;
      for (const tell of this.#listeners) tell(job);
      if (this.#isOpen) this.#options.keepCopy?.(this.book);
    } catch (error) {
      this.#options.onCorrupt(error as Error);
    }
  }
}
