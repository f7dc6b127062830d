// Whether the job goes on, as a server tells it to whoever watches: it takes events also while nobody folds them. Servers write
// a tick to each partition once a second, so a job that works confirms something with every checkpoint.
import type { KafkaConnection } from "../kafka/connection.ts";
import { lagOf } from "../kafka/lag.ts";
import { groupId } from "../wire/topics.ts";
import { lookEvery } from "./look-every.ts";

const LOOK_EVERY_MS = 10_000;
/** Longer than checkpoints are apart and a restart of the job takes: a guess, which a part that is told of may be. */
export const IDLE_MAX_MS = 60_000;

export interface JobFigures {
  readonly [figure: string]: number | boolean;
  /** It has confirmed something within the last minute. */
  readonly ready: boolean;
  /** Records that it has not confirmed; Infinity where it never confirmed any. */
  readonly lag: number;
  /** Since it was last seen to confirm something, or since the server looks. */
  readonly idle_s: number;
}

/** What the job has confirmed, look by look. */
export class JobProgress {
  #confirmed = -1;
  #lag = Infinity;
  #movedMs: number;

  constructor(nowMs: number) {
    this.#movedMs = nowMs;
  }

  /** @param end - records that the log holds in all; @param lag - those that are not confirmed; undefined: none ever was. */
  look({ end, lag }: { end: number; lag: number | undefined }, nowMs: number): void {
    if (lag === undefined) return;
    if (end - lag !== this.#confirmed) this.#movedMs = nowMs;
    this.#confirmed = end - lag;
    this.#lag = lag;
  }

  figures(nowMs: number): JobFigures {
    const idleMs = nowMs - this.#movedMs;
    return { ready: this.#confirmed >= 0 && idleMs <= IDLE_MAX_MS, lag: this.#lag, idle_s: Math.round(idleMs / 1_000) };
  }
}

export class JobWatch {
  readonly #progress = new JobProgress(performance.now());
  readonly stop: () => void;
  /** How many each topic of the log has, at the last look: somebody may have added some. */
  partitions: ReadonlyMap<string, number> = new Map();

  constructor({ connection, generation, log }: { connection: KafkaConnection; generation: number; log: readonly string[] }) {
    this.stop = lookEvery(LOOK_EVERY_MS, async () => {
      const topics = await lagOf(connection, groupId(generation), log);
      this.partitions = new Map(topics.map(({ topic, partitions }) => [topic, partitions]));
      const isKnown = topics.some(({ lag }) => lag !== undefined);
      const end = topics.reduce((sum, topic) => sum + topic.end, 0);
      // Of a topic of the family that nobody has written to yet, nothing is confirmed.
      const lag = isKnown ? topics.reduce((sum, topic) => sum + (topic.lag ?? topic.end), 0) : undefined;
      this.#progress.look({ end, lag }, performance.now());
    });
  }

  get figures(): JobFigures {
    return this.#progress.figures(performance.now());
  }
}
