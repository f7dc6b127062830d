// Where the topics hold something of somebody who is erased: by key, by the ids in it, and by whose a shared device was then.
import { refOfKey } from "../../core/identity/identity.ts";
import type { LogRecord } from "../../core/record.ts";
import { givingWay } from "../../server/giving-way.ts";
import { Belonging, textsOf } from "../../server/privacy/belonging.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { MergedLog, type LogRecord as TopicRecord } from "../kafka/merged-log.ts";
import { decodeDocument } from "../wire/documents.ts";
import { isOfItsOwn } from "../wire/record-key.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import type { ProjectTopics } from "../wire/topics.ts";

export interface PersonRecordsOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
}

export interface Sought {
  /** His person key, then those of his devices. */
  readonly keys: readonly string[];
  /** Log time, Unix ms: what is later is a new beginning. */
  readonly at: number;
}

export interface PersonRecords {
  readonly records: readonly Pick<TopicRecord, "topic" | "partition" | "offset" | "rawKey">[];
  /** Topics with records of an earlier release, which share their keys: what is his cannot be told apart by key. */
  readonly shared: ReadonlySet<string>;
}

/** Where the topics hold something of him. Reads the log three times, the other topics once. */
export async function findRecords(sought: Sought, options: PersonRecordsOptions): Promise<PersonRecords> {
  const { topics } = options;
  const [root] = sought.keys as [string];
  const belonging = new Belonging((key) => key === root);
  for await (const record of until(sought.at, topics.log, options)) {
    const logged = logRecordOf(record);
    if (logged !== undefined) belonging.meet(logged);
  }
  let place = 0;
  for await (const record of until(sought.at, topics.log, options)) {
    const logged = logRecordOf(record);
    if (logged !== undefined) belonging.follow(logged, ++place);
  }
  const names = new Set(sought.keys);
  const { events: _, log, item: _item, control: _control, erasures: _erasures, ...others } = topics;
  place = 0;
  const records: PersonRecords["records"][number][] = [];
  const shared = new Set<string>();
  const byOwnId = [topics.deadLetters, topics.quarantine, topics.profiles];
  for await (const record of until(Infinity, [...log, ...Object.values(others)], options)) {
    const { topic, partition, offset, rawKey, atMs } = record;
    if (!byOwnId.includes(topic) && !isOfItsOwn(rawKey)) shared.add(topic);
    if (atMs > sought.at) continue;
    const logged = log.includes(topic) ? logRecordOf(record) : undefined;
    if (logged !== undefined) place++;
    if (isHis(record, { names, belonging, topics, logged, place })) records.push({ topic, partition, offset, rawKey });
  }
  return { records, shared };
}

interface Look {
  readonly names: ReadonlySet<string>;
  readonly belonging: Belonging;
  readonly topics: ProjectTopics;
  readonly logged: LogRecord | undefined;
  readonly place: number;
}

function isHis(record: TopicRecord, { names, belonging, topics, logged, place }: Look): boolean {
  const { topic, key, value } = record;
  if (topic === topics.quarantine) return names.has(decodeDocument("quarantine", value).key);
  if (topic === topics.deadLetters) {
    const texts = [...textsOf(decodeDocument("deadLetters", value).body)];
    return texts.some((text) => names.has(`u:${text}`) || names.has(`a:${text}`));
  }
  if (names.has(key)) return true;
  if (logged !== undefined) return isOwned(belonging, logged, place);
  if (topics.log.includes(topic)) {
    const marker = decodeClusterRecord(value);
    return marker.kind === "link" && names.has(marker.userKey);
  }
  // Of a device that is somebody else's by now the newest row stays, and compaction takes those before it.
  if (topic === topics.profiles || !key.startsWith("a:")) return false;
  // What was made of a visit on a device that is somebody else's by now.
  return isOwned(belonging, { kind: "attributes", at: record.atMs, ref: refOfKey(key), attributes: {} }, place);
}

function isOwned(belonging: Belonging, record: LogRecord, place: number): boolean {
  return belonging.ownersOf(record, place).next().done !== true;
}

/** Undefined for markers and ticks. */
function logRecordOf({ value, atMs }: TopicRecord): LogRecord | undefined {
  const record = decodeClusterRecord(value);
  if (record.kind === "event") return { kind: "event", at: atMs, event: { ...record.event, received_at: atMs } };
  if (record.kind !== "attributes") return undefined;
  return { kind: "attributes", at: atMs, ref: record.ref, attributes: record.attributes };
}

async function* until(at: number, topics: readonly string[], options: PersonRecordsOptions): AsyncGenerator<TopicRecord> {
  const giveWay = givingWay();
  for await (const batch of new MergedLog(options, topics).read()) {
    for (const record of batch) {
      if (record.atMs > at) continue;
      yield record;
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
  }
}
