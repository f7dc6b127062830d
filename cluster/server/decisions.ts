// Decisions on their way to Kafka, and the guards of experiments. A variant that does harm is stopped by a record of
// `control`, which every server reads; one of them looks for it.
import { uuidv7 } from "uuidv7";
import type { DecisionRecord, ExperimentStop } from "../../core/record.ts";
import { GuardWatch } from "../../server/hosting/guard-watch.ts";
import { partitionOf } from "../kafka/partition.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { encodeDocument } from "../wire/documents.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Learner } from "./learner.ts";
import type { Membership } from "./membership.ts";

export interface DecisionsOptions {
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
  readonly sender: KafkaSender;
  readonly learner: Learner;
  readonly membership: Membership;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

const TASK = "guards";

export class Decisions {
  readonly #options: DecisionsOptions;
  readonly guards: GuardWatch;
  /** Decisions that Kafka did not take. */
  dropped = 0;

  constructor(options: DecisionsOptions) {
    this.#options = options;
    const { learner, membership } = options;
    this.guards = new GuardWatch({
      harmful: () => (membership.isOurs(TASK) ? learner.learnt.decisions.state.experiments.harmful() : []),
      write: (stop) => this.#stop(stop),
    });
  }

  /** Never waited for: a decision that Kafka does not take is counted. */
  log(key: string, decision: DecisionRecord): void {
    const { topics, partitions, sender, now } = this.#options;
    const topic = topics.decision;
    const value = encodeDocument("decision", { ...decision, at: now() });
    const record = { topic, partition: partitionOf(key, partitions.get(topic)!), key: Buffer.from(key), value };
    sender.send([record]).catch(() => this.dropped++);
  }

  #stop(stop: ExperimentStop): Promise<void> {
    const { topics, sender, now } = this.#options;
    const value = encodeDocument("control", { kind: "experiment_stop", at: now(), stop });
    return sender.send([{ topic: topics.control, partition: 0, key: Buffer.from(uuidv7()), value }]);
  }
}
