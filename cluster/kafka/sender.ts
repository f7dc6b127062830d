// Records on their way into Kafka, behind a queue of our own: the client does not bound what waits, sends several
// requests at once if it is asked to (which duplicates on errors), and rejects nothing while the broker is away.
//
// One request is under way at a time; what comes meanwhile waits and goes with the next one. A record is answered for
// when Kafka has it (`acks=all`, idempotent). Where that takes too long the caller is told so: the record may or may not
// be stored then, and is sent again under the same event id.
import { Producer, type MessageToProduce } from "@platformatic/kafka";
import { HostError } from "../../server/ports.ts";
import { clientOptions, type KafkaConnection } from "./connection.ts";

export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Uint8Array | null;
  /** Null deletes the key from a compacted topic. */
  readonly value: Uint8Array | null;
  /** Unix ms; default: now. Counts only where the topic does not go by the broker's clock. */
  readonly timestampMs?: number;
}

export interface SenderLimits {
  /** What may wait; more is refused. */
  readonly queueBytesMax: number;
  /** After so long a submission is answered for as unknown. */
  readonly deadlineMs: number;
  /** A request that hangs so long is given up with its producer, whose list of errors grows for ever. */
  readonly stuckMs: number;
  /** Records that one producer may write. */
  readonly recordsAProducerMax: number;
}

/** From here on the queue is full for whoever asks first. */
const FULL_SHARE = 0.98;

const SENDER_LIMITS: SenderLimits = {
  queueBytesMax: 64 * 1024 * 1024,
  deadlineMs: 5_000,
  stuckMs: 30_000,
  // The client's sequence numbers do not wrap at 2^31 records a partition: `send` would hang for ever.
  recordsAProducerMax: 2 ** 30,
};

/** A request's records, and its bytes before compression: one partition's share must stay below Kafka's 1 MB. */
const REQUEST_RECORDS_MAX = 2_000;
const REQUEST_BYTES_MAX = 900_000;
/** Of one record: what is larger can never be stored. */
const RECORD_BYTES_MAX = 900_000;
/** A request that has not come back by then means that nothing gets through. */
const AWAY_MS = 2_000;
/** What a record costs beside its key and value. */
const OVERHEAD_BYTES = 100;
const RETRY_AFTER_S = 2;
/** So long one refusal counts: servers write a tick each second, so the next one comes sooner where it lasts. */
const REFUSED_KEPT_MS = 3_000;
/** Time for a few more records to come along; the request itself takes about 5 ms. */
const LINGER_MS = 1;

interface Submission {
  readonly records: number;
  readonly sizeBytes: number;
  readonly dueMs: number;
  readonly resolve: () => void;
  readonly reject: (error: HostError) => void;
  /** Parts that Kafka has not confirmed yet. */
  partsLeft: number;
  settled: boolean;
}

/** As much of a submission as fits into one request. */
interface Part {
  readonly submission: Submission;
  readonly records: readonly OutgoingRecord[];
  readonly sizeBytes: number;
}

export class KafkaSender {
  readonly #connection: KafkaConnection;
  readonly #limits: SenderLimits;
  #producer: Producer | null = null;
  #producerRecords = 0;
  #queue: Part[] = [];
  #inFlight: { batch: readonly Part[]; sinceMs: number; isGivenUp: boolean } | null = null;
  #lingering = false;
  #closed = false;
  #refusedMs = -Infinity;
  #idle: (() => void)[] = [];
  readonly #watch: NodeJS.Timeout;
  queuedRecords = 0;
  queuedBytes = 0;
  /** Records that Kafka has confirmed. */
  sentTotal = 0;

  constructor(connection: KafkaConnection, limits: Partial<SenderLimits> = {}) {
    this.#connection = connection;
    this.#limits = { ...SENDER_LIMITS, ...limits };
    this.#watch = setInterval(() => this.#expire(), Math.min(250, this.#limits.deadlineMs / 4));
    this.#watch.unref();
  }

  /** True while requests do not come back: what is submitted is refused at once. */
  get isAway(): boolean {
    return this.#inFlight !== null && performance.now() - this.#inFlight.sinceMs > AWAY_MS;
  }

  /** Kafka answers, and refuses what is written: this login may not, or no longer. */
  get isRefusing(): boolean {
    return performance.now() - this.#refusedMs < REFUSED_KEPT_MS;
  }

  /** There may be room for one record, but none for many. */
  get isFull(): boolean {
    return this.queuedBytes > FULL_SHARE * this.#limits.queueBytesMax;
  }

