// A backup of a cluster, taken beside it: each topic that is truth, up to where it ended when the backup began. A log only
// grows, so what the last backup has is not read again, unless somebody was erased since: then everything is copied anew,
// without him, and the boxes that held him go with their keys.
import { statSync } from "node:fs";
import { BackupError, boxKey, boxPath, forgetOthers, nextBox, writeManifest } from "../../server/backup/place.ts";
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { offsetsOf, type TopicOffsets } from "../kafka/offsets.ts";
import { readable } from "../wire/documents.ts";
import { decodeErasure } from "../wire/erasure.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import {
  type ClusterBackup,
  type ClusterManifest,
  type CopiedBox,
  type CopiedSettings,
  type CopiedTopic,
  openClusterBackup,
} from "./manifest.ts";
import { type RecordBlock, sealRecords } from "./records.ts";
import { HANDLING, truthOf, type TruthTopic } from "./truth.ts";

export interface ClusterBackupOptions {
  readonly connection: KafkaConnection;
  readonly projects: Readonly<Record<string, ProjectTopics>>;
  readonly settings: CopiedSettings;
  readonly to: string;
  /** Folder of the backup's key-encryption keys. */
  readonly backupKeys: string | undefined;
  /** Copies everything anew. */
  readonly whole?: boolean;
  /** Of a box, compressed or not: what an interrupted backup has to do again, and retention to wait for. */
  readonly boxBytesMax?: number;
  readonly now: () => number;
}

export interface ClusterBackupReport {
  readonly at: string;
  readonly topics: number;
  readonly copied_records: number;
  readonly copied_bytes: number;
  readonly total_records: number;
  readonly total_bytes: number;
}

/** Before compression. */
const BOX_BYTES_MAX = 1 << 30;

/** @throws BackupError; OpenTransactionError */
export async function takeClusterBackup(options: ClusterBackupOptions): Promise<ClusterBackupReport> {
  const { connection, projects, settings, now } = options;
  const backup = await openClusterBackup(options.to, options.backupKeys, "write");
  const at = new Date(now()).toISOString();
  const truth = truthOf(projects);
  const places = await offsetsOf(connection, truth.map(({ name }) => name));
  if (options.whole !== true) refuseOtherTopics(backup, places);
  const ledgers = truth.filter(({ kind }) => kind === "erasures");
  const first = await Promise.all(ledgers.map((ledger) => ledgerValues(connection, ledger)));
  const erasuresDone = first.flatMap(doneJobs).length;
  const before = options.whole === true || backup.manifest?.erasuresDone !== erasuresDone ? undefined : backup.manifest;
  const copy = copyingInto(backup, options);
  const topics: CopiedTopic[] = [];
  for (const topic of truth) {
    const place = places.get(topic.name);
    if (place === undefined || topic.kind === "erasures") continue;
    topics.push(await copy.topic(topic, place, before?.topics.find(({ name }) => name === topic.name)));
  }
  const atEnd = await offsetsOf(connection, ledgers.map(({ name }) => name));
  for (const [i, ledger] of ledgers.entries()) {
    const place = atEnd.get(ledger.name);
    // Both looks: who was still to be erased at the first, and whoever came since.
    if (place !== undefined) topics.push(await copy.ledger(ledger, place, first[i]!));
  }
  await writeManifest(backup, { format: 1, host: "cluster", at, settings, erasuresDone, topics } satisfies ClusterManifest);
  const boxes = topics.flatMap((topic) => topic.boxes);
  forgetOthers(backup, boxes.map(({ box }) => box));
  const total = (of: readonly CopiedBox[], size: "records" | "sizeBytes"): number =>
    of.reduce((sum, one) => sum + one[size], 0);
  return {
    at,
    topics: topics.length,
    copied_records: total(copy.boxes, "records"),
    copied_bytes: total(copy.boxes, "sizeBytes"),
    total_records: total(boxes, "records"),
    total_bytes: total(boxes, "sizeBytes"),
  };
}

/** A cluster that lost its log, and was made anew, must not take the place of the copy of what it lost. */
function refuseOtherTopics({ path, manifest }: ClusterBackup, places: ReadonlyMap<string, TopicOffsets>): void {
  const other = manifest?.topics.find(({ name, id }) => places.get(name)?.id !== id);
  if (other === undefined) return;
  throw new BackupError(
    `${path} holds a backup of another ${other.name}: it was deleted since, or made anew. Name another folder; ` +
      "--whole begins anew in this one",
  );
}

