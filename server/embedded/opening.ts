// Opening a project's folder: the ledger of erasures, the log, and what is derived from it, as the last process left them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LogRecord } from "../../core/record.ts";
import type { LogFault, SegmentLog } from "../log/log.ts";
import { RecordBatch } from "../log/record-batch.ts";
import { openLog } from "../log/segment-log.ts";
import type { OwnAct } from "../ports.ts";
import { Erasures } from "../privacy/erasures.ts";
import type { RetentionPolicy } from "../privacy/retention.ts";
import type { StateFault } from "../state/state-file.ts";
import { segmentKeys } from "../vault/segment-keys.ts";
import { stateKeys } from "../vault/state-keys.ts";
import type { Vault } from "../vault/vault.ts";
import { removeOtherBases, seedFromBase } from "./base.ts";
import type { CheckpointSlice } from "./checkpointer.ts";
import { derivedFault, openDerivedFiles, removeOthers, type DerivedFiles, type ProjectFolder } from "./derived.ts";
import { eraseFromLog, type LogProofs } from "./erasing.ts";
import { baseOf, eraseBase } from "./forgetting.ts";
import { encodeRecord } from "./record-codec.ts";

export interface ProjectOptions {
  /** Holds `log`, `ids` and `state`. */
  folder: string;
  name: string;
  /** The program of a new project. */
  firstProgram: unknown;
  /** Processing time, Unix ms. */
  now: () => number;
  /** Closes the log and what is derived from it, so that what is erased is destroyed with its key. Without it all is open. */
  vault?: Vault | undefined;
  /** How long what is kept. Default DEFAULT_RETENTION. */
  retention?: RetentionPolicy | undefined;
  /** `none` never waits for the disk: it loses accepted events when power fails, for tests of the rigs only. */
  sync?: "fdatasync" | "none";
  /** Persons held decoded. Default 12,000, about 40 MB. */
  personsCachedMax?: number;
  checkpointEveryMs?: number;
  /** For one command on the folder, and not for serving: nothing is trained and nothing expires beside it. */
  isBatch?: boolean;
  checkpointSlice?: CheckpointSlice;
  onFault?: (fault: LogFault) => void;
  /** The state is of another form, or damaged: it is thrown away and built anew from the log. */
  onStateRebuilt?: (fault: StateFault) => void;
  /** Told at the opening where the data are ahead of the machine's clock (CLOCK_AHEAD_MAX_MS): one of the two was wrong. */
  onClockAhead?: (aheadMs: number) => void;
  /** For the audit trail. */
  onOwnAct?: (act: OwnAct) => void;
  onCheckpointFailed?: (error: Error) => void;
  onTrainingFailed?: (error: Error) => void;
  /** An erasure could not be finished; it is tried again. */
  onErasureFailed?: (error: Error) => void;
  /** Retention could not be finished; the next run goes on. */
  onRetentionFailed?: (error: Error) => void;
}

/** Clocks are set by less while a node is down. */
export const CLOCK_AHEAD_MAX_MS = 60_000;

/** In the project's folder, and its copy beside the key-encryption key. */
export const LEDGER_FILE = "erasures.json";
export const ledgerCopyOf = (project: string): string => `${project}.erasures.json`;

export interface OpenedParts {
  readonly files: DerivedFiles;
  readonly log: SegmentLog;
  readonly ledger: Erasures;
  /** Of erasures that a crash had cut short: to be finished when the log is folded. */
  readonly proofs: LogProofs | undefined;
}

/** Nothing stays open where it fails. @throws StateCorruptError, LogDamagedError, VaultError */
export async function openParts(options: ProjectOptions): Promise<OpenedParts> {
  const { folder, vault } = options;
  mkdirSync(folder, { recursive: true });
  const ledger = ledgerOf(options);
  const place = placeOf(options);
  removeOthers(place, ledger.generation);
  removeOtherBases({ ...place, generation: ledger.base });
  const fault = derivedFault(place, ledger.generation);
  // Nothing is thrown away before the log is open: without its keys nothing could be built anew.
  let files = fault === undefined ? await openDerivedFiles(place, ledger.generation) : undefined;
  let log: SegmentLog | undefined;
  try {
    log = await openLog(join(folder, "log"), {
      sync: options.sync ?? "fdatasync",
      onFault: options.onFault ?? (() => {}),
      ...(files?.meta === undefined ? {} : { durableEnd: files.meta.position }),
      ...(vault === undefined ? {} : { keys: segmentKeys(vault, options.name) }),
    });
    if (fault !== undefined) options.onStateRebuilt?.(fault);
    files ??= await openDerivedFiles(place, ledger.generation);
    const jobs = ledger.running();
    // Known by the ledger's copy alone, a job may be of a log that was longer: what comes from now on is a new beginning.
    for (const job of jobs) job.before = Math.min(job.before, log.end);
    let proofs: LogProofs | undefined;
    if (jobs.length > 0) {
      // Of a restored log nobody has begun a new segment when the job was taken.
      const { base } = log.bounds.at(-1)!;
      if (jobs.some(({ before }) => before > base)) await log.roll();
      // A crash came between: what the state still holds of them is not even looked at.
      proofs = await eraseFromLog({
        log,
        jobs,
        ledger,
        isClosed: vault !== undefined,
        isStopped: () => false,
        append: (records) => append(log!, records),
      });
      await eraseBase({ place, jobs, ledger, proofs });
      await files.file.close();
      files = await openDerivedFiles(place, ledger.generation + 1);
    }
    const base = baseOf(place, ledger);
    if (files.meta === undefined && base !== undefined) files = await seedFromBase(files, base);
    return { files, log, ledger, proofs };
  } catch (error) {
    await log?.abandon();
    await files?.file.close();
    throw error;
  }
}

async function append(log: SegmentLog, records: readonly LogRecord[]): Promise<void> {
  const batch = new RecordBatch();
  for (const record of records) {
    const { type, payload } = encodeRecord(record);
    batch.add(type, payload);
  }
  if (batch.count > 0) await log.append(batch);
}

export function placeOf({ folder, name, vault }: ProjectOptions): ProjectFolder {
  return { folder, keys: vault === undefined ? undefined : stateKeys(vault, name) };
}

export function ledgerOf({ folder, name, vault }: ProjectOptions): Erasures {
  return Erasures.open(
    join(folder, LEDGER_FILE),
    vault?.obtain(`erasures/${name}`),
    vault?.besideKek(ledgerCopyOf(name)),
  );
}
