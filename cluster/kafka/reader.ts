// Reads partitions of topics from given offsets on, for ever. Built on the client's plain `fetch` and not on its consumer
// groups and streams: those start at the end and die some seconds after a broker does unless told otherwise, hand out
// aborted records under `read_committed`, never say where a compacted topic ends behind a transaction's marker, and give
// a record the producer's clock where the topic has the broker's.
//
// Everything is read as it comes, committed or not, unless asked otherwise: whatever we read early is versioned and
// deterministic.
import { Consumer } from "@platformatic/kafka";
import { nextOffsetOf, recordsOf, withoutAborted, type ReadRecord } from "./batches.ts";
import { clientOptions, type KafkaConnection } from "./connection.ts";
import { isRefusal } from "./faults.ts";

export interface ReadBatch {
  readonly topic: string;
  readonly partition: number;
  /** In the order of the partition; may be empty where only the position moved. */
  readonly records: readonly ReadRecord[];
  /** Where reading goes on. */
  readonly nextOffset: number;
}

export type { ReadRecord };

type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

/** Where to begin: an offset, or an end of the partition. */
export type StartAt = number | "earliest" | "latest";

export interface ReaderOptions {
  readonly connection: KafkaConnection;
  /** Takes one batch after the other of a partition; the next is fetched when it has resolved. Must not throw. */
  readonly onBatch: (batch: ReadBatch) => void | Promise<void>;
  /** A broker was away or said no; reading goes on by itself. */
  readonly onFault?: (error: Error) => void;
  /** Only what is committed, so that an end is the last stable offset; default: everything. */
  readonly isolation?: "read_committed";
}

/** How long a broker holds a request while there is nothing: new records answer it at once. */
const WAIT_MS = 500;
/** The same for a moment after a partition was taken up: another one may follow, which has to wait for that answer. */
const SHORT_WAIT_MS = 50;
const SETTLED_MS = 2_000;
const FETCH_BYTES_MAX = 4 * 1024 * 1024;
const PARTITION_BYTES_MAX = 1024 * 1024;
/** A request that does not come back by then is given up, with the client that lost it. */
const FETCH_DEADLINE_MS = 15_000;
const PAUSE_AFTER_FAULT_MS = 300;
/** So long one refusal counts: the next question follows the pause. */
const REFUSED_KEPT_MS = 3_000;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const EARLIEST = -2n;
const LATEST = -1n;

interface Partition {
  readonly topic: string;
  readonly partition: number;
  start: StartAt;
  /** Next offset to fetch; undefined until an end was looked up. */
  position: number | undefined;
  /** The partition's end as last heard, and as first heard; undefined before the first answer. */
  end: number | undefined;
  endAtStart: number | undefined;
  /** When the last question that was answered was asked, by the machine's clock. */
  askedMs: number;
  /** Changes with every `read` of it: an answer to a question before is dropped. */
  readonly round: symbol;
}