interface Copying {
  /** That were made now. */
  readonly boxes: readonly CopiedBox[];
  topic(topic: TruthTopic, place: TopicOffsets, before: CopiedTopic | undefined): Promise<CopiedTopic>;
  ledger(topic: TruthTopic, place: TopicOffsets, first: readonly RecordBlock[]): Promise<CopiedTopic>;
}

/** What is read, and behind which offset of its partition it ends. */
type ReadBlock = RecordBlock & { readonly end: number };

function copyingInto(backup: ClusterBackup, { connection, boxBytesMax = BOX_BYTES_MAX }: ClusterBackupOptions): Copying {
  const boxes: CopiedBox[] = [];
  let box = nextBox(backup);

  /** As many boxes as it takes; none where there is nothing. */
  async function seal(blocks: AsyncGenerator<ReadBlock>): Promise<CopiedBox[]> {
    const made: CopiedBox[] = [];
    let next = await blocks.next();
    try {
      while (next.done !== true) {
        const ends: Record<number, number> = {};
        let records = 0;
        const upToLimit = async function* (): AsyncGenerator<RecordBlock> {
          for (let sizeBytes = 0; next.done !== true && sizeBytes < boxBytesMax; next = await blocks.next()) {
            const { partition, end } = next.value;
            ends[partition] = end;
            records += next.value.records.length;
            sizeBytes += sizeOf(next.value);
            yield next.value;
          }
        };
        const path = boxPath(backup, box);
        await sealRecords(upToLimit(), path, boxKey(backup, box));
        made.push({ box: box++, records, sizeBytes: statSync(path).size, ends });
      }
    } finally {
      // Where the disk is full, say, no connection stays behind.
      await blocks.return(undefined);
    }
    boxes.push(...made);
    return made;
  }

  return {
    boxes,
    async topic(topic, { id, starts, ends }, before) {
      const { name, kind } = topic;
      const known = HANDLING[kind].isCopiedWhole ? undefined : before;
      // What retention has taken away altogether.
      const kept = known?.boxes.filter((one) => Object.entries(one.ends).some(([p, end]) => end > starts[Number(p)]!)) ?? [];
      const made = await seal(readTopic(connection, topic, { ends, from: known?.ends ?? [], starts }));
      return { name, kind, id, ends, boxes: [...kept, ...made] };
    },
    async ledger(topic, { id, ends }, first) {
      const last = await ledgerValues(connection, topic);
      const both = async function* (): AsyncGenerator<ReadBlock> {
        for (const block of [...first, ...last]) yield { ...block, end: ends[0]! };
      };
      return { name: topic.name, kind: topic.kind, id, ends, boxes: await seal(both()) };
    },
  };
}

async function* readTopic(
  connection: KafkaConnection,
  { name: topic, kind }: TruthTopic,
  { starts, ends, from }: Pick<TopicOffsets, "starts" | "ends"> & { from: readonly number[] },
): AsyncGenerator<ReadBlock> {
  for (const [partition, toOffset] of ends.entries()) {
    const fromOffset = from[partition] ?? 0;
    if (Math.max(fromOffset, starts[partition]!) >= toOffset) continue;
    // A start is looked up when its turn comes: retention may have moved it by then.
    const begin = fromOffset > starts[partition]! ? { fromOffset } : {};
    for await (const read of readCommitted({ connection, topic, partition, toOffset, ...begin })) {
      const records = HANDLING[kind].hasTombstones ? read : read.filter(({ value }) => value !== null);
      if (records.length > 0) yield { partition, records, end: read.at(-1)!.offset + 1 };
    }
  }
}

async function ledgerValues(connection: KafkaConnection, { name: topic }: TruthTopic): Promise<RecordBlock[]> {
  const there = await offsetsOf(connection, [topic]);
  const blocks: RecordBlock[] = [];
  if (!there.has(topic)) return blocks;
  for await (const read of readCommitted({ connection, topic, partition: 0 })) {
    const records = read.filter(({ value }) => value !== null && readable(decodeErasure, value) !== undefined);
    if (records.length > 0) blocks.push({ partition: 0, records });
  }
  return blocks;
}

/** Of a ledger. */
function doneJobs(blocks: readonly RecordBlock[]): string[] {
  const jobs = blocks.flatMap(({ records }) => records.map(({ value }) => decodeErasure(value!)));
  return [...new Set(jobs.flatMap((job) => (job.kind === "erasure" && job.status === "done" ? [job.job_id] : [])))];
}

function sizeOf({ records }: RecordBlock): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}
