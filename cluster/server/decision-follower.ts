// Follows `decision` and `outcomes`, and folds what they hold in the order of log time.
import { KafkaReader, type ReadBatch, type ReadRecord } from "../kafka/reader.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { decodeDocument } from "../wire/documents.ts";
import { decodeOutcome, outcomeMs } from "../wire/outcome.ts";
import { personKeyOf } from "../wire/record-key.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { DecisionFold, DecisionInput } from "./decision-fold.ts";
import type { Timed } from "./time-merge.ts";
import { TimedFollower } from "./timed-follower.ts";

export interface DecisionFollowerOptions {
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

const WAITING_MAX = 20_000;
/** Transactions of one checkpoint become visible one after the other. A guess: they come within some ms. */
const PATIENCE_MS = 250;
/** Where nothing comes, log time is this far behind the clock. */
const QUIET_MS = 500;

type Waiting = DecisionInput & Timed;

export class DecisionFollower {
  readonly #options: DecisionFollowerOptions;
  readonly #follower: TimedFollower<Waiting>;
  /** Decisions as servers wrote them; outcomes as the job committed them. */
  readonly #decisions: KafkaReader;
  readonly #outcomes: KafkaReader;
  #fold: DecisionFold | undefined;
  foldedTotal = 0;

  constructor(options: DecisionFollowerOptions) {
    this.#options = options;
    const { connection, partitions, topics, onCorrupt } = options;
    const onBatch = (batch: ReadBatch): void => this.#follower.take(batch);
    this.#decisions = new KafkaReader({ connection, onBatch });
    this.#outcomes = new KafkaReader({ connection, onBatch, isolation: "read_committed" });
    this.#follower = new TimedFollower({
      topics: new Map([topics.decision, topics.outcomes].map((topic) => [topic, partitions.get(topic)!])),
      decode: (record, topic) => this.#decoded(record, topic),
      apply: (input) => {
        this.foldedTotal++;
        this.#fold!.apply(input);
      },
      onCorrupt,
      // Programs come into force and variants are stopped although nobody does anything.
      onDrained: () => this.#fold!.advance(options.now() - QUIET_MS),
      atEndSince: (reader, topic, partition) => reader.atEndSince(topic, partition),
      waitingMax: WAITING_MAX,
      hurries: false,
    });
  }

  /** Folds into `fold` from now on: from the offsets, or from the first records that there still are. */
  follow(fold: DecisionFold, offsets: Readonly<Record<string, number>>): void {
    this.#fold = fold;
    this.#follower.follow((topic) => (topic === this.#options.topics.outcomes ? this.#outcomes : this.#decisions), offsets);
  }

  /** Where whoever goes on from the fold as it is now has to read on. */
  get offsets(): Readonly<Record<string, number>> {
    return this.#follower.places;
  }

  /** Records that are not folded yet. */
  get lag(): number {
    return this.#decisions.lag() + this.#outcomes.lag() + this.#follower.waiting;
  }

  get isRefused(): boolean {
    return this.#decisions.isRefused || this.#outcomes.isRefused;
  }

  /** Resolves when everything that there is was folded once. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp();
  }

  async close(): Promise<void> {
    this.#follower.stop();
    await Promise.all([this.#decisions.close(), this.#outcomes.close()]);
  }

  #decoded({ key, value, offset, timestampMs }: ReadRecord, topic: string): Waiting | undefined {
    if (key === null || value === null) return undefined;
    const common = { key: personKeyOf(key), offset, cameMs: performance.now(), patienceMs: PATIENCE_MS };
    const { topics, isErased } = this.#options;
    if (topic === topics.outcomes) {
      const outcome = decodeOutcome(value);
      const timeMs = outcomeMs(outcome);
      return isErased(common.key, timeMs) ? undefined : { ...common, kind: "outcome", timeMs, outcome };
    }
    const { at, ...decision } = decodeDocument("decision", value);
    // Kafka may take it late, after its answer: then what came of it must not lie before it.
    const timeMs = Math.min(at, timestampMs);
    return isErased(common.key, timeMs) ? undefined : { ...common, kind: "decision", timeMs, decision };
  }
}
