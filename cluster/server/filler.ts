// Fills Redis from a topic: each partition by the server that it falls to. How far a partition was taken in stands in
// Redis, beside what was filled; where that mark is not what we left there, Redis lost something, and we go on from what
// it has; so we do behind each new line to Redis. What is written is versioned, so that filling twice changes nothing.
//
// The mark is there before the first row: a Redis that loses its rows then never looks like one that had none yet.
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader, type ReadBatch, type ReadRecord } from "../kafka/reader.ts";
import type { RedisLink } from "../redis/link.ts";
import type { ShardMark } from "../redis/profile-store.ts";
import type { Membership } from "./membership.ts";

export interface FillTarget {
  readonly topic: string;
  readonly partitions: number;
  /** As in `ProfileStore`. */
  mark(partition: number): Promise<ShardMark>;
  moveMark(
    partition: number,
    move: { from: number | undefined; to: number; isWhole: boolean },
  ): Promise<{ mark: number | undefined }>;
  /** Takes out who was erased since Redis was last filled from here: no record does, because erasures take tombstones out of topics too. */
  clean(partition: number): Promise<void>;
  /** What it rejects is tried again. `isRefill`: these are not news, only lost before. */
  write(records: readonly ReadRecord[], isRefill: boolean): Promise<void>;
}

/** Records in one pipeline to Redis. */
const PIPELINE_MAX = 500;
const RETRY_MS = 100;
const LOOK_MS = 20;
const NOTHING_TAKEN = 0;

interface Share {
  /** The mark as we left it; undefined while none of ours stands in Redis. */
  mark: number | undefined;
  /** The newest line to Redis when its mark was read. */
  line: number;
  /** The end was reached since Redis was empty. */
  isWhole: boolean;
  /** Records before this offset were told before Redis lost them; undefined until the topic's end is known. */
  newsFrom: number | undefined;
  isReading: boolean;
}

export class Filler {
  readonly #link: RedisLink;
  readonly #target: FillTarget;
  readonly #membership: Membership;
  readonly #reader: KafkaReader;
  readonly #shares = new Map<number, Share>();
  #closed = false;
  recordsTotal = 0;

  constructor(options: { connection: KafkaConnection; link: RedisLink; target: FillTarget; membership: Membership }) {
    this.#link = options.link;
    this.#target = options.target;
    this.#membership = options.membership;
    this.#reader = new KafkaReader({ connection: options.connection, onBatch: (batch) => this.#take(batch) });
    this.#membership.onBeat(() => void this.#beat());
  }

  /** Records that are not in Redis yet, of our partitions. */
  get lag(): number {
    return this.#reader.lag();
  }

  /** Kafka refuses to have it read. */
  get isRefused(): boolean {
    return this.#reader.isRefused;
  }

  /** Each of our partitions was filled to its end once. */
  get isWhole(): boolean {
    return [...this.#shares.values()].every(({ isWhole }) => isWhole);
  }

  /** Partitions that fall to us. */
  get shares(): number {
    return this.#shares.size;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reader.close();
  }

  /** Takes up and puts down partitions, and looks whether Redis still has what we filled. */
  async #beat(): Promise<void> {
    for (let partition = 0; partition < this.#target.partitions && !this.#closed; partition++) {
      const share = this.#shares.get(partition);
      if (!this.#membership.isOurs(`${this.#target.topic}/${partition}`)) {
        if (share !== undefined) this.#reader.stop(this.#target.topic, partition);
        this.#shares.delete(partition);
      } else if (share === undefined) {
        this.#begin(partition);
      } else if (share.isReading) {
        await this.#move(partition, share).catch(() => undefined);
      }
    }
  }

  /** From what Redis has; also where it is not as we left it. */
  #begin(partition: number): void {
    const share: Share = { mark: undefined, line: 0, isWhole: false, newsFrom: undefined, isReading: false };
    this.#shares.set(partition, share);
    void this.#start(partition, share);
  }

  async #start(partition: number, share: Share): Promise<void> {
    while (!this.#closed && this.#shares.get(partition) === share) {
      try {
        share.line = this.#link.linesTotal;
        Object.assign(share, await this.#target.mark(partition));
        await this.#takeUp(partition, share);
        await this.#finish(partition, share);
        return;
      } catch {
        await pause();
      }
    }
  }

  /** The first time that the end is reached is told at once: until then readers are told that they see less. */
  async #finish(partition: number, share: Share): Promise<void> {
    const { topic } = this.#target;
    while (!share.isWhole && !this.#closed && this.#shares.get(partition) === share) {
      if (this.#reader.isAtEnd(topic, partition)) await this.#move(partition, share);
      else await pause(LOOK_MS);
    }
  }

  /** Reads on from the mark; where there is none, sets it first. */
  async #takeUp(partition: number, share: Share): Promise<void> {
    if (share.mark === undefined) {
      const { mark } = await this.#target.moveMark(partition, { from: undefined, to: NOTHING_TAKEN, isWhole: false });
      share.mark = mark;
    }
    await this.#target.clean(partition);
    if (this.#shares.get(partition) !== share) return;
    share.isReading = true;
    share.newsFrom = share.isWhole ? 0 : undefined;
    const start = share.mark === undefined || share.mark === NOTHING_TAKEN ? "earliest" : share.mark;
    this.#reader.read(this.#target.topic, partition, start);
  }

  async #take({ topic, partition, records }: ReadBatch): Promise<void> {
    const share = this.#shares.get(partition);
    if (share === undefined) return;
    const newsFrom = (share.newsFrom ??= this.#reader.endAtStart(topic, partition) ?? 0);
    const old = records.filter(({ offset }) => offset < newsFrom);
    const news = records.filter(({ offset }) => offset >= newsFrom);
    await this.#write(partition, share, { records: old, isRefill: true });
    await this.#write(partition, share, { records: news, isRefill: false });
  }

  async #write(
    partition: number,
    share: Share,
    { records, isRefill }: { records: readonly ReadRecord[]; isRefill: boolean },
  ): Promise<void> {
    for (let start = 0; start < records.length; start += PIPELINE_MAX) {
      const some = records.slice(start, start + PIPELINE_MAX);
      // Redis is away: what is read waits here, and Kafka keeps the rest.
      while (!this.#closed && this.#shares.get(partition) === share) {
        try {
          await this.#target.write(some, isRefill);
          this.recordsTotal += some.length;
          break;
        } catch {
          await pause();
        }
      }
    }
  }

  /** Brings the mark to where reading stands; where it was not as we left it, all begins again from what Redis has. */
  async #move(partition: number, share: Share): Promise<void> {
    const { topic } = this.#target;
    // Behind a new line may be an older state that has this very mark, and not the rows that were written since.
    if (share.mark === undefined || share.line !== this.#link.linesTotal) return this.#begin(partition);
    const to = this.#reader.position(topic, partition);
    if (to === undefined) return;
    const isWhole = this.#reader.isAtEnd(topic, partition);
    const { mark } = await this.#target.moveMark(partition, { from: share.mark, to, isWhole });
    if (this.#shares.get(partition) !== share) return;
    if (mark !== to) return this.#begin(partition);
    share.mark = mark;
    share.isWhole ||= isWhole;
  }
}

function pause(ms = RETRY_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
