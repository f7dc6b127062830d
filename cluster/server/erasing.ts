// What follows an erasure: the job's state, Redis and what was learnt forget him, topics are read to find what is left, and
// the proof says it. One of the servers does it, the one that the task falls to; where that dies another one begins anew.
import { anonymousKeyOf } from "../../core/identity/identity.ts";
import { formatTimestamp } from "../../core/event/time.ts";
import type { OwnAct } from "../../server/ports.ts";
import { textsOf } from "../../server/privacy/belonging.ts";
import { proofHash } from "../erasure/book.ts";
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { MergedLog } from "../kafka/merged-log.ts";
import { remove, type RemovedRecord } from "../kafka/compaction.ts";
import { partitionOf } from "../kafka/partition.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import type { ProfileStore } from "../redis/profile-store.ts";
import { decodeDocument } from "../wire/documents.ts";
import type { ErasureProof } from "../wire/erasure.ts";
import { decodeProfile } from "../wire/profile.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { DeadLetterIndex } from "./dead-letters.ts";
import type { Erasures, RunningErasure } from "./erasures.ts";
import type { Membership } from "./membership.ts";
import type { ModelSnapshots } from "./model-snapshots.ts";
import { findRecords } from "./person-records.ts";

export interface ErasingOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly erasures: Erasures;
  readonly store: ProfileStore;
  readonly letters: DeadLetterIndex;
  readonly snapshots: ModelSnapshots;
  readonly membership: Membership;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A job could not be finished; it is tried again. */
  readonly onFault: (error: Error) => void;
  /** What the audit trail keeps of a job that is done: its proof's hash, so that it cannot be changed unseen. */
  readonly onDone: (details: NonNullable<OwnAct["details"]>) => void;
}

/** By topic, of those that held anything of him. What is left was written by an earlier release, and goes with its age. */
type TopicCounts = Record<string, { records_erased: number; records_left: number }>;

const TASK = "erasures";
const LOOK_EVERY_MS = 500;

export class Erasing {
  readonly #options: ErasingOptions;
  readonly #timer: NodeJS.Timeout;
  /** By job: what the topics held of him at the first look. */
  readonly #removed = new Map<string, Map<string, number>>();
  #isRunning = false;
  #isClosed = false;

