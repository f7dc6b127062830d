// Follows `steps`, and teaches models in one order: log time, then the person's key, then his own order. What a ranker or a
// vector learns from a step depends on the steps before it, so without one order each server would have other lists. It is
// a function of the log, and the one in which the embedded host's fold is compared.
import { paceMsOf } from "../../core/model/step.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader, type ReadRecord } from "../kafka/reader.ts";
import { personKeyOf } from "../wire/record-key.ts";
import { decodeStep, historyOf, type StepValue } from "../wire/step.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Timed } from "./time-merge.ts";
import { TimedFollower } from "./timed-follower.ts";

export interface StepFollowerOptions {
  readonly connection: KafkaConnection;
  readonly topics: Pick<ProjectTopics, "steps">;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
  /** Whether what the person of this key did at that moment was erased. */
  readonly isErased: (personKey: string, atMs: number) => boolean;
  /** Called with each step that is learnt, in order. */
  readonly onLearnt?: (step: LearntStep) => void;
}

export type LearntStep = Extract<StepValue, { kind: "step" }>;

/** Steps that are known again: what an aborted transaction wrote comes once more. */
const STEPS_KNOWN_MAX = 50_000;
const WAITING_MAX = 15_000;
/**
 * A step waits for older ones as long as it came late itself, because the job that is behind is not equally far behind in
 * each of its subtasks; at least so long that what was written together is learnt in its order, and not longer than the
 * second.
 */
const PATIENCE_MIN_MS = 100;
const PATIENCE_MAX_MS = 5_000;
/** How far subtasks that write to one partition may be apart. With the bound above it is exact up to 3,000 steps a second. */
const WINDOW_MS = 3_000;

type Waiting = Timed & { readonly value: StepValue };

export class StepFollower {
  readonly #options: StepFollowerOptions;
  readonly #reader: KafkaReader;
  readonly #follower: TimedFollower<Waiting>;
  readonly #known = new RecentMap<true>(STEPS_KNOWN_MAX);
  #recommender: Recommender | undefined;
  total = 0;

  constructor(options: StepFollowerOptions) {
    this.#options = options;
    const { connection, partitions, topics, onCorrupt } = options;
    this.#follower = new TimedFollower({
      topics: new Map([[topics.steps, partitions.get(topics.steps)!]]),
      decode: (record, _topic, partition) => this.#decoded(record, partition),
      apply: ({ value }) => this.#learn(value),
      onCorrupt,
      // The next question is on its way already, and would be answered at once.
      atEndSince: (reader, topic, partition) => (reader.isAtEnd(topic, partition) ? performance.now() : undefined),
      waitingMax: WAITING_MAX,
      hurries: true,
      windowMs: WINDOW_MS,
    });
    this.#reader = new KafkaReader({ connection, onBatch: (batch) => this.#follower.take(batch) });
  }

  /** Teaches `recommender` from now on: from the offsets, or from the first step that there still is. */
  follow(recommender: Recommender, offsets: Readonly<Record<string, number>>): void {
    this.#recommender = recommender;
    this.#known.clear();
    this.#follower.follow(() => this.#reader, offsets);
  }

  /** Learns nothing until it follows again. */
  forget(): void {
    this.#follower.forget();
  }

  /** Where whoever goes on from what was learnt so far has to read on. */
  get offsets(): Readonly<Record<string, number>> {
    return this.#follower.places;
  }

  /** Calls `look` where models and offsets belong together. */
  atRest(look: () => void): void {
    this.#follower.atRest(look);
  }

  /** Steps that are not learnt yet. */
  get lag(): number {
    return this.#reader.lag() + this.#follower.waiting;
  }

  get isRefused(): boolean {
    return this.#reader.isRefused;
  }

  /** Resolves when everything that there is was learnt once. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp();
  }

  async close(): Promise<void> {
    this.#follower.stop();
    await this.#reader.close();
  }

  #decoded({ key, value: bytes, offset, timestampMs }: ReadRecord, partition: number): Waiting | undefined {
    if (key === null || bytes === null) return undefined;
    const value = decodeStep(bytes);
    const timeMs = value.at ?? timestampMs;
    const lateMs = this.#options.now() - timeMs;
    // What lay there before we came is not late: older ones of other partitions lie there too.
    const wasThere = offset < (this.#reader.endAtStart(this.#options.topics.steps, partition) ?? 0);
    return {
      ...{ value, timeMs, offset },
      thenBy: personKeyOf(key),
      cameMs: performance.now(),
      patienceMs: wasThere ? 0 : Math.min(Math.max(lateMs, PATIENCE_MIN_MS), PATIENCE_MAX_MS),
    };
  }

  #isNew(id: string): boolean {
    if (this.#known.get(id) !== undefined) return false;
    this.#known.set(id, true);
    return true;
  }

  #learn(value: StepValue): void {
    const recommender = this.#recommender!;
    if (value.kind === "relink") return recommender.relink(value.from, value.to);
    if (value.kind === "forget") {
      if (this.#isNew(`${value.key}\n\n${value.at}`)) recommender.forget(value.key);
      return;
    }
    const { eventId, step } = value;
    if (this.#options.isErased(step.personKey, step.timeMs)) return;
    if (!this.#isNew(`${step.personKey}\n${eventId}`)) return;
    this.#options.onLearnt?.(value);
    const history = historyOf(value);
    const paceMs = value.at === undefined ? step.timeMs : paceMsOf(step.timeMs, value.at);
    const sampled = history !== undefined && recommender.learningSample(eventId, paceMs);
    recommender.learn({ ...step, paceMs, sampled, history: history ?? [] });
    this.total++;
  }
}
