// Follows `decision` and `outcomes`, and folds what they hold in the order of log time. What it is too early for waits in
// memory, up to a bound; what is behind it waits in Kafka.
import { KafkaReader, type ReadBatch, type ReadRecord } from "../kafka/reader.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { decodeDocument } from "../wire/documents.ts";
import { decodeOutcome, outcomeMs } from "../wire/outcome.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { DecisionFold, DecisionInput } from "./decision-fold.ts";
import { type Timed, TimeMerge } from "./time-merge.ts";

export interface DecisionFollowerOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

/** Records of one partition that wait; with more it is read no further until half of them are gone. */
const WAITING_MAX = 20_000;
const LOOK_EVERY_MS = 100;
/** Where nothing comes, log time is this far behind the clock. */
const QUIET_MS = 500;
/** Folding goes on in slices, so that answers come between. */
const SLICE_MS = 4;

type Waiting = DecisionInput & Timed;

interface Source {
  readonly name: string;
  readonly reader: KafkaReader;
  readonly topic: string;
  readonly partition: number;
  nextOffset: number;
  isPaused: boolean;
}

export class DecisionFollower {
  readonly #options: DecisionFollowerOptions;
  readonly #merge = new TimeMerge<Waiting>();
  readonly #sources = new Map<string, Source>();
  /** Decisions as servers wrote them; outcomes as the job committed them. */
  readonly #decisions: KafkaReader;
  readonly #outcomes: KafkaReader;
  readonly #timer: NodeJS.Timeout;
  #fold: DecisionFold | undefined;
  #waiting: (() => void)[] = [];
  #isFolding = false;
  foldedTotal = 0;

  constructor(options: DecisionFollowerOptions) {
    this.#options = options;
    const { connection } = options;
    const onBatch = (batch: ReadBatch): void => this.#take(batch);
    this.#decisions = new KafkaReader({ connection, onBatch });
    this.#outcomes = new KafkaReader({ connection, onBatch, isolation: "read_committed" });
    this.#timer = setInterval(() => void this.#run(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Folds into `fold` from now on: from the offsets, or from the first records that there still are. */
  follow(fold: DecisionFold, offsets: Readonly<Record<string, number>>): void {
    const { topics } = this.#options;
    this.#fold = fold;
    this.#merge.clear();
    this.#sources.clear();
    this.#read(this.#decisions, topics.decision, offsets);
    this.#read(this.#outcomes, topics.outcomes, offsets);
  }

  /** Where whoever goes on from the fold as it is now has to read on. */
  get offsets(): Readonly<Record<string, number>> {
    return this.#merge.offsets;
  }

  /** Records that are not folded yet. */
  get lag(): number {
    let lag = this.#decisions.lag() + this.#outcomes.lag();
    for (const name of this.#sources.keys()) lag += this.#merge.waiting(name);
    return lag;
  }

  /** Resolves when everything that there is was folded once. */
  caughtUp(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#decisions.close(), this.#outcomes.close()]);
  }

  #read(reader: KafkaReader, topic: string, offsets: Readonly<Record<string, number>>): void {
    for (let partition = 0; partition < this.#options.partitions.get(topic)!; partition++) {
      const name = `${topic}/${partition}`;
      this.#merge.open(name);
      this.#sources.set(name, { name, reader, topic, partition, nextOffset: -1, isPaused: false });
      reader.read(topic, partition, offsets[name] ?? "earliest");
    }
  }

  #take({ topic, partition, records, nextOffset }: ReadBatch): void {
    const source = this.#sources.get(`${topic}/${partition}`);
    if (source === undefined) return;
    const waiting = records.flatMap((record) => this.#decoded(topic, record) ?? []);
    this.#merge.add(source.name, waiting, nextOffset);
    source.nextOffset = nextOffset;
    if (this.#merge.waiting(source.name) > WAITING_MAX) {
      source.isPaused = true;
      source.reader.stop(topic, partition);
    }
    void this.#run();
  }

  #decoded(topic: string, { key, value, offset, timestampMs }: ReadRecord): Waiting | undefined {
    if (key === null || value === null) return undefined;
    const common = { key: key.toString(), offset, cameMs: performance.now() };
    try {
      if (topic === this.#options.topics.outcomes) {
        const outcome = decodeOutcome(value);
        return { ...common, kind: "outcome", timeMs: outcomeMs(outcome), outcome };
      }
      const { at, ...decision } = decodeDocument("decision", value);
      // Kafka may take it late, after its answer: then what came of it must not lie before it.
      return { ...common, kind: "decision", timeMs: Math.min(at, timestampMs), decision };
    } catch (error) {
      this.#options.onCorrupt(error as Error);
      return undefined;
    }
  }

  async #run(): Promise<void> {
    if (this.#isFolding) return;
    this.#isFolding = true;
    let sliceEndMs = performance.now() + SLICE_MS;
    this.#lookAtEnds();
    for (let input = this.#next(); input !== undefined; input = this.#next()) {
      try {
        this.#fold!.apply(input);
      } catch (error) {
        this.#options.onCorrupt(error as Error);
      }
      this.foldedTotal++;
      if (performance.now() < sliceEndMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEndMs = performance.now() + SLICE_MS;
    }
    this.#isFolding = false;
    if (this.#sources.size > 0 && this.#merge.isDrained) this.#drained();
  }

  #next(): Waiting | undefined {
    const input = this.#merge.take();
    if (input !== undefined) return input;
    this.#lookAtEnds();
    return this.#merge.take();
  }

  /** What is new about the partitions' ends; one that waited for room is read on. */
  #lookAtEnds(): void {
    for (const source of this.#sources.values()) {
      const { name, reader, topic, partition } = source;
      if (source.isPaused && this.#merge.waiting(name) < WAITING_MAX / 2) {
        source.isPaused = false;
        reader.read(topic, partition, source.nextOffset);
      }
      this.#merge.setAtEnd(name, source.isPaused ? undefined : reader.atEndSince(topic, partition));
    }
  }

  #drained(): void {
    // Programs come into force and variants are stopped although nobody does anything.
    this.#fold!.advance(this.#options.now() - QUIET_MS);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