  constructor(options: ErasingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { erasures, membership, onFault, now } = this.#options;
    const due = erasures.book.running().find(({ keys }) => keys.every((key) => erasures.untilMs(key) < now()));
    if (this.#isRunning || due === undefined || !membership.isOurs(TASK)) return;
    this.#isRunning = true;
    try {
      await this.#do(due);
    } catch (error) {
      onFault(error as Error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Every step may be done twice. Where the job has not forgotten him yet, the next look goes on. */
  async #do(begun: RunningErasure): Promise<void> {
    const { erasures, store, snapshots, letters, now, onDone } = this.#options;
    const found = await this.#devicesOf(begun);
    if (found.length > 0) return void (await erasures.extend(begun, found));
    const { at, keys } = begun;
    for (const key of keys) await store.erase(key, at);
    const letterIds = await this.#letterIds(keys, at);
    await letters.remove(letterIds);
    await snapshots.turn();
    if (!(await snapshots.areWithout(at)) || !(await this.#hasJobForgotten(keys, at))) return;
    const rows = await Promise.all(keys.map((key) => store.get(key)));
    const topics = await this.#removeFromTopics(begun);
    if (topics === undefined) return;
    const proof: ErasureProof = {
      erased_at: formatTimestamp(at),
      done_at: formatTimestamp(now()),
      ids: keys.length,
      job: { keys_forgotten: keys.length },
      redis: { rows_found: rows.filter(({ profile }) => profile !== undefined && profile.asOfMs <= at).length },
      models: { learnt_without_him: true },
      dead_letters: { taken_from_the_list: letterIds.length },
      topics,
      is_complete: Object.values(topics).every(({ records_left: left }) => left === 0),
    };
    this.#removed.delete(begun.job_id);
    const named = await this.#ledgerPlaces(begun);
    onDone({ job_id: begun.job_id, proof_sha256: proofHash(proof), is_complete: proof["is_complete"] === true });
    await erasures.finish(begun, proof);
    // The ledger goes by keys, and names nobody in the open any more: what it replaced goes too.
    await remove(named, () => true, { ...this.#options, isStopped: () => this.#isClosed });
  }

  /** Where the ledger names his keys in the open. */
  async #ledgerPlaces({ job_id: id }: RunningErasure): Promise<RemovedRecord[]> {
    const { connection, topics } = this.#options;
    const places: RemovedRecord[] = [];
    for await (const records of readCommitted({ connection, topic: topics.erasures, partition: 0 }))
      for (const { key, offset } of records)
        if (key?.toString() === id) places.push({ topic: topics.erasures, partition: 0, key, offset });
    return places;
  }

  /** Undefined where Kafka needs longer: the next look goes on. */
  async #removeFromTopics(job: RunningErasure): Promise<TopicCounts | undefined> {
    const { topics } = this.#options;
    const { records, shared } = await findRecords(job, this.#options);
    // Another look finds fewer.
    const first = this.#removed.get(job.job_id) ?? countsOf(records);
    this.#removed.set(job.job_id, first);
    const own = records.filter(({ topic }) => !shared.has(topic));
    const left = await remove(
      own.map(({ rawKey: key, ...place }) => ({ ...place, key })),
      (topic) => topic === topics.profiles,
      { ...this.#options, isStopped: () => this.#isClosed },
    );
    if ([...left.values()].some((count) => count > 0)) return undefined;
    const kept = countsOf(records.filter(({ topic }) => shared.has(topic)));
    return Object.fromEntries(
      [...first].map(([topic, count]) => {
        const ofShared = kept.get(topic) ?? 0;
        return [topic, { records_erased: count - ofShared, records_left: ofShared }];
      }),
    );
  }

  /** Devices that were last his, as the log says, and that the job does not name yet. */
  async #devicesOf({ keys, at }: RunningErasure): Promise<string[]> {
    const [root] = keys as [string];
    const owners = new Map<string, string>();
    for await (const records of new MergedLog(this.#options, this.#options.topics.log).read()) {
      for (const { key, value, atMs } of records) {
        if (atMs > at || !key.startsWith("a:")) continue;
        const record = decodeClusterRecord(value);
        if (record.kind === "link") owners.set(key, record.userKey);
      }
    }
    return [...owners].flatMap(([anonKey, userKey]) => (userKey === root && !keys.includes(anonKey) ? [anonKey] : []));
  }

  async #letterIds(keys: readonly string[], at: number): Promise<string[]> {
    const { connection, topics } = this.#options;
    const names = new Set(keys);
    const ids: string[] = [];
    for await (const records of readCommitted({ connection, topic: topics.deadLetters, partition: 0 })) {
      for (const { value } of records) {
        if (value === null) continue;
        const letter = decodeDocument("deadLetters", value);
        const texts = [...textsOf(letter.body)];
        const isHis = texts.some((text) => names.has(`u:${text}`) || names.has(anonymousKeyOf(text)));
        if (letter.at <= at && isHis) ids.push(letter.id);
      }
    }
    return ids;
  }

  /** Whether nothing of before is the newest value of one of the keys: the job has read the erasure. */
  async #hasJobForgotten(keys: readonly string[], at: number): Promise<boolean> {
    const { connection, topics, partitions } = this.#options;
    const wanted = new Set(keys);
    const newest = new Map<string, number>();
    const places = new Set(keys.map((key) => partitionOf(key, partitions.get(topics.profiles)!)));
    for (const partition of places) {
      for await (const records of readCommitted({ connection, topic: topics.profiles, partition })) {
        for (const { key, value } of records) {
          const name = key!.toString();
          if (!wanted.has(name)) continue;
          if (value === null) newest.delete(name);
          else newest.set(name, decodeProfile(value).asOfMs);
        }
      }
    }
    return [...newest.values()].every((asOfMs) => asOfMs > at);
  }
}

function countsOf(records: readonly { readonly topic: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
}
