// Everything that is held on one person, in the lines of the embedded host: what servers know of him now, then his records
// in the order of log time, from the log, the decisions and the dead letters. What the job made of the log (steps, outcomes,
// handovers) says nothing that its records do not say.
import { personKeyOf } from "../../core/identity/identity.ts";
import type { LogRecord, PersonRef } from "../../core/record.ts";
import { givingWay } from "../../server/giving-way.ts";
import { HostError, type ExportLine } from "../../server/ports.ts";
import { Belonging } from "../../server/privacy/belonging.ts";
import { knownLines, lineOf } from "../../server/privacy/export-lines.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { sayAway } from "../kafka/faults.ts";
import { MergedLog, type LogRecord as TopicRecord } from "../kafka/merged-log.ts";
import { decodeDocument } from "../wire/documents.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import type { Learner } from "./learner.ts";
import type { FoundVisitor } from "./visitors.ts";

export interface PersonExportOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly learner: Learner;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record of ours that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

const RETRY_AFTER_S = 2;

/**
 * The topics are read three times (devices may have been seen with several users), and only what names him is decoded.
 * @throws HostError `unavailable`, before its first line, where Redis or Kafka is away: half an export is none.
 */
export async function* personExport(
  ref: PersonRef,
  { key, person, isDegraded }: FoundVisitor,
  options: PersonExportOptions,
): AsyncGenerator<ExportLine> {
  if (isDegraded) {
    const message = "What is held on somebody cannot be listed while Redis is away or being filled.";
    throw new HostError("unavailable", message, { retryAfterS: RETRY_AFTER_S });
  }
  const { learner, now } = options;
  const names = new Set([key, personKeyOf(ref)]);
  const belonging = new Belonging((name) => names.has(name));
  try {
    for await (const [record] of recordsNaming(names, options)) belonging.meet(record);
  } catch (cause) {
    if (sayAway(cause) === undefined) throw cause;
    const message = "What is held on somebody cannot be listed while Kafka is away.";
    throw new HostError("unavailable", message, { retryAfterS: RETRY_AFTER_S, cause });
  }
  const units = learner.learnt.decisions.state.experiments.unitsOf(key);
  yield* knownLines({ key, person, plan: learner.program.plan, nowMs: now(), units });
  const all = new Set([...names, ...belonging.met()]);
  for await (const [record, place] of recordsNaming(all, options)) {
    // Of a device only the job knows whether its link went with it.
    if (record.kind !== "expiry") belonging.follow(record, place);
  }
  for await (const [record, place] of recordsNaming(all, options)) {
    if (!belonging.ownersOf(record, place).next().done) yield lineOf(record);
  }
}

/** Records in which an id of these person keys stands, in the order of log time, each with its place in that order. */
async function* recordsNaming(
  keys: ReadonlySet<string>,
  options: PersonExportOptions,
): AsyncGenerator<[record: LogRecord, place: number]> {
  const { topics, onCorrupt } = options;
  const ids = [...keys].map((key) => Buffer.from(JSON.stringify(key.slice(2)).slice(1, -1)));
  const log = new MergedLog(options, [...topics.log, topics.decision, topics.deadLetters]);
  const giveWay = givingWay();
  let place = 0;
  for await (const batch of log.read()) {
    for (const record of batch) {
      place++;
      const turn = giveWay();
      if (turn !== undefined) await turn;
      if (!ids.some((id) => record.value.includes(id))) continue;
      let decoded: LogRecord | undefined;
      try {
        decoded = decode(record, topics);
      } catch (error) {
        onCorrupt(error as Error);
      }
      if (decoded !== undefined) yield [decoded, place];
    }
  }
}

/** As the embedded host's log would have it; undefined for what only the job needs. */
function decode({ topic, value, atMs }: TopicRecord, topics: ProjectTopics): LogRecord | undefined {
  if (topic === topics.decision) {
    const { at, ...decision } = decodeDocument("decision", value);
    return { kind: "decision", at, decision };
  }
  if (topic === topics.deadLetters) {
    const letter = decodeDocument("deadLetters", value);
    return letter.resolved === true ? undefined : { kind: "dead_letter", at: letter.at, letter };
  }
  const record = decodeClusterRecord(value);
  // What a key passed on lies in the log a second time, as it came.
  if ("passedOn" in record && record.passedOn === true) return undefined;
  if (record.kind === "event") return { kind: "event", at: atMs, event: { ...record.event, received_at: atMs } };
  if (record.kind === "expiry") return { kind: "expiry", at: atMs, names: [record.key] };
  if (record.kind !== "attributes") return undefined;
  const { ref, attributes, consent } = record;
  return { kind: "attributes", at: atMs, ref, attributes, ...(consent === undefined ? {} : { consent }) };
}
