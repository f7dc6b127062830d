// Decisions on their way to Kafka, and the guards of experiments. A variant that does harm is stopped by a record of
// `control`, which every server reads; one of them looks for it.
import { uuidv7 } from "uuidv7";
import type { DecisionRecord, ExperimentStop } from "../../core/record.ts";
import { GuardWatch } from "../../server/hosting/guard-watch.ts";
import { partitionOf } from "../kafka/partition.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { encodeDocument } from "../wire/documents.ts";
import { recordKey } from "../wire/record-key.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Erasures } from "./erasures.ts";
import type { Learner } from "./learner.ts";
import type { Membership } from "./membership.ts";

export interface DecisionsOptions {
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
  /** Topics whose records have keys of their own. */
  readonly ownKeys: ReadonlySet<string>;
  readonly sender: KafkaSender;
  readonly learner: Learner;
  readonly erasures: Erasures;
  readonly membership: Membership;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

const TASK = "guards";
/** A page waits no longer for its decision to be logged. */
const WAIT_MAX_MS = 200;

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

  /**
   * One that Kafka does not take is counted, and answered all the same. One that something waits for is answered when Kafka
   * has it, so that it lies before whatever comes of it.
   */
  async log(key: string, decision: DecisionRecord): Promise<void> {
    const { topics, partitions, ownKeys, sender, erasures, now } = this.#options;
    const topic = topics.decision;
    const at = now();
    // He was erased just now, so it would lie before that.
    if (at <= erasures.untilMs(key)) return;
    const value = encodeDocument("decision", { ...decision, at });
    const record = { topic, partition: partitionOf(key, partitions.get(topic)!), key: ownKeys.has(topic) ? recordKey(key) : Buffer.from(key), value };
    const sent = sender.send([record]).catch(() => void this.dropped++);
    if (decision.choice !== undefined || decision.experiments !== undefined) await inTime(sent);
  }

  #stop(stop: ExperimentStop): Promise<void> {
    const { topics, sender, now } = this.#options;
    const value = encodeDocument("control", { kind: "experiment_stop", at: now(), stop });
    return sender.send([{ topic: topics.control, partition: 0, key: Buffer.from(uuidv7()), value }]);
  }
}

function inTime(sent: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, WAIT_MAX_MS)));
  return Promise.race([sent, late]).finally(() => clearTimeout(timer));
}
