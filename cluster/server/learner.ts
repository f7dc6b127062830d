// What this server knows that is not about one person: programs (`control`), the catalogue (`item`), the models that it
// learns itself (`steps`), and what has followed from decisions (`decision`, `outcomes`). All of it is in memory and comes from Kafka, so any number of servers may start and die.
import { assert } from "../../core/assert.ts";
import { compileProgram } from "../../core/program/compile.ts";
import type { CompiledProgram } from "../../core/program/compiled.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import { FOR_EVER } from "../../server/privacy/retention.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader, type ReadBatch } from "../kafka/reader.ts";
import { agesOf, decodeDocument } from "../wire/documents.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { TimedStop } from "./decision-fold.ts";
import { DecisionFollower } from "./decision-follower.ts";
import { createLearnt, type Learnt } from "./learnt.ts";
import { StepFollower } from "./step-follower.ts";

export interface LearnerOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
  /** Whether what the person of this key did at that moment was erased. */
  readonly isErased: (personKey: string, atMs: number) => boolean;
}

/** Topic and partition, with a slash between, → offset. */
export type Offsets = Readonly<Record<string, number>>;

/** Learning goes on in slices, so that answers come between. */
const SLICE_MS = 4;

export class Learner {
  readonly #options: LearnerOptions;
  readonly #reader: KafkaReader;
  readonly #decisions: DecisionFollower;
  readonly #steps: StepFollower;
  readonly #programListeners = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly programs = new ProgramTimeline();
  readonly #stops: TimedStop[] = [];
  /** For how long the job keeps persons after they were last seen. */
  personAges = FOR_EVER;
  /** Answers come from it. */
  learnt: Learnt = this.fresh();
  /** What is taught; another one only while everything is learnt anew behind what answers. */
  learning: Learnt = this.learnt;
  /** Topic and partition → where the catalogue's next record lies. */
  readonly #positions = new Map<string, number>();
  /** Batches are learnt one after the other, whichever broker they come from. */
  #turn: Promise<unknown> = Promise.resolve();
  #configured = 0;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#reader = new KafkaReader({ connection: options.connection, onBatch: (batch) => this.#take(batch) });
    this.#decisions = new DecisionFollower(options);
    this.#steps = new StepFollower(options);
  }

  get recommender(): Recommender {
    return this.learnt.recommender;
  }

  /** The program in force now. At least one must have been read. */
  get program(): CompiledProgram {
    return this.programs.inForce(this.#options.now()).program;
  }

  /** Records that the models have not learnt yet. */
  get lag(): number {
    return this.#reader.lag() + this.#steps.lag;
  }

  /** Kafka refuses to have it read. */
  get isRefused(): boolean {
    return this.#reader.isRefused || this.#steps.isRefused || this.#decisions.isRefused;
  }

  get stepsTotal(): number {
    return this.#steps.total;
  }

  /** Decisions and outcomes that are not folded yet. */
  get decisionsLag(): number {
    return this.#decisions.lag;
  }

  /** Nothing learnt; `version`: of the program under which the decisions' rows stand that will be loaded. */
  fresh(version = 0): Learnt {
    return createLearnt({ programs: this.programs, stops: this.#stops, version });
  }

  /** Reads programs to their end. */
  async start(): Promise<void> {
    const { topics } = this.#options;
    this.#read(topics.control);
    await this.#reader.caughtUp(topics.control);
  }

  /**
   * Learns everything but programs anew: from a snapshot's offsets on, or from the first record that there still is.
   * Resolves when the catalogue is read; `hasLearnt` tells of the rest. What has been learnt before goes on answering
   * until then.
   */
  async learn(learnt: Learnt, offsets: Offsets): Promise<void> {
    const { topics } = this.#options;
    await this.atRest(() => {
      this.learning = learnt;
      this.#positions.clear();
      for (const [name, offset] of Object.entries(offsets)) this.#positions.set(name, offset);
      this.#configured = 0;
      if (this.programs.entries.length > 0) this.#configure();
      this.#decisions.follow(learnt.decisions, offsets);
      this.#steps.forget();
    });
    this.#read(topics.item, offsets);
    await this.#reader.caughtUp(topics.item);
    // After the catalogue: what a step is about shall be known.
    this.#steps.follow(learnt.recommender, offsets);
    if (this.stepsTotal > 0) await this.hasLearnt();
    this.learnt = learnt;
  }

  /** Resolves when the models and the decisions have seen everything there is once. */
  async hasLearnt(): Promise<void> {
    await Promise.all([this.#steps.caughtUp(), this.#decisions.caughtUp()]);
  }

  /** Calls `look` between two batches: what is learnt and the offsets belong together then. */
  atRest<T>(look: (offsets: Offsets) => T): Promise<T> {
    const answer = this.#turn.then(() => {
      return new Promise<T>((resolve, reject) => {
        this.#steps.atRest(() => {
          try {
            resolve(look(this.#offsets));
          } catch (error) {
            reject(error);
          }
        });
      });
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
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

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([this.#reader.close(), this.#steps.close(), this.#decisions.close()]);
  }

  get #offsets(): Offsets {
    return { ...Object.fromEntries(this.#positions), ...this.#steps.offsets, ...this.#decisions.offsets };
  }

  #read(topic: string, offsets: Offsets = {}): void {
    const count = this.#options.partitions.get(topic);
    assert(count !== undefined, `the partitions of ${topic} are known`);
    for (let partition = 0; partition < count; partition++) {
      this.#reader.read(topic, partition, offsets[`${topic}/${partition}`] ?? "earliest");
    }
  }

  #take(batch: ReadBatch): Promise<void> {
    const taken = this.#turn.then(() => this.#takeNow(batch));
    this.#turn = taken;
    return taken;
  }

  async #takeNow({ topic, partition, records, nextOffset }: ReadBatch): Promise<void> {
    const { topics, onCorrupt } = this.#options;
    const learn = topic === topics.control ? this.#control : this.#item;
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
    if (topic !== topics.control) this.#positions.set(`${topic}/${partition}`, nextOffset);
  }

  /** The first record of a version counts: two servers may have written the same one. */
  #control(value: Buffer | null): void {
    if (value === null) return;
    const record = decodeDocument("control", value);
    if (record.kind === "experiment_stop") this.#stops.push(record);
    if (record.kind === "retention") this.personAges = agesOf(record);
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
    for (const { recommender } of new Set([this.learnt, this.learning])) recommender.configure(models, learning);
  }

  #item(value: Buffer | null, key: Buffer | null): void {
    if (key === null) return;
    if (value === null) {
      this.learning.recommender.deleteItem(key.toString());
      return;
    }
    const { item, at } = decodeDocument("item", value);
    this.learning.recommender.putItem(item, at);
  }
}
