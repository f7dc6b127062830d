// The log's part of erasures: takes out the records of those who are erased, and reads it all again to see that none is left.
import type { LogRecord } from "../../core/record.ts";
import type { LogEntry, LogFault, SegmentLog } from "../log/log.ts";
import { givingWay } from "../giving-way.ts";
import { Belonging } from "../privacy/belonging.ts";
import type { ErasureJob, ErasureProof, Erasures } from "../privacy/erasures.ts";
import { decodeRecord } from "./record-codec.ts";

/** What the log's part adds to each job's proof. */
export type LogProofs = ReadonlyMap<ErasureJob, Pick<ErasureProof, "log" | "scan" | "base">>;

/** The host goes down: the job stays in the ledger and is done at the next start. */
export class ErasureStopped extends Error {
  override readonly name = "ErasureStopped";
}

/** A background model that may have been learnt from who goes: nobody could take him out of it. */
function isModelOf({ type, payload, position }: LogEntry, before: number): boolean {
  return position < before && decodeRecord(type, payload)?.kind === "background";
}

/**
 * Erases the records of all jobs, and background models of before; the log is read five times, however many jobs there
 * are, and others are served meanwhile.
 * Devices that were last one of theirs are added to the job. Durable when it resolves; after a crash it is called again.
 */
export async function eraseFromLog(options: {
  log: SegmentLog;
  jobs: readonly ErasureJob[];
  ledger: Erasures;
  /** The log's segments have keys. */
  isClosed: boolean;
  /** Asked now and then. */
  isStopped: () => boolean;
  /**
   * Writes into the log that shared devices of theirs are nobody's: one that was restored does not say it yet, and without their
   * records these would lead to who had them before.
   */
  append?: (records: readonly LogRecord[]) => Promise<void>;
}): Promise<LogProofs> {
  const { log, jobs, ledger, isClosed, isStopped, append } = options;
  // Devices too: where their links lie in the base, the log does not say whose they were.
  const jobOf = new Map(jobs.flatMap((job) => job.hashes.map((hash) => [hash, job])));
  const belonging = new Belonging((key) => jobOf.has(ledger.hashOf(key)));
  const before = Math.max(...jobs.map((job) => job.before));
  type Reader = (entry: { type: number; payload: Buffer; position: number }) => void;
  const readAll = async (read: Reader): Promise<LogFault[]> => {
    const faults: LogFault[] = [];
    const giveWay = givingWay();
    for (const entry of log.read(log.start, { to: before, onCorrupt: (fault) => faults.push(fault) })) {
      read(entry);
      const turn = giveWay();
      if (turn !== undefined) await turn;
      if (isStopped()) throw new ErasureStopped("the host goes down");
    }
    return faults;
  };
  const jobsOf: (entry: Parameters<Reader>[0]) => ErasureJob[] = ({ type, payload, position }) => {
    const record = decodeRecord(type, payload);
    if (record === undefined) return [];
    const owners = [...belonging.ownersOf(record, position)].map((key) => jobOf.get(ledger.hashOf(key))!);
    return owners.filter((job) => position < job.before);
  };
  const countOf = async (): Promise<{ records: number; found: Map<ErasureJob, number>; faults: LogFault[] }> => {
    const found = new Map<ErasureJob, number>();
    let records = 0;
    const faults = await readAll((entry) => {
      records++;
      for (const job of new Set(jobsOf(entry))) found.set(job, (found.get(job) ?? 0) + 1);
    });
    return { records, found, faults };
  };

  let newestMs = 0;
  await readAll(({ type, payload }) => {
    const record = decodeRecord(type, payload);
    if (record === undefined) return;
    belonging.meet(record);
    newestMs = record.at;
  });
  await readAll(({ type, payload, position }) => {
    const record = decodeRecord(type, payload);
    if (record !== undefined) belonging.follow(record, position);
  });
  const grown = new Set<ErasureJob>();
  // Whoever sends events may have given somebody a hundred thousand devices: no list is looked through for each.
  const known = new Map(jobs.map((job) => [job, new Set(job.hashes)]));
  for (const [anonKey, userKey] of belonging.devices()) {
    const job = jobOf.get(ledger.hashOf(userKey));
    const hash = ledger.hashOf(anonKey);
    if (job === undefined || known.get(job)!.has(hash)) continue;
    known.get(job)!.add(hash);
    job.hashes.push(hash);
    grown.add(job);
  }
  // Before anything is taken out of the log: afterwards nobody finds these devices any more.
  if (grown.size > 0) await ledger.save(...grown);
  const shared = [...belonging.sharedDevices()];
  await append?.(shared.map((device) => ({ kind: "expiry", at: newestMs, names: [device] })));
  const held = await countOf();
  const { segments } = await log.erase(before, (entry) => isModelOf(entry, before) || jobsOf(entry).length > 0);
  const left = await countOf();
  return new Map(
    jobs.map((job) => [
      job,
      {
        log: {
          records_erased: held.found.get(job) ?? 0,
          segments_rewritten: segments,
          keys_destroyed: isClosed,
        },
        scan: {
          records_read: left.records,
          records_found: left.found.get(job) ?? 0,
          unreadable_stretches: left.faults.length,
        },
      },
    ]),
  );
}