export class KafkaReader {
  readonly #options: ReaderOptions;
  readonly #partitions = new Map<string, Partition>();
  readonly #loops = new Map<number, Promise<void>>();
  /** Ends as last heard: the broker does not repeat one for a partition that is taken up again where it was put down. */
  readonly #ends = new Map<string, number>();
  #consumer: Consumer;
  #waiting: { topic: string | undefined; resolve: () => void }[] = [];
  #closed = false;
  #isStarting = false;
  #startAgain = false;
  #takenUpMs = 0;
  #refusedMs = -Infinity;
  /** Answers that could not be had. */
  faultsTotal = 0;
  /** Positions that the broker no longer had: reading went on at the earliest. */
  gapsTotal = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#consumer = this.#open();
  }

  /** Reads the partition from there on; in place of where it was read before. */
  read(topic: string, partition: number, start: StartAt): void {
    const position = typeof start === "number" ? start : undefined;
    this.#takenUpMs = performance.now();
    const round = Symbol(topic);
    const end = this.#ends.get(nameOf(topic, partition));
    this.#partitions.set(nameOf(topic, partition), {
      ...{ topic, partition, start, position, end, endAtStart: end, round },
      askedMs: -Infinity,
    });
    this.#consumer.topics.track(topic);
    void this.#startLoops();
  }

  /** Reads it no more. A batch that is being taken is taken to its end. */
  stop(topic: string, partition: number): void {
    this.#partitions.delete(nameOf(topic, partition));
  }

  /** Where reading goes on; undefined while that is not known, or for a partition that is not read. */
  position(topic: string, partition: number): number | undefined {
    return this.#partitions.get(nameOf(topic, partition))?.position;
  }

  /** Where the partition's end was when reading it began; undefined before the first answer. */
  endAtStart(topic: string, partition: number): number | undefined {
    return this.#partitions.get(nameOf(topic, partition))?.endAtStart;
  }

  /** True when everything that the partition had at its last answer was taken. */
  isAtEnd(topic: string, partition: number): boolean {
    return isAtEnd(this.#partitions.get(nameOf(topic, partition)));
  }

  /** A moment (`performance.now()`) up to which everything that the partition got was taken; undefined: not to its end. */
  atEndSince(topic: string, partition: number): number | undefined {
    const of = this.#partitions.get(nameOf(topic, partition));
    return isAtEnd(of) ? of!.askedMs : undefined;
  }

  /** Kafka answers, and refuses what we ask: this login may not read, or no longer. Nothing comes meanwhile. */
  get isRefused(): boolean {
    return performance.now() - this.#refusedMs < REFUSED_KEPT_MS;
  }

  /** Records that are not taken yet, of one topic or of all: as of the last answers, Infinity before the first. */
  lag(topic?: string): number {
    let lag = 0;
    for (const partition of this.#of(topic)) {
      if (partition.end === undefined || partition.position === undefined) return Infinity;
      lag += Math.max(0, partition.end - partition.position);
    }
    return lag;
  }

  /** Resolves when each partition of the topic (or of all) was at its end once at the same moment. */
  caughtUp(topic?: string): Promise<void> {
    if (this.#of(topic).every(isAtEnd)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ topic, resolve }));
  }

  /** Takes no batch any more and lets go of the connections. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#partitions.clear();
    await this.#consumer.close(true).catch(() => undefined);
    await Promise.all(this.#loops.values());
  }

  #open(): Consumer {
    // No group is ever joined: the id is only what the constructor asks for.
    const consumer = new Consumer({ ...clientOptions(this.#options.connection), groupId: "attune-none", retries: 0 });
    for (const topic of new Set([...this.#partitions.values()].map(({ topic }) => topic))) consumer.topics.track(topic);
    return consumer;
  }

  get #isCommitted(): boolean {
    return this.#options.isolation === "read_committed";
  }

  #of(topic: string | undefined): Partition[] {
    const partitions = [...this.#partitions.values()];
    return topic === undefined ? partitions : partitions.filter((partition) => partition.topic === topic);
  }

  /** One loop a leader. Only one of these runs at a time, and it tries until it has succeeded. */
  async #startLoops(): Promise<void> {
    this.#startAgain = true;
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#startAgain && !this.#closed) {
      this.#startAgain = false;
      const consumer = this.#consumer;
      try {
        for (const node of (await this.#byLeader()).keys()) if (!this.#loops.has(node)) this.#startLoop(node);
      } catch (error) {
        this.#startAgain = true;
        await this.#fault(error, consumer);
      }
    }
    this.#isStarting = false;
  }

  #startLoop(node: number): void {
    const loop = this.#loop(node).finally(() => {
      this.#loops.delete(node);
      if (!this.#closed && this.#partitions.size > 0) void this.#startLoops();
    });
    this.#loops.set(node, loop);
  }

  /** Ends with a fault, or where the broker leads nothing that we read. */
  async #loop(node: number): Promise<void> {
    while (!this.#closed) {
      const consumer = this.#consumer;
      try {
        const byLeader = await this.#byLeader();
        if ([...byLeader.keys()].some((leader) => !this.#loops.has(leader))) void this.#startLoops();
        const { partitions, topicIds } = byLeader.get(node) ?? {};
        if (partitions === undefined || topicIds === undefined) return;
        await this.#look(partitions.filter(({ position }) => position === undefined));
        const asked = partitions.filter(({ position }) => position !== undefined);
        if (asked.length === 0) continue;
        const askedMs = performance.now();
        await this.#take(await this.#fetch(node, asked, topicIds), asked, topicIds);
        // Of a partition without news the broker says nothing.
        for (const partition of asked) partition.askedMs = askedMs;
      } catch (error) {
        return this.#fault(error, consumer);
      }
    }
  }

  async #byLeader(): Promise<Map<number, { partitions: Partition[]; topicIds: Map<string, string> }>> {
    const topics = [...new Set([...this.#partitions.values()].map(({ topic }) => topic))];
    const byLeader = new Map<number, { partitions: Partition[]; topicIds: Map<string, string> }>();
    if (topics.length === 0) return byLeader;
    const metadata = await this.#inTime(this.#consumer.metadata({ topics }));
    for (const partition of this.#partitions.values()) {
      const topic = metadata.topics.get(partition.topic);
      const leader = topic?.partitions[partition.partition]?.leader;
      if (topic === undefined || leader === undefined) continue;
      let share = byLeader.get(leader);
      if (share === undefined) byLeader.set(leader, (share = { partitions: [], topicIds: new Map() }));
      share.partitions.push(partition);
      share.topicIds.set(partition.topic, topic.id);
    }
    return byLeader;
  }

  /** Finds where a start by name is. */
  async #look(partitions: readonly Partition[]): Promise<void> {
    for (const partition of partitions) {
      const { topic, start } = partition;
      const offsets = await this.#inTime(
        this.#consumer.listOffsets({
          topics: [topic],
          partitions: { [topic]: [partition.partition] },
          timestamp: start === "latest" ? LATEST : EARLIEST,
        }),
      );
      const offset = offsets.get(topic)?.[partition.partition];
      if (offset !== undefined) partition.position = Number(offset);
    }
  }

  async #fetch(node: number, partitions: readonly Partition[], topicIds: Map<string, string>): Promise<FetchResponse> {
    const topics = partitions.map(({ topic, partition, position }) => ({
      topicId: topicIds.get(topic)!,
      partitions: [
        {
          partition,
          fetchOffset: BigInt(position!),
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          partitionMaxBytes: PARTITION_BYTES_MAX,
        },
      ],
    }));
    const isolationLevel = this.#isCommitted ? READ_COMMITTED : READ_UNCOMMITTED;
    const maxWaitTime = performance.now() - this.#takenUpMs < SETTLED_MS ? SHORT_WAIT_MS : WAIT_MS;
    try {
      return await this.#inTime(
        this.#consumer.fetch({ node, topics, maxWaitTime, minBytes: 1, maxBytes: FETCH_BYTES_MAX, isolationLevel }),
      );
    } catch (error) {
      const response = responseOf(error);
      if (response === undefined || !this.#goOnAtEarliest(response, partitions, topicIds)) throw error;
      return { ...response, responses: [] };
    }
  }

  /** The log was cut before our position (retention): true where that is what the broker said. */
  #goOnAtEarliest(response: FetchResponse, partitions: readonly Partition[], topicIds: Map<string, string>): boolean {
    const OFFSET_OUT_OF_RANGE = 1;
    let isMoved = false;
    for (const answer of answersOf(response, partitions, topicIds)) {
      if (answer.errorCode !== OFFSET_OUT_OF_RANGE) continue;
      answer.of.position = undefined;
      answer.of.start = "earliest";
      this.gapsTotal++;
      isMoved = true;
    }
    return isMoved;
  }

  async #take(response: FetchResponse, asked: readonly Partition[], topicIds: Map<string, string>): Promise<void> {
    for (const answer of answersOf(response, asked, topicIds)) {
      const { of } = answer;
      const isCurrent = (): boolean => this.#partitions.get(nameOf(of.topic, of.partition))?.round === of.round;
      if (!isCurrent()) continue;
      const from = of.position!;
      const batches = answer.records ?? [];
      const last = batches.at(-1);
      const nextOffset = last === undefined ? from : nextOffsetOf(last);
      of.end = Math.max(Number(this.#isCommitted ? answer.lastStableOffset : answer.highWatermark), nextOffset);
      of.endAtStart ??= of.end;
      this.#ends.set(nameOf(of.topic, of.partition), of.end);
      if (nextOffset > from) {
        const read = this.#isCommitted ? withoutAborted(batches, answer.abortedTransactions) : batches;
        const records = read.flatMap((batch) => recordsOf(batch, from));
        await this.#options.onBatch({ topic: of.topic, partition: of.partition, records, nextOffset });
        of.position = nextOffset;
      }
    }
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ topic, resolve }) => {
      if (!this.#of(topic).every(isAtEnd)) return true;
      resolve();
      return false;
    });
  }

  async #fault(error: unknown, failed: Consumer): Promise<void> {
    if (this.#closed) return;
    this.faultsTotal++;
    if (isRefusal(error)) this.#refusedMs = performance.now();
    this.#options.onFault?.(error as Error);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAULT_MS));
    if (this.#closed || this.#consumer !== failed) return;
    // A new client: no stale connection, fetch session or leader survives.
    this.#consumer = this.#open();
    void failed.close(true).catch(() => undefined);
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("Kafka did not answer in time")), FETCH_DEADLINE_MS);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}

type PartitionAnswer = FetchResponse["responses"][number]["partitions"][number] & { of: Partition };

function answersOf(
  response: FetchResponse,
  asked: readonly Partition[],
  topicIds: Map<string, string>,
): PartitionAnswer[] {
  return response.responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap((answer) => {
      const of = asked.find((one) => topicIds.get(one.topic) === topicId && one.partition === answer.partitionIndex);
      return of === undefined ? [] : [{ ...answer, of }];
    }),
  );
}

function isAtEnd(partition: Partition | undefined): boolean {
  return partition?.end !== undefined && partition.position !== undefined && partition.position >= partition.end;
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** The answer that the client hides in its error when one partition of it was refused. */
function responseOf(error: unknown): FetchResponse | undefined {
  const { response, errors } = error as { response?: FetchResponse; errors?: unknown[] };
  if (response?.responses !== undefined) return response;
  for (const inner of errors ?? []) {
    const found = responseOf(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
