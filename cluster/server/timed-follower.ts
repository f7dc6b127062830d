// Follows topics, and hands out what they hold in the order of log time. What it is too early for waits in memory, up to
// a bound; what is behind it waits in Kafka.
import type { KafkaReader, ReadBatch, ReadRecord } from "../kafka/reader.ts";
import { type Places, type Timed, TimeMerge } from "./time-merge.ts";

export interface TimedFollowerOptions<T extends Timed> {
  /** Topic and how many partitions it has, in the order that decides where nothing else does. */
  readonly topics: ReadonlyMap<string, number>;
  /** Undefined: to be left out. Throws on what cannot be read. */
  readonly decode: (record: ReadRecord, topic: string, partition: number) => T | undefined;
  readonly apply: (input: T) => void;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
  /** Everything that there is was handed out. */
  readonly onDrained?: () => void;
  /** A moment (`performance.now()`) up to which the partition has nothing that was not read; undefined: it has, or may have. */
  readonly atEndSince: (reader: KafkaReader, topic: string, partition: number) => number | undefined;
  /** Of one partition; with more it is read no further until half of them are gone. */
  readonly waitingMax: number;
  /** Where `waitingMax` of a partition wait, they wait no longer for partitions that show nothing. */
  readonly hurries: boolean;
  /** As in `TimeMergeOptions`. */
  readonly windowMs?: number;
}

const LOOK_EVERY_MS = 100;
/** Work goes on in slices, so that answers come between. */
const SLICE_MS = 4;

interface Source {
  readonly name: string;
  readonly reader: KafkaReader;
  readonly topic: string;
  readonly partition: number;
  nextOffset: number;
  isPaused: boolean;
}

export class TimedFollower<T extends Timed> {
  readonly #options: TimedFollowerOptions<T>;
  readonly #merge: TimeMerge<T>;
  readonly #sources = new Map<string, Source>();
  readonly #timer: NodeJS.Timeout;
  #waiting: (() => void)[] = [];
  #lookers: (() => void)[] = [];
  #isRunning = false;

  constructor(options: TimedFollowerOptions<T>) {
    this.#options = options;
    const { hurries, waitingMax, windowMs } = options;
    this.#merge = new TimeMerge<T>({ hurriedFrom: hurries ? waitingMax : Infinity, windowMs });
    this.#timer = setInterval(() => void this.#run(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Follows from now on, from the places, or from the first records that there still are; where it was is forgotten. */
  follow(readerOf: (topic: string) => KafkaReader, places: Places): void {
    this.forget();
    for (const [topic, partitions] of this.#options.topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const [name, reader] = [`${topic}/${partition}`, readerOf(topic)];
        this.#merge.open(name, places);
        this.#sources.set(name, { name, reader, topic, partition, nextOffset: -1, isPaused: false });
        reader.read(topic, partition, places[name] ?? "earliest");
      }
    }
  }

  /** Follows nothing, and has no places. */
  forget(): void {
    for (const { reader, topic, partition } of this.#sources.values()) reader.stop(topic, partition);
    this.#merge.clear();
    this.#sources.clear();
    this.#tellLookers();
  }

  /** Where whoever goes on from what was handed out so far has to read on. */
  get places(): Places {
    return this.#merge.places;
  }

  /** Calls `look` where the places say exactly what was handed out: not among records of one log time. */
  atRest(look: () => void): void {
    if (this.#merge.isBetweenTimes) look();
    else this.#lookers.push(look);
  }

  /** Records that were read and wait. */
  get waiting(): number {
    let waiting = 0;
    for (const name of this.#sources.keys()) waiting += this.#merge.waiting(name);
    return waiting;
  }

  /** Resolves when everything that there is was handed out once. */
  caughtUp(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What a reader has read. */
  take({ topic, partition, records, nextOffset }: ReadBatch): void {
    const source = this.#sources.get(`${topic}/${partition}`);
    if (source === undefined) return;
    const waiting = records.flatMap((record) => this.#decoded(record, topic, partition) ?? []);
    this.#merge.add(source.name, waiting, nextOffset);
    source.nextOffset = nextOffset;
    if (this.#merge.waiting(source.name) > this.#options.waitingMax) {
      source.isPaused = true;
      source.reader.stop(topic, partition);
    }
    // When the reader has moved on from this batch, and knows whether it was the last one.
    setImmediate(() => void this.#run());
  }

  #decoded(...given: Parameters<TimedFollowerOptions<T>["decode"]>): T | undefined {
    try {
      return this.#options.decode(...given);
    } catch (error) {
      this.#options.onCorrupt(error as Error);
      return undefined;
    }
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    let sliceEndMs = performance.now() + SLICE_MS;
    this.#lookAtEnds();
    for (let input = this.#next(); input !== undefined; input = this.#next()) {
      try {
        this.#options.apply(input);
      } catch (error) {
        this.#options.onCorrupt(error as Error);
      }
      this.#tellLookers();
      if (performance.now() < sliceEndMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEndMs = performance.now() + SLICE_MS;
    }
    this.#isRunning = false;
    if (this.#sources.size > 0 && this.#merge.isDrained) this.#drained();
  }

  #next(): T | undefined {
    const input = this.#merge.take();
    if (input !== undefined) return input;
    this.#lookAtEnds();
    return this.#merge.take();
  }

  /** What is new about the partitions' ends; one that waited for room is read on. */
  #lookAtEnds(): void {
    const { waitingMax, atEndSince } = this.#options;
    for (const source of this.#sources.values()) {
      const { name, reader, topic, partition } = source;
      if (source.isPaused && this.#merge.waiting(name) < waitingMax / 2) {
        source.isPaused = false;
        reader.read(topic, partition, source.nextOffset);
      }
      this.#merge.setAtEnd(name, source.isPaused ? undefined : atEndSince(reader, topic, partition));
    }
  }

  #tellLookers(): void {
    if (this.#lookers.length === 0 || !this.#merge.isBetweenTimes) return;
    const lookers = this.#lookers;
    this.#lookers = [];
    for (const look of lookers) look();
  }

  #drained(): void {
    this.#options.onDrained?.();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
