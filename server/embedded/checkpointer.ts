// Checkpoints: what changed since the last one, as of one log position, in one durable transaction, taken in slices so
// that requests are served in between. After a crash the host starts from the newest and folds the tail of the log.
import type { RowWriter, SnapshotSource } from "../../core/wire/dirty-rows.ts";
import type { IdIndex } from "../log/id-index.ts";
import { CheckpointFailedError, type StateFile } from "../state/state-file.ts";

/** What a checkpoint says about itself and the host's figures. */
export interface CheckpointMeta {
  version: 1;
  /** Everything before it is in the checkpoint. */
  position: number;
  lastAtMs: number;
  /**
   * Processing time when it was taken: persons in it may have been brought so far, and no later record may be from before,
   * whatever the machine's clock says after a restart. Missing in checkpoints of earlier versions.
   */
  clockMs?: number;
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

const META_KEY = "meta";
/** A slice ends after this long: requests wait no longer for a checkpoint. */
const SLICE_MS = 2;
const ROWS_A_TAKE = 32;

export class Checkpointer {
  readonly #file: StateFile;
  readonly #ids: IdIndex;
  readonly #tables: readonly CheckpointTable[];
  readonly #capture: () => Omit<CheckpointMeta, "version" | "idRuns">;
  #running: Promise<void> | null = null;
  position: number;
  /** Monotonic ms of the last durable checkpoint. */
  takenAt = performance.now();

  constructor(options: {
    file: StateFile;
    ids: IdIndex;
    tables: readonly CheckpointTable[];
    /** The host's figures; called in the same turn in which the tables are frozen. */
    capture: () => Omit<CheckpointMeta, "version" | "idRuns">;
    position: number;
  }) {
    this.#file = options.file;
    this.#ids = options.ids;
    this.#tables = options.tables;
    this.#capture = options.capture;
    this.position = options.position;
  }

  get dirtyRows(): number {
    return this.#tables.reduce((sum, { source }) => sum + source.dirtyCount, 0);
  }

  /** Takes one; a call while one runs waits for that. Rejects with CheckpointFailedError; the next one tries again. */
  take(): Promise<void> {
    this.#running ??= this.#take().finally(() => (this.#running = null));
    return this.#running;
  }

  async #take(): Promise<void> {
    const captured = this.#capture();
    if (captured.position === this.position && this.dirtyRows === 0) return;
    for (const { source } of this.#tables) source.begin();
    const sealed = this.#ids.seal(captured.position);
    for (const { source, prefix } of this.#tables) {
      const write: RowWriter<string | number> = (key, bytes) => this.#file.write(prefix + key, bytes);
      let sliceEnd = performance.now() + SLICE_MS;
      while (!source.take(ROWS_A_TAKE, write)) {
        if (performance.now() < sliceEnd) continue;
        await new Promise(setImmediate);
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    const { runs } = await sealed.catch((cause: unknown) => {
      throw new CheckpointFailedError("the index of event ids could not be written", { cause });
    });
    const meta: CheckpointMeta = { version: 1, ...captured, idRuns: runs };
    this.#file.write(META_KEY, Buffer.from(JSON.stringify(meta)));
    await this.#file.commit();
    for (const { committed } of this.#tables) committed?.();
    await this.#ids.sweep(runs);
    this.position = captured.position;
    this.takenAt = performance.now();
  }
}

/** What the newest checkpoint of `file` says; undefined where there is none. */
export function readMeta(file: StateFile): CheckpointMeta | undefined {
  const bytes = file.get(META_KEY);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as CheckpointMeta);
}
