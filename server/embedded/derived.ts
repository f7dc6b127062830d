// Everything that is derived from the log: the fold, the state file and the index of ids that hold it, and its checkpoints.
// An erasure builds one anew beside the one that serves, from the log as it is then, and takes its place.
import type { KeyObject } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CorruptBytesError } from "../../core/wire/reader.ts";
import { givingWay } from "../giving-way.ts";
import { type IdIndex, openIdIndex } from "../log/id-index.ts";
import { type LogEntry, LogFailedError, type LogFault, type SegmentLog } from "../log/log.ts";
import { CheckpointFailedError, StateCorruptError, type StateFault, StateFile } from "../state/state-file.ts";
import type { StateKeys } from "../vault/state-keys.ts";
import { Checkpointer, type CheckpointMeta, type CheckpointSlice, readMeta } from "./checkpointer.ts";
import { Fold } from "./fold.ts";
import { ProgramSweep } from "./program-sweep.ts";
import { decodeRecord } from "./record-codec.ts";
import { DECISION_PREFIX, tablesOf } from "./tables.ts";

/** A checkpoint is taken after so many records: a start after a crash folds them again, about 10 µs each. */
export const RECORDS_A_CHECKPOINT_MAX = 200_000;
/** It is taken early when so many persons changed: they cannot leave memory before it. */
export const DIRTY_PERSONS_MAX = 15_000;

export interface DerivedOptions {
  personsCachedMax: number;
  checkpointSlice?: CheckpointSlice | undefined;
  /** Where nothing is derived yet. */
  logStart: number;
  /** Processing time that goes into checkpoints, Unix ms. */
  clockMs: () => number;
  /** Brings one person to now. */
  look: (key: string) => void;
}

/** The files of one generation; the first has no number in its names. */
export interface DerivedFiles {
  readonly file: StateFile;
  readonly idsFolder: string;
  readonly idsKey?: KeyObject | undefined;
  readonly meta: CheckpointMeta | undefined;
}

/** @throws StateCorruptError where the checkpoint's figures are damaged. */
export function openDerivedFiles({ folder, keys }: ProjectFolder, generation: number): Promise<DerivedFiles> {
  return openFiles({ folder, keys, state: nameOf("state", generation), ids: nameOf("ids", generation) });
}

/** Why the state of this generation will be thrown away and built anew; undefined where it will not. */
export function derivedFault({ folder, keys }: ProjectFolder, generation: number): StateFault | undefined {
  const name = nameOf("state", generation);
  return StateFile.faultOf(join(folder, name), keys?.obtain(name));
}

/** A project's folder and what its files are closed with; without, they are open. */
export interface ProjectFolder {
  readonly folder: string;
  readonly keys?: StateKeys | undefined;
}