  /**
   * Resolves when Kafka has stored all of them. Records of one partition keep their order, within a call and between
   * calls.
   * @throws HostError `unavailable`: they may or may not be stored; `overloaded`, `shutting_down`: none of them is.
   */
  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new HostError("shutting_down", "The server is going down.", again()));
    if (records.length === 0) return Promise.resolve();
    const parts = partsOf(records);
    if (parts === undefined) {
      return Promise.reject(new HostError("overloaded", "A record is larger than Kafka takes.", again()));
    }
    if (this.isAway) return Promise.reject(unavailable());
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    if (this.queuedBytes + sizeBytes > this.#limits.queueBytesMax) {
      return Promise.reject(new HostError("overloaded", "Too many records wait for Kafka.", again()));
    }
    this.queuedRecords += records.length;
    this.queuedBytes += sizeBytes;
    return new Promise((resolve, reject) => {
      const dueMs = performance.now() + this.#limits.deadlineMs;
      const partsLeft = parts.length;
      const submission = { records: records.length, sizeBytes, dueMs, resolve, reject, partsLeft, settled: false };
      for (const part of parts) this.#queue.push({ submission, ...part });
      this.#sendSoon();
    });
  }

  /** Writes what waits, for as long as a deadline lasts, and lets go of the connections. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#inFlight !== null || this.#queue.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
        setTimeout(resolve, this.#limits.deadlineMs).unref();
      });
    }
    clearInterval(this.#watch);
    for (const { submission } of this.#queue.splice(0)) this.#fail(submission, unavailable());
    await this.#dropProducer();
  }

  #sendSoon(): void {
    if (this.#inFlight !== null || this.#lingering || this.#queue.length === 0) return;
    this.#lingering = true;
    setTimeout(() => {
      this.#lingering = false;
      if (this.#inFlight === null && this.#queue.length > 0) void this.#sendNext();
    }, LINGER_MS);
  }

  async #sendNext(): Promise<void> {
    const batch = this.#nextBatch();
    if (batch.length === 0) return this.#whenIdle();
    const flight = { batch, sinceMs: performance.now(), isGivenUp: false };
    this.#inFlight = flight;
    const messages = batch.flatMap(({ records }) => records.map(toMessage));
    let failure: HostError | undefined;
    try {
      const producer = await this.#producerFor(messages.length);
      await producer.send({ messages });
    } catch (error) {
      if (!flight.isGivenUp && !this.#closed) this.#refusedMs = performance.now();
      failure = unavailable(error);
    }
    this.#inFlight = null;
    if (flight.isGivenUp) this.#producer = null;
    for (const { submission } of batch) {
      if (failure !== undefined) this.#fail(submission, failure);
      else if (--submission.partsLeft === 0) this.#settle(submission, submission.resolve);
    }
    if (failure === undefined) this.sentTotal += messages.length;
    if (this.#queue.length > 0) this.#sendSoon();
    else this.#whenIdle();
  }

  /** What goes into the next request; nothing of a submission that was answered for. */
  #nextBatch(): Part[] {
    const batch: Part[] = [];
    let records = 0;
    let sizeBytes = 0;
    while (this.#queue.length > 0) {
      const next = this.#queue[0]!;
      records += next.records.length;
      sizeBytes += next.sizeBytes;
      if (batch.length > 0 && (records > REQUEST_RECORDS_MAX || sizeBytes > REQUEST_BYTES_MAX)) break;
      this.#queue.shift();
      if (!next.submission.settled) batch.push(next);
    }
    return batch;
  }

  async #producerFor(records: number): Promise<Producer> {
    if (this.#producer !== null && this.#producerRecords + records > this.#limits.recordsAProducerMax) {
      await this.#dropProducer();
    }
    if (this.#producer === null) {
      this.#producer = new Producer({
        ...clientOptions(this.#connection),
        idempotent: true,
        acks: -1,
        compression: "lz4",
        retries: true,
      });
      this.#producerRecords = 0;
    }
    this.#producerRecords += records;
    return this.#producer;
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close(true).catch(() => undefined);
  }

  /** Answers for what waited too long, and gives up a request that hangs. */
  #expire(): void {
    const nowMs = performance.now();
    const inFlight = this.#inFlight;
    for (const { submission } of [...(inFlight?.batch ?? []), ...this.#queue]) {
      if (submission.dueMs <= nowMs && !submission.settled) this.#fail(submission, unavailable());
    }
    this.#queue = this.#queue.filter(({ submission }) => !submission.settled);
    if (inFlight !== null && !inFlight.isGivenUp && nowMs - inFlight.sinceMs > this.#limits.stuckMs) {
      inFlight.isGivenUp = true;
      // Ends the retries, so that the request rejects; the next one gets a new producer.
      void this.#producer?.close(true).catch(() => undefined);
    }
  }

  #fail(submission: Submission, error: HostError): void {
    this.#settle(submission, () => submission.reject(error));
  }

  #settle(submission: Submission, tell: () => void): void {
    if (submission.settled) return;
    submission.settled = true;
    this.queuedRecords -= submission.records;
    this.queuedBytes -= submission.sizeBytes;
    tell();
  }

  #whenIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** Undefined: a record that Kafka would never take. */
function partsOf(records: readonly OutgoingRecord[]): Omit<Part, "submission">[] | undefined {
  const parts: { records: OutgoingRecord[]; sizeBytes: number }[] = [{ records: [], sizeBytes: 0 }];
  for (const record of records) {
    const recordBytes = (record.key?.length ?? 0) + (record.value?.length ?? 0) + OVERHEAD_BYTES;
    if (recordBytes > RECORD_BYTES_MAX) return undefined;
    let part = parts.at(-1)!;
    const isFull = part.records.length === REQUEST_RECORDS_MAX || part.sizeBytes + recordBytes > REQUEST_BYTES_MAX;
    if (isFull) parts.push((part = { records: [], sizeBytes: 0 }));
    part.records.push(record);
    part.sizeBytes += recordBytes;
  }
  return parts;
}

function toMessage({ topic, partition, key, value, timestampMs }: OutgoingRecord): MessageToProduce {
  const timestamp = timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) };
  // The client's types want buffers where its wire takes null: a record without a value is a tombstone.
  return { topic, partition, key: bufferOf(key), value: bufferOf(value), ...timestamp } as MessageToProduce;
}

function bufferOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function again(): { retryAfterS: number } {
  return { retryAfterS: RETRY_AFTER_S };
}

function unavailable(cause?: unknown): HostError {
  return new HostError("unavailable", "Kafka does not answer; send it again.", { ...again(), cause });
}
