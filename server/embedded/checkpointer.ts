// Checkpoints: what changed since the last one in one durable transaction, taken in slices so that requests are served in
// between. Persons are written first, each as he is when his turn comes and with the log position that he stands at; then
// everything else as of one position. After a crash the host reads the log from where the writing of the persons began:
// up to the checkpoint's position it brings those persons there who were written earlier, from there on it folds all.
import type { RowWriter, SnapshotSource } from "../../core/wire/dirty-rows.ts";
import type { IdIndex } from "../log/id-index.ts";
import { CheckpointFailedError, StateCorruptError, type StateFile } from "../state/state-file.ts";
import { slices } from "./slices.ts";

/** A release whose rows the one before cannot read counts it up, so that the one before builds its own from the log. */
const VERSION = 2;

/** What a checkpoint says about itself and the host's figures. */
export interface CheckpointMeta {
  version: 1 | 2;
  /** Everything before it is in the checkpoint, save what persons still lack. */
  position: number;
  /** Of persons everything before it. The first version wrote them at `position`. */
  personsPosition?: number;
  lastAtMs: number;
  /**
   * Processing time when it was taken: persons in it may have been brought so far, and no later record may be from before,
   * whatever the machine's clock says after a restart. Missing in checkpoints of earlier versions.
   */
  clockMs?: number;
  /** See Fold; missing where nobody has ever denied. */
  mayRefuse?: boolean;
  personsTotal: number;
  deadLettersTotal: number;
  segmentSizes: [segment: string, size: number][];
  /** The program version that every person has been brought to. */
  sweptProgram: number;
  idRuns: string[];
}

export interface CheckpointTable {
  readonly source: SnapshotSource;
  /** Put before each key; empty where the source names its keys whole. */
  readonly prefix: string;
  /** Told when the checkpoint is durable. */
  readonly committed?: () => void;
}

export interface CheckpointTables {
  /** Written row by row ahead of the checkpoint's position, each row saying where it stands. */
  readonly ahead: CheckpointTable;
  /** Written as of the checkpoint's position. */
  readonly exact: readonly CheckpointTable[];
}

export const META_KEY = "meta";
/** What is written between two turns of the event loop (`slices.ts`). */
export interface CheckpointSlice {
  /** It ends after this long, or later where turns are long … */
  readonly ms: number;
  /** … looked at after so many rows. */
  readonly rows: number;
}

const SLICE: CheckpointSlice = { ms: 1, rows: 32 };

export class Checkpointer {
  readonly #file: StateFile;
  readonly #ids: IdIndex;
  readonly #tables: CheckpointTables;
  readonly #capture: () => Omit<CheckpointMeta, "version" | "idRuns" | "personsPosition">;
  readonly #slice: CheckpointSlice;
  #running: Promise<void> | null = null;
  position: number;
  /** Monotonic ms of the last durable checkpoint. */
  takenAt = performance.now();

  constructor(options: {
    file: StateFile;
    ids: IdIndex;
    tables: CheckpointTables;
    /** The host's figures; called in the same turn in which the exact tables are frozen. */
    capture: () => Omit<CheckpointMeta, "version" | "idRuns" | "personsPosition">;
    position: number;
    slice?: CheckpointSlice | undefined;
  }) {
    this.#file = options.file;
    this.#ids = options.ids;
    this.#tables = options.tables;
    this.#capture = options.capture;
    this.#slice = options.slice ?? SLICE;
    this.position = options.position;
  }

  get dirtyRows(): number {
    const { ahead, exact } = this.#tables;
    return exact.reduce((sum, { source }) => sum + source.dirtyCount, ahead.source.dirtyCount);
  }

  /** Takes one; a call while one runs waits for that. Rejects with CheckpointFailedError; the next one tries again. */
  take(): Promise<void> {
    this.#running ??= this.#take().finally(() => (this.#running = null));
    return this.#running;
  }

  /** Resolves when none is being taken, whatever came of the last. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  async #take(): Promise<void> {
    const { ahead, exact } = this.#tables;
    const personsPosition = this.#capture().position;
    if (personsPosition === this.position && this.dirtyRows === 0) return;
    ahead.source.begin();
    const { captured, sealed } = await this.#write(ahead, () => {
      // Nothing may come between: no person stands later than this, and `again` was asked for in time.
      for (const { source } of exact) source.begin();
      const now = this.#capture();
      return { captured: now, sealed: settledOf(this.#ids.seal(now.position)) };
    });
    for (const table of exact) await this.#write(table, () => {});
    const ids = await sealed;
    if (ids.status === "rejected") {
      throw new CheckpointFailedError("the index of event ids could not be written", { cause: ids.reason });
    }
    const { runs } = ids.value;
    const meta: CheckpointMeta = { version: VERSION, ...captured, personsPosition, idRuns: runs };
    this.#file.write(META_KEY, Buffer.from(JSON.stringify(meta)));
    await this.#file.commit();
    for (const { committed } of [ahead, ...exact]) committed?.();
    await this.#ids.sweep(runs);
    this.position = captured.position;
    this.takenAt = performance.now();
  }

  /** Calls `done` as soon as the last row was taken. */
  async #write<T>({ source, prefix }: CheckpointTable, done: () => T): Promise<T> {
    const write: RowWriter<string | number> = (key, bytes) => this.#file.write(prefix + key, bytes);
    const { ms, rows } = this.#slice;
    const slice = slices(ms);
    while (!source.take(rows, write)) if (slice.isOver()) await slice.next();
    return done();
  }
}

/** What came of `promise`, for who looks later: a rejection that nobody has taken yet ends the process. */
async function settledOf<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  return (await Promise.allSettled([promise]))[0];
}

/** What the newest checkpoint of `file` says; undefined where there is none. @throws StateCorruptError of a later release's. */
export function readMeta(file: StateFile): CheckpointMeta | undefined {
  const bytes = file.get(META_KEY);
  if (bytes === undefined) return undefined;
  const meta = JSON.parse(Buffer.from(bytes).toString("utf8")) as CheckpointMeta;
  if (meta.version <= VERSION) return meta;
  throw new StateCorruptError(`the state is of form ${meta.version}, this version reads ${VERSION}: restart the node to rebuild`);
}
