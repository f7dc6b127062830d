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

type Place = Pick<TopicRecord, "topic" | "partition" | "offset" | "rawKey">;

export interface PersonRecords {
  /** By who is sought, in the order given. */
  readonly records: readonly (readonly Place[])[];
  /** Topics with records of an earlier release, which share their keys: what is his cannot be told apart by key. */
  readonly shared: ReadonlySet<string>;
}

/** Where the topics hold something of each of them. Reads the log three times, the other topics once. */
export async function findRecords(sought: readonly Sought[], options: PersonRecordsOptions): Promise<PersonRecords> {
  const { topics } = options;
  const latest = Math.max(...sought.map(({ at }) => at));
  const looks = sought.map(({ keys, at }) => ({
    at,
    names: new Set(keys),
    belonging: new Belonging((key) => key === keys[0]),
    records: [] as Place[],
  }));
  for await (const record of until(latest, topics.log, options)) {
    const logged = logRecordOf(record);
    if (logged !== undefined) for (const { at, belonging } of looks) if (record.atMs <= at) belonging.meet(logged);
  }
  let place = 0;
  for await (const record of until(latest, topics.log, options)) {
    const logged = logRecordOf(record);
    if (logged === undefined) continue;
    place++;
    // Of a device only the job knows whether its link went with it.
    if (logged.kind === "expiry") continue;
    for (const { at, belonging } of looks) if (record.atMs <= at) belonging.follow(logged, place);
  }
  const { events: _, log, item: _item, control: _control, erasures: _erasures, ...others } = topics;
  place = 0;
  const shared = new Set<string>();
  const byOwnId = [topics.deadLetters, topics.quarantine, topics.profiles];
  for await (const record of until(Infinity, [...log, ...Object.values(others)], options)) {
    const { topic, partition, offset, rawKey, atMs } = record;
    if (!byOwnId.includes(topic) && !isOfItsOwn(rawKey)) shared.add(topic);
    if (atMs > latest) continue;
    const logged = log.includes(topic) ? logRecordOf(record) : undefined;
    if (logged !== undefined) place++;
    const { keys, owned } = aboutOf(record, topics, logged);
    for (const { at, names, belonging, records } of looks) {
      if (atMs > at) continue;
      const isHis = keys.some((key) => names.has(key)) || (owned !== undefined && isOwned(belonging, owned, place));
      if (isHis) records.push({ topic, partition, offset, rawKey });
    }
  }
  return { records: looks.map(({ records }) => records), shared };
}

interface About {
  /** Whoever has one of these keys is named. */
  readonly keys: readonly string[];
  /** It is also of whoever had its device then. */
  readonly owned?: LogRecord;
}

function aboutOf(record: TopicRecord, topics: ProjectTopics, logged: LogRecord | undefined): About {
  const { topic, key, value } = record;
  if (topic === topics.quarantine) return { keys: [decodeDocument("quarantine", value).key] };
  if (topic === topics.deadLetters) {
    const texts = [...textsOf(decodeDocument("deadLetters", value).body)];
    return { keys: texts.flatMap((text) => [`u:${text}`, `a:${text}`]) };
  }
  if (logged !== undefined) return { keys: [key], owned: logged };
  if (topics.log.includes(topic)) {
    const marker = decodeClusterRecord(value);
    return { keys: "userKey" in marker ? [key, marker.userKey!] : [key] };
  }
  // Of a device that is somebody else's by now the newest row stays, and compaction takes those before it.
  if (topic === topics.profiles || !key.startsWith("a:")) return { keys: [key] };
  // What was made of a visit on a device that is somebody else's by now.
  return { keys: [key], owned: { kind: "attributes", at: record.atMs, ref: refOfKey(key), attributes: {} } };
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
