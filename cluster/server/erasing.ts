// What follows an erasure: the job's state, Redis and what was learnt forget him, topics are read to find what is left, and
// the proof says it. One of the servers does it, the one that the task falls to; where that dies another one begins anew.
// Jobs that come together share each reading and the rewriting of the topics.
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
/** Jobs that are done together: where each of their records lies is held in memory. */
const JOBS_MAX = 100;

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
    const due = erasures.book.running().filter(({ keys }) => keys.every((key) => erasures.untilMs(key) < now()));
    if (this.#isRunning || due.length === 0 || !membership.isOurs(TASK)) return;
    this.#isRunning = true;
    try {
      await this.#do(due.slice(0, JOBS_MAX));
    } catch (error) {
      onFault(error as Error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Every step may be done twice. Where the job has not forgotten all of them yet, the next look goes on. */
  async #do(begun: readonly RunningErasure[]): Promise<void> {
    const { erasures, store, snapshots, letters } = this.#options;
    const found = await this.#devicesOf(begun);
    for (const [job, devices] of found) await erasures.extend(job, devices);
    if (found.size > 0) return;
    for (const { keys, at } of begun) for (const key of keys) await store.erase(key, at);
    const letterIds = await this.#letterIds(begun);
    await letters.remove([...letterIds.values()].flat());
    await snapshots.turn();
    const latest = Math.max(...begun.map(({ at }) => at));
    if (!(await snapshots.areWithout(latest)) || !(await this.#hasJobForgotten(begun))) return;
    const topics = await this.#removeFromTopics(begun);
    if (topics === undefined) return;
    const named = await this.#ledgerPlaces(begun);
    for (const job of begun) await this.#finish(job, { letters: letterIds.get(job)!.length, topics: topics.get(job)! });
    // The ledger goes by keys, and names nobody in the open any more: what it replaced goes too.
    await remove(named, () => true, { ...this.#options, isStopped: () => this.#isClosed });
  }

  async #finish(job: RunningErasure, { letters, topics }: { letters: number; topics: TopicCounts }): Promise<void> {
    const { erasures, store, now, onDone } = this.#options;
    const { at, keys, job_id: id } = job;
    const rows = await Promise.all(keys.map((key) => store.get(key)));
    const proof: ErasureProof = {
      erased_at: formatTimestamp(at),
      done_at: formatTimestamp(now()),
      ids: keys.length,
      job: { keys_forgotten: keys.length },
      redis: { rows_found: rows.filter(({ profile }) => profile !== undefined && profile.asOfMs <= at).length },
      models: { learnt_without_him: true },
      dead_letters: { taken_from_the_list: letters },
      topics,
      is_complete: Object.values(topics).every(({ records_left: left }) => left === 0),
    };
    this.#removed.delete(id);
    onDone({ job_id: id, proof_sha256: proofHash(proof), is_complete: proof["is_complete"] === true });
    await erasures.finish(job, proof);
  }

  /** Where the ledger names their keys in the open. */
  async #ledgerPlaces(jobs: readonly RunningErasure[]): Promise<RemovedRecord[]> {
    const { connection, topics } = this.#options;
    const ids = new Set(jobs.map(({ job_id: id }) => id));
    const places: RemovedRecord[] = [];
    for await (const records of readCommitted({ connection, topic: topics.erasures, partition: 0 }))
      for (const { key, offset } of records)
        if (key !== null && ids.has(key.toString())) places.push({ topic: topics.erasures, partition: 0, key, offset });
    return places;
  }

  /** Undefined where Kafka needs longer: the next look goes on. */
  async #removeFromTopics(jobs: readonly RunningErasure[]): Promise<Map<RunningErasure, TopicCounts> | undefined> {
    const { topics } = this.#options;
    const { records, shared } = await findRecords(jobs, this.#options);
    // Another look finds fewer.
    for (const [i, { job_id: id }] of jobs.entries()) if (!this.#removed.has(id)) this.#removed.set(id, countsOf(records[i]!));
    const own = records.flat().filter(({ topic }) => !shared.has(topic));
    const left = await remove(
      own.map(({ rawKey: key, ...place }) => ({ ...place, key })),
      (topic) => topic === topics.profiles,
      { ...this.#options, isStopped: () => this.#isClosed },
    );
    if ([...left.values()].some((count) => count > 0)) return undefined;
    return new Map(
      jobs.map((job, i) => {
        const kept = countsOf(records[i]!.filter(({ topic }) => shared.has(topic)));
        const counts = [...this.#removed.get(job.job_id)!].map(([topic, count]) => {
          const ofShared = kept.get(topic) ?? 0;
          return [topic, { records_erased: count - ofShared, records_left: ofShared }] as const;
        });
        return [job, Object.fromEntries(counts)];
      }),
    );
  }

  /** Devices that were last theirs, as the log says, and that their jobs do not name yet. */
  async #devicesOf(jobs: readonly RunningErasure[]): Promise<Map<RunningErasure, string[]>> {
    const looks = jobs.map((job) => ({ job, devices: new Set<string>() }));
    for await (const records of new MergedLog(this.#options, this.#options.topics.log).read()) {
      for (const { key, value, atMs } of records) {
        if (!key.startsWith("a:")) continue;
        const record = decodeClusterRecord(value);
        if (record.kind !== "link") continue;
        for (const { job, devices } of looks) {
          if (atMs > job.at) continue;
          // Only his are kept: of all that the log links there may be millions, and this for each job.
          if (record.userKey === job.keys[0]) devices.add(key);
          else devices.delete(key);
        }
      }
    }
    const found = looks.map(({ job, devices }): [RunningErasure, string[]] => {
      const named = new Set(job.keys);
      return [job, [...devices].filter((key) => !named.has(key))];
    });
    return new Map(found.filter(([, devices]) => devices.length > 0));
  }

  /** Refused events that name one of their ids, by job. */
  async #letterIds(jobs: readonly RunningErasure[]): Promise<Map<RunningErasure, string[]>> {
    const { connection, topics } = this.#options;
    const looks = jobs.map((job) => ({ job, names: new Set(job.keys), ids: [] as string[] }));
    for await (const records of readCommitted({ connection, topic: topics.deadLetters, partition: 0 })) {
      for (const { value } of records) {
        if (value === null) continue;
        const letter = decodeDocument("deadLetters", value);
        const keys = [...textsOf(letter.body)].flatMap((text) => [`u:${text}`, anonymousKeyOf(text)]);
        for (const { job, names, ids } of looks)
          if (letter.at <= job.at && keys.some((key) => names.has(key))) ids.push(letter.id);
      }
    }
    return new Map(looks.map(({ job, ids }) => [job, ids]));
  }

  /** Whether nothing of before is the newest value of one of the keys: the job has read the erasures. */
  async #hasJobForgotten(jobs: readonly RunningErasure[]): Promise<boolean> {
    const { connection, topics, partitions } = this.#options;
    const erasedAt = new Map<string, number>();
    for (const { keys, at } of jobs) for (const key of keys) erasedAt.set(key, Math.max(at, erasedAt.get(key) ?? -Infinity));
    const newest = new Map<string, number>();
    const count = partitions.get(topics.profiles)!;
    for (const partition of new Set([...erasedAt.keys()].map((key) => partitionOf(key, count)))) {
      for await (const records of readCommitted({ connection, topic: topics.profiles, partition })) {
        for (const { key, value } of records) {
          const name = key!.toString();
          if (!erasedAt.has(name)) continue;
          if (value === null) newest.delete(name);
          else newest.set(name, decodeProfile(value).asOfMs);
        }
      }
    }
    return [...newest].every(([key, asOfMs]) => asOfMs > erasedAt.get(key)!);
  }
}

function countsOf(records: readonly { readonly topic: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
}
