// The log of a cluster out of a backup, into topics that hold nothing yet: each record in its partition, in its order and
// with its log time, up to a point in time, without anybody whom the ledger names. What was written is read once more and
// compared before anything may serve from it.
import { createHash, type Hash } from "node:crypto";
import { existsSync } from "node:fs";
import { BackupError, boxKey, boxPath } from "../../server/backup/place.ts";
import { BoxError } from "../../server/backup/box.ts";
import { ErasureBook } from "../erasure/book.ts";
import type { CopiedLedger } from "../erasure/ledger-copy.ts";
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { takeGivenTimes } from "../kafka/log-times.ts";
import { offsetsOf } from "../kafka/offsets.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { createTopics, needsOf } from "../kafka/topics.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import { bookOf, checkGrown, isErased, restoredLedger, withCopied } from "./ledger.ts";
import type { ClusterBackup, ClusterManifest, CopiedTopic } from "./manifest.ts";
import { openRecords, type RecordBlock, type StoredRecord } from "./records.ts";
import { HANDLING, truthOf, type TruthTopic } from "./truth.ts";

export interface ClusterRestoreOptions {
  readonly connection: KafkaConnection;
  readonly backup: ClusterBackup;
  /** Those of the restored cluster, of the generation that its job is to write. */
  readonly projects: Readonly<Record<string, ProjectTopics>>;
  readonly replicas: number;
  /** What comes later in log time (Unix ms) stays away. */
  readonly atMs?: number | undefined;
  /** What else is known of a project's ledger, by its salt: erasures since the backup, where Kafka was lost with the ledger. */
  readonly copyOf?: ((project: string, salt: string) => CopiedLedger | undefined) | undefined;
  /** Called when nothing stands in the way, before anything is written. */
  readonly onAccepted?: () => Promise<void>;
  readonly report: (line: string) => void;
}

export interface ClusterRestored {
  readonly records: number;
  /** Records of whom the ledgers name: they did not come back. */
  readonly erased: number;
  /** Of the newest record of the logs, Unix ms; 0 where they hold none. */
  readonly logEndMs: number;
}

/** Longer than a broker takes to come back. */
const SEND_LIMITS = { deadlineMs: 120_000, stuckMs: 60_000 };

/**
 * Where it fails on the way, the topics are left as no server and no job accepts them: delete them, and begin anew.
 * @throws BackupError, BoxError: nothing was changed.
 */
export async function restoreLog(options: ClusterRestoreOptions): Promise<ClusterRestored> {
  const { connection, backup, projects, replicas, report } = options;
  const manifest = backup.manifest!;
  const truth = new Map(truthOf(projects).map((topic) => [topic.name, topic]));
  const unknown = manifest.topics.find(({ name }) => !truth.has(name));
  if (unknown !== undefined) {
    throw new BackupError(`the backup has ${unknown.name}, and this cluster no such project: name it in attune.config.ts`);
  }
  await checkBoxes(backup, manifest);
  report("every box opens");
  const standing = await refuseHeld(options, truth);
  const ledgers = new Map<string, readonly StoredRecord[]>();
  const books = new Map<string, ErasureBook>();
  for (const topic of manifest.topics.filter(({ kind }) => kind === "erasures")) {
    const project = projectOf(projects, topic.name);
    const backedUp = restoredLedger(await recordsOf(backup, topic));
    const there = standing.get(topic.name);
    if (there !== undefined) checkGrown(topic.name, there, backedUp);
    const ledger = there ?? withCopied(backedUp, (salt) => options.copyOf?.(project, salt));
    if (there === undefined) ledgers.set(topic.name, ledger);
    books.set(project, bookOf(ledger));
  }
  await options.onAccepted?.();
  const copied = manifest.topics.filter(({ name }) => !standing.has(name));
  for (const { name, ends } of copied) {
    const needs = [{ name, settings: truth.get(name)!.settings }];
    await createTopics(connection, needs, { partitions: ends.length, replicas });
  }
  const putBack = await takeGivenTimes(connection, copied.map(({ name }) => name));
  const sender = new KafkaSender(connection, SEND_LIMITS);
  const tally = { records: 0, erased: 0, logEndMs: 0 };
  try {
    for (const topic of copied) {
      const book = books.get(projectOf(projects, topic.name)) ?? new ErasureBook();
      const ledger = ledgers.get(topic.name);
      const blocks = ledger === undefined ? blocksOf(backup, topic) : whole(ledger);
      await sendBack(blocks, { ...options, topic, book, sender, tally });
      report(`${topic.name} is back`);
    }
  } finally {
    await sender.close();
  }
  await putBack();
  return tally;
}

/** Opens all of them, so that a restore does not end half-way at the last. */
async function checkBoxes(backup: ClusterBackup, { topics }: ClusterManifest): Promise<void> {
  for (const { box, records } of topics.flatMap(({ boxes }) => boxes)) {
    const path = boxPath(backup, box);
    if (!existsSync(path)) throw new BoxError(`${path} is missing: take another backup`);
    let count = 0;
    for await (const block of openRecords(path, keyOf(backup, box))) count += block.records.length;
    if (count !== records) throw new BoxError(`${path} holds ${count} records of ${records}: take another backup`);
  }
}

