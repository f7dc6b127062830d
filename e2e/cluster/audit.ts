// Counts what came out against the ledger: each event that was answered as accepted is once in the log, once in its
// person's profile, and once in what `read_committed` shows of the job's output.
import { readCommitted } from "../../cluster/kafka/committed.ts";
import type { KafkaConnection } from "../../cluster/kafka/connection.ts";
import { decodeOutcome } from "../../cluster/wire/outcome.ts";
import { decodeProfile } from "../../cluster/wire/profile.ts";
import { decodeClusterRecord } from "../../cluster/wire/record.ts";
import { decodeStep } from "../../cluster/wire/step.ts";
import type { ProjectTopics } from "../../cluster/wire/topics.ts";
import type { ReadRecord } from "../../cluster/kafka/reader.ts";

export interface OutputAudit {
  /** Events of the log, each id once. */
  readonly logged: ReadonlySet<string>;
  /** Steps, outcomes and profile values. */
  readonly outputs: number;
  /** Events without a step, though they are in the log: how many, and the log times of the first and the last. */
  readonly missing: number;
  readonly missingBetween?: readonly [fromMs: number, toMs: number];
  /** Those that are there more than once. */
  readonly doubled: number;
  readonly quarantined: number;
}

export interface AuditOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
}

export async function auditOutputs(options: AuditOptions): Promise<OutputAudit> {
  const { topics } = options;
  const loggedAt = new Map<string, number>();
  for await (const { value, timestampMs } of recordsOf(options, ...topics.log)) {
    // A record that is none of ours is the rig's poison.
    if (value!.length < 3 || value![0] !== 1) continue;
    const record = decodeClusterRecord(value!);
    if (record.kind === "event" && !loggedAt.has(record.event.event_id)) loggedAt.set(record.event.event_id, timestampMs);
  }
  let outputs = 0;
  let doubled = 0;
  const taught = new Set<string>();
  for await (const { value } of recordsOf(options, topics.steps)) {
    const step = decodeStep(value!);
    if (step.kind !== "step") continue;
    outputs++;
    if (taught.has(step.eventId)) doubled++;
    taught.add(step.eventId);
  }
  const told = new Set<string>();
  for await (const { value } of recordsOf(options, topics.outcomes)) {
    const outcome = decodeOutcome(value!);
    if (outcome.kind !== "acted") continue;
    outputs++;
    if (told.has(outcome.event.event_id)) doubled++;
    told.add(outcome.event.event_id);
  }
  const published = new Set<string>();
  for await (const { key, value } of recordsOf(options, topics.profiles)) {
    const { sequence, asOfMs } = decodeProfile(value!);
    const place = `${key!.toString()} ${sequence} ${asOfMs}`;
    outputs++;
    if (published.has(place)) doubled++;
    published.add(place);
  }
  const quarantined = new Set<string>();
  for await (const { key } of recordsOf(options, topics.quarantine)) quarantined.add(key!.toString());
  const logged = new Set(loggedAt.keys());
  const missing = [...loggedAt].filter(([id]) => !taught.has(id)).map(([, atMs]) => atMs).sort((a, b) => a - b);
  const counts = { logged, outputs, missing: missing.length, doubled, quarantined: quarantined.size };
  return missing.length === 0 ? counts : { ...counts, missingBetween: [missing[0]!, missing.at(-1)!] };
}

async function* recordsOf(options: AuditOptions, ...topics: string[]): AsyncGenerator<ReadRecord> {
  const { connection, partitions } = options;
  for (const topic of topics)
    for (let partition = 0; partition < partitions.get(topic)!; partition++)
      for await (const records of readCommitted({ connection, topic, partition })) yield* records;
}