/** The same by names within the folder; `file` where it is open already. @throws StateCorruptError */
export async function openFiles(of: ProjectFolder & { state: string; ids: string; file?: StateFile | undefined }): Promise<DerivedFiles> {
  const { folder, keys } = of;
  const file = of.file ?? StateFile.open(join(folder, of.state), keys?.obtain(of.state));
  try {
    return { file, idsFolder: join(folder, of.ids), idsKey: keys?.obtain(of.ids), meta: readMeta(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export function stateFolder(folder: string, generation: number): string {
  return join(folder, nameOf("state", generation));
}

/** Removes what other generations left, and destroys their keys. */
export function removeOthers({ folder, keys }: ProjectFolder, generation: number): void {
  const kept = [nameOf("state", generation), nameOf("ids", generation)];
  const isGone = (name: string): boolean => /^(state|ids)(-\d+)?$/.test(name) && !kept.includes(name);
  removeFolders({ folder, keys }, isGone);
}

/** Removes the folders that `isGone` names, and destroys their keys. */
export function removeFolders({ folder, keys }: ProjectFolder, isGone: (name: string) => boolean): void {
  for (const name of readdirSync(folder)) {
    if (isGone(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  keys?.destroy(isGone);
}

function nameOf(what: string, generation: number): string {
  return generation === 1 ? what : `${what}-${generation}`;
}

function newerRecord({ type, position }: LogEntry): LogFailedError {
  return new LogFailedError(`the record at log position ${position} is of kind ${type}, which a newer version of attune wrote; start that version`);
}

/** On a full disk a start goes on without. */
function leftToTheNext(error: unknown): void {
  if (!(error instanceof CheckpointFailedError)) throw error;
}

export class Derived {
  readonly fold: Fold;
  readonly checkpointer: Checkpointer;
  readonly sweep: ProgramSweep;
  readonly meta: CheckpointMeta | undefined;
  readonly #file: StateFile;
  readonly #ids: IdIndex;
  /** Log position up to which everything is folded. */
  position: number;

  constructor({ file, idsFolder, idsKey, meta }: DerivedFiles, options: DerivedOptions) {
    this.#file = file;
    this.#ids = openIdIndex(idsFolder, { runs: meta?.idRuns ?? [], key: idsKey });
    this.meta = meta;
    this.position = meta?.position ?? options.logStart;
    this.fold = new Fold({ file, ids: this.#ids, personsCachedMax: options.personsCachedMax });
    this.fold.startsAt = meta?.position ?? 0;
    this.fold.persons.total = meta?.personsTotal ?? 0;
    this.fold.counts.deadLetters = meta?.deadLettersTotal ?? 0;
    for (const [segment, size] of meta?.segmentSizes ?? []) this.fold.members.sizes.set(segment, size);
    this.sweep = new ProgramSweep(this.fold.persons, options.look);
    this.sweep.sweptVersion = meta?.sweptProgram ?? 0;
    this.fold.lastAtMs = meta?.lastAtMs ?? 0;
    this.fold.mayRefuse = meta?.mayRefuse ?? false;
    this.checkpointer = new Checkpointer({
      file,
      ids: this.#ids,
      position: this.position,
      tables: tablesOf(this.fold),
      slice: options.checkpointSlice,
      capture: () => ({
        position: this.position,
        lastAtMs: this.fold.lastAtMs,
        clockMs: options.clockMs(),
        mayRefuse: this.fold.mayRefuse,
        personsTotal: this.fold.persons.total,
        deadLettersTotal: this.fold.counts.deadLetters,
        segmentSizes: [...this.fold.members.sizes],
        sweptProgram: this.sweep.sweptVersion,
      }),
    });
  }

  /**
   * Reads what the state file holds of models and decisions. @throws StateCorruptError where rows are not of this release, but
   * of a later one, say, whose place it has taken.
   */
  load(): void {
    try {
      this.#loadRows();
    } catch (cause) {
      if (!(cause instanceof CorruptBytesError)) throw cause;
      throw new StateCorruptError(`the state cannot be read: ${cause.message}`, { cause });
    }
  }

  #loadRows(): void {
    for (const source of this.fold.recommender.tables) {
      for (const [key, bytes] of this.#file.rows(`t:${source.table}:`)) source.load(Number(key), bytes);
    }
    for (const source of this.fold.decisions.tables) {
      for (const [key, bytes] of this.#file.rows(`${DECISION_PREFIX}${source.table}:`)) source.load(key, bytes);
    }
  }

  /**
   * Folds the log from `from` to where it ends now, or to `to`, and takes checkpoints on the way. Requests have turns in
   * between; `isStopped` is asked then, and true ends it early. Resolves with the number of records.
   */
  async replay(
    log: SegmentLog,
    from: number,
    options: {
      to?: number;
      onCorrupt: (fault: LogFault) => void;
      onProgress?: (position: number) => void;
      isStopped?: () => boolean;
    },
  ): Promise<number> {
    const { to = log.end } = options;
    const giveWay = givingWay();
    this.fold.persons.position = from;
    let records = 0;
    let sinceCheckpoint = 0;
    for (const entry of log.read(from, { to, onCorrupt: options.onCorrupt })) {
      const record = decodeRecord(entry.type, entry.payload);
      // Passed over, it would be missing in the state for good: no later version reads what lies before a checkpoint.
      if (record === undefined) throw newerRecord(entry);
      this.fold.apply(record, entry.next);
      this.position = entry.next;
      if (entry.next > this.fold.startsAt) {
        records++;
        const isMuch = this.fold.persons.dirtyCount > DIRTY_PERSONS_MAX;
        if (++sinceCheckpoint >= (isMuch ? DIRTY_PERSONS_MAX : RECORDS_A_CHECKPOINT_MAX)) {
          sinceCheckpoint = 0;
          await this.checkpointer.take().catch(leftToTheNext);
        }
      }
      const turn = giveWay();
      if (turn !== undefined) {
        options.onProgress?.(entry.next);
        await turn;
      }
      if (options.isStopped?.() === true) return records;
    }
    this.position = to;
    return records;
  }

  /**
   * Adds the ids of what the log holds from before the state's beginning, where that was seeded from a base, which has none:
   * events may be kept for longer than decisions, and the base goes by the shorter age.
   */
  async rememberEarlier(log: SegmentLog, isStopped: () => boolean = () => false): Promise<void> {
    if (this.#ids.count > 0) return;
    const giveWay = givingWay();
    for (const { type, payload } of log.read(log.start, { to: this.position, onCorrupt: () => {} })) {
      const record = decodeRecord(type, payload);
      if (record !== undefined) this.fold.remember(record);
      const turn = giveWay();
      if (turn !== undefined) await turn;
      if (isStopped()) return;
    }
  }

  /** Ids whose events all lie before this position of the log are known no more, from the next checkpoint on. */
  forgetIds(before: number): void {
    this.#ids.dropBefore(before);
  }

  /** Lets go of the index of ids alone. */
  closeIds(): void {
    this.#ids.close();
  }

  async close(): Promise<void> {
    this.#ids.close();
    await this.#file.close();
  }
}
