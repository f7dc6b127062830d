// What this server knows that is not about one person: programs (`control`), the catalogue (`item`), and the models that
// it learns itself (`steps`). All of it is in memory and comes from Kafka, so any number of servers may start and die.
import { assert } from "../../core/assert.ts";
import type { Item } from "../../core/item/item.ts";
import { compileProgram } from "../../core/program/compile.ts";
import type { CompiledProgram } from "../../core/program/compiled.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import { createRecommender, type Recommender } from "../../core/rank/recommender.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader, type ReadBatch } from "../kafka/reader.ts";
import { decodeDocument } from "../wire/documents.ts";
import { decodeStep } from "../wire/step.ts";
import type { ProjectTopics } from "../wire/topics.ts";

export interface LearnerOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

/** Steps that are known again: what an aborted transaction wrote comes once more. */
const STEPS_KNOWN_MAX = 50_000;
/** Learning goes on in slices, so that answers come between. */
const SLICE_MS = 4;

export class Learner {
  readonly #options: LearnerOptions;
  readonly #reader: KafkaReader;
  readonly #knownSteps = new RecentMap<true>(STEPS_KNOWN_MAX);
  readonly #programListeners = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly programs = new ProgramTimeline();
  recommender: Recommender = createRecommender({});
  #configured = 0;
  stepsTotal = 0;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#reader = new KafkaReader({ connection: options.connection, onBatch: (batch) => this.#take(batch) });
  }

  /** The program in force now. At least one must have been read. */
  get program(): CompiledProgram {
    return this.programs.inForce(this.#options.now()).program;
  }

  /** Records that the models have not learnt yet. */
  get lag(): number {
    return this.#reader.lag();
  }

  /** Reads programs and catalogue to their ends. `steps` follow behind (`learnSteps`). */
  async start(): Promise<void> {
    const { topics } = this.#options;
    this.#read(topics.control);
    await this.#reader.caughtUp(topics.control);
    this.#read(topics.item);
    await this.#reader.caughtUp(topics.item);
  }

  /** Learns from the topic's steps, from the first that it still has; resolves when its end was reached once. */
  async learnSteps(topic: string): Promise<void> {
    this.#read(topic);
    await this.#reader.caughtUp(topic);
  }

  /** Resolves when a program of that version was read. */
  async hasProgram(version: number): Promise<void> {
    if (this.programs.at(version) !== undefined) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.programs.at(version) === undefined) return;
        this.#programListeners.delete(look);
        resolve();
      };
      this.#programListeners.add(look);
    });
  }

  /** Written by this server, and so known here at once; the topic says the same a moment later. */
  putItem(item: Item, atMs: number): void {
    this.recommender.putItem(item, atMs);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#reader.close();
  }

  #read(topic: string): void {
    const count = this.#options.partitions.get(topic);
    assert(count !== undefined, `the partitions of ${topic} are known`);
    for (let partition = 0; partition < count; partition++) this.#reader.read(topic, partition, "earliest");
  }

  async #take({ topic, records }: ReadBatch): Promise<void> {
    const { topics, onCorrupt } = this.#options;
    const learn = topic === topics.control ? this.#control : topic === topics.item ? this.#item : this.#step;
    let sliceEndMs = performance.now() + SLICE_MS;
    for (const { key, value } of records) {
      try {
        learn.call(this, value, key);
      } catch (error) {
        onCorrupt(error as Error);
      }
      if (performance.now() < sliceEndMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEndMs = performance.now() + SLICE_MS;
    }
  }

  /** The first record of a version counts: two servers may have written the same one. */
  #control(value: Buffer | null): void {
    if (value === null) return;
    const record = decodeDocument("control", value);
    if (record.kind !== "program" || this.programs.at(record.version) !== undefined) return;
    const compiled = compileProgram(record.document, record.version);
    if ("faults" in compiled) throw new Error(`program ${record.version} does not compile: ${compiled.faults[0]!.message}`);
    this.programs.append(record.version, record.at, compiled.program);
    this.#configureAt(record.at);
    for (const tell of this.#programListeners) tell();
  }

  #configureAt(atMs: number): void {
    const waitMs = atMs - this.#options.now();
    if (waitMs <= 0) return this.#configure();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#configureAt(atMs);
    }, waitMs);
    timer.unref();
    this.#timers.add(timer);
  }

  #configure(): void {
    const { version, models, learning } = this.program;
    if (version === this.#configured) return;
    this.#configured = version;
    this.recommender.configure(models, learning);
  }

  #item(value: Buffer | null, key: Buffer | null): void {
    if (key === null) return;
    if (value === null) {
      this.recommender.deleteItem(key.toString());
      return;
    }
    const { item, at } = decodeDocument("item", value);
    this.recommender.putItem(item, at);
  }

  #step(value: Buffer | null): void {
    if (value === null) return;
    const record = decodeStep(value);
    if (record.kind === "relink") return this.recommender.relink(record.from, record.to);
    const { eventId, step } = record;
    const id = `${step.personKey}\n${eventId}`;
    if (this.#knownSteps.get(id) !== undefined) return;
    this.#knownSteps.set(id, true);
    const sampled = step.history !== undefined && this.recommender.learningSample(eventId, step.timeMs);
    this.recommender.learn({ ...step, sampled, history: step.history ?? [] });
    this.stepsTotal++;
  }
}