function keyOf(backup: ClusterBackup, box: number): ReturnType<typeof boxKey> {
  if (backup.vault.find(`box/${box}`) !== undefined) return boxKey(backup, box);
  throw new BackupError(`the key of ${boxPath(backup, box)} was destroyed`);
}

/** A ledger may be there: it names whoever was erased after the backup. Resolves with those that are. */
async function refuseHeld(
  { connection, projects, backup }: ClusterRestoreOptions,
  truth: ReadonlyMap<string, TruthTopic>,
): Promise<Map<string, StoredRecord[]>> {
  const own = Object.values(projects).flatMap(needsOf);
  const names = new Set([...truth.keys(), ...own.map(({ name }) => name)]);
  const places = await offsetsOf(connection, [...names]);
  const held = [...places].filter(([, { starts, ends }]) => ends.some((end, i) => end > starts[i]!)).map(([name]) => name);
  const refused = held.filter((name) => truth.get(name)?.kind !== "erasures");
  if (refused.length > 0) {
    throw new BackupError(
      `these topics hold records: ${refused.join(", ")}. Nothing was changed: restore into a cluster without them, ` +
        'or delete them first ("attune cluster down" ends what writes them)',
    );
  }
  for (const { name, ends } of backup.manifest!.topics) {
    const partitions = places.get(name)?.ends.length ?? ends.length;
    if (partitions === ends.length) continue;
    throw new BackupError(`${name} has ${partitions} partitions: it must have ${ends.length}, or not be there`);
  }
  const standing = new Map<string, StoredRecord[]>();
  for (const name of held) {
    const records: StoredRecord[] = [];
    for await (const read of readCommitted({ connection, topic: name, partition: 0 }))
      records.push(...read.filter(({ value }) => value !== null));
    standing.set(name, records);
  }
  return standing;
}

interface SendBack extends ClusterRestoreOptions {
  readonly topic: CopiedTopic;
  readonly book: ErasureBook;
  readonly sender: KafkaSender;
  readonly tally: { records: number; erased: number; logEndMs: number };
}

async function sendBack(blocks: AsyncIterable<RecordBlock>, options: SendBack): Promise<void> {
  const { connection, topic, book, sender, tally, atMs = Infinity } = options;
  const { name, kind, ends } = topic;
  const untilMs = HANDLING[kind].isCut ? atMs : Infinity;
  const sent = ends.map(() => new Digest());
  for await (const { partition, records } of blocks) {
    const inTime = records.filter(({ timestampMs }) => timestampMs <= untilMs);
    const kept = inTime.filter((record) => !isErased(book, kind, record));
    await sender.send(kept.map((record) => ({ topic: name, partition, ...record }))).catch((cause: Error) => {
      throw new BackupError(`${name} could not be written (${cause.message}): delete the topics, and restore again`, { cause });
    });
    sent[partition]!.take(kept);
    tally.records += kept.length;
    tally.erased += inTime.length - kept.length;
    if (kind === "log") tally.logEndMs = kept.reduce((ms, { timestampMs }) => Math.max(ms, timestampMs), tally.logEndMs);
  }
  for (const [partition, expected] of sent.entries()) {
    const found = new Digest();
    for await (const records of readCommitted({ connection, topic: name, partition })) found.take(records);
    if (found.text === expected.text) continue;
    throw new BackupError(
      `${name}, partition ${partition}, does not hold what was sent to it (log times included): does something else ` +
        "write to it? Delete the topics, and restore again",
    );
  }
}

/** Of records in their order, with their log times. */
class Digest {
  readonly #hash: Hash = createHash("sha256");
  #records = 0;

  take(records: readonly StoredRecord[]): void {
    for (const { timestampMs, key, value } of records) {
      this.#hash.update(`${timestampMs}|${key?.length ?? "none"}|${value?.length ?? "none"}|`);
      for (const part of [key, value]) if (part !== null) this.#hash.update(part);
    }
    this.#records += records.length;
  }

  get text(): string {
    return `${this.#records} ${this.#hash.copy().digest("hex")}`;
  }
}

async function* blocksOf(backup: ClusterBackup, { boxes }: CopiedTopic): AsyncGenerator<RecordBlock> {
  for (const { box } of boxes) yield* openRecords(boxPath(backup, box), keyOf(backup, box));
}

async function* whole(records: readonly StoredRecord[]): AsyncGenerator<RecordBlock> {
  yield { partition: 0, records };
}

async function recordsOf(backup: ClusterBackup, topic: CopiedTopic): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const block of blocksOf(backup, topic)) records.push(...block.records);
  return records;
}

/** Empty for what is all projects'. */
function projectOf(projects: ClusterRestoreOptions["projects"], topic: string): string {
  const of = Object.entries(projects).find(([, topics]) => needsOf(topics).some(({ name }) => name === topic));
  return of?.[0] ?? "";
}
