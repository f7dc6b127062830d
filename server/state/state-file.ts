// The state file: an LMDB environment with one flat key space, `prefix:key` → checksummed or closed bytes. It is written only by
// checkpoints (all rows of one checkpoint in one durable transaction) and read by the serving thread at any time.
import { createHash, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { open, type RootDatabase } from "lmdb";
import { replaceFile } from "../disk/durable-file.ts";
import { givingWay } from "../giving-way.ts";
import { hasLostHead } from "./file-head.ts";
import { isCutOff } from "./file-size.ts";
import { type Row, type RowForm, rowForm } from "./row-form.ts";
import { DIRECTORY, GROUPS, rowsIn } from "./row-groups.ts";

/**
 * Address space for the file, no memory: 64 GiB. A file that outgrows its map is mapped anew while the old maps stay, each
 * with pages of its own that count as resident: a file of 530 MB was mapped four times, with 1,040 MB in all.
 */
const MAP_BYTES = 64 * 1024 * 1024 * 1024;

/** The same for the reading thread and the writing worker. `safeRestore`: after a power cut only flushed pages count. */
const STATE_OPTIONS = {
  encoding: "binary",
  compression: false,
  overlappingSync: false,
  safeRestore: true,
  noSubdir: true,
  mapSize: MAP_BYTES,
} as const;

const STATE_FILE = "state.mdb";

/** Where the file is, and what its rows are closed with; goes to the worker too. */
export interface StatePlace {
  readonly path: string;
  readonly key?: KeyObject | undefined;
  /** Of the second closed form: no rows lie in groups. */
  readonly eachAlone?: boolean | undefined;
  /** Of the first closed form: LMDB's key of 32 characters. */
  readonly pagesKey?: string | undefined;
}

/** The same for reader and writer. */
export function openDatabase({ path, pagesKey }: StatePlace): RootDatabase<Uint8Array, string> {
  return open<Uint8Array, string>({ ...STATE_OPTIONS, path, ...(pagesKey !== undefined && { encryptionKey: pagesKey }) });
}

/** Rows of one slice; `lengths[i]` is -1 where `keys[i]` is deleted, else the bytes follow one another in `bytes`. */
export interface RowSlice {
  keys: string[];
  lengths: Int32Array;
  bytes: Uint8Array;
}

export type CheckpointMessage = { kind: "slice"; slice: RowSlice } | { kind: "commit"; id: number } | { kind: "close" };
export type WriterReply = { kind: "committed"; id: number } | { kind: "failed"; id: number; message: string };

/** A stored row that is not what was written there. The file is marked: the next start throws it away and rebuilds it from the log. */
export class StateCorruptError extends Error {
  override readonly name = "StateCorruptError";
  readonly code = "state_corrupt";
}

/** The checkpoint could not be written. The rows are kept and go with the next commit, unless the writer has stopped: then none is taken. */
export class CheckpointFailedError extends Error {
  override readonly name = "CheckpointFailedError";
  readonly code = "checkpoint_failed";
}

/** Collects rows for a checkpoint; about `SLICE_BYTES` go to the writer at a time. */
const SLICE_BYTES = 1 << 20;
/** A file beside the state that says: do not trust it. */
const DAMAGED_MARK = "damaged";
/** A file beside a state that is closed; it names the key by a hash. */
const CLOSED_MARK = "closed";

/** The form of closed rows, before the key's hash in the mark; the first form had LMDB close its pages, and only the hash. */
const CLOSED_FORM = "rows 2";
const CLOSED_FORM_EACH_ALONE = "rows 1";

const GROUPS_A_PAGE = 64;

const hashOf = (key: KeyObject): string => createHash("sha256").update(key.export()).digest("hex").slice(0, 16);
const markOf = (key: KeyObject, form = CLOSED_FORM): string => `${form} ${hashOf(key)}`;

const pagesKeyOf = (key: KeyObject): string => key.export().toString("base64url").slice(0, 32);

/** Has the next start throw the state away. */
export function markDamaged(folder: string, name: string): StateCorruptError {
  writeFileSync(join(folder, DAMAGED_MARK), "");
  return new StateCorruptError(`the stored row ${name.slice(0, 2)}… is not what was written: restart the node to rebuild`);
}

/** Why a state is thrown away at the next opening. */
export type StateFault = "damaged" | "other_form";

export class StateFile {
  readonly #folder: string;
  readonly #database: RootDatabase<Uint8Array, string>;
  readonly #form: RowForm;
  /** Its rows are closed by a key. */
  readonly #isClosed: boolean;
  #isEnding = false;
  readonly #writer: Worker;
  readonly #exited: Promise<unknown>;
  /** Why nothing is written any more; undefined while the writer runs. */
  #stopped: CheckpointFailedError | undefined;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #commitId = 0;
  #keys: string[] = [];
  #lengths: number[] = [];
  #buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  #used = 0;

  private constructor(folder: string, of: Omit<StatePlace, "path">) {
    this.#folder = folder;
    const place: StatePlace = { path: join(folder, STATE_FILE), ...of };
    this.#isClosed = of.key !== undefined;
    this.#form = rowForm(of);
    this.#database = openDatabase(place);
    this.#writer = new Worker(new URL("./checkpoint-worker.ts", import.meta.url), { workerData: place });
    this.#writer.on("message", (reply: WriterReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      this.#database.resetReadTxn();
      if (reply.kind === "committed") waiting?.resolve();
      else waiting?.reject(new CheckpointFailedError(reply.message));
    });
    this.#writer.on("error", (cause) => this.#stop(cause));
    this.#exited = new Promise((resolve) => this.#writer.once("exit", resolve));
    this.#writer.on("exit", (code) => this.#stop(code));
  }

  /** Opens or creates the file in `folder`, closed by `key` where there is one. What has a fault is thrown away first. */
  static open(folder: string, key?: KeyObject): StateFile {
    if (StateFile.isDamaged(folder) || !StateFile.opensWith(folder, key)) StateFile.remove(folder);
    mkdirSync(folder, { recursive: true });
    // Durable before the first row: without it the rows are taken for open ones.
    if (key !== undefined && !StateFile.opensWith(folder, key)) replaceFile(join(folder, CLOSED_MARK), markOf(key));
    return new StateFile(folder, { key });
  }

  /** Opens a file of whatever form that was ever written with this key or with none; undefined where it is of another. */
  static openAsItLies(folder: string, key: KeyObject | undefined): StateFile | undefined {
    const mark = markIn(folder);
    if (mark === undefined) return new StateFile(folder, {});
    if (key === undefined) return undefined;
    if (mark === markOf(key)) return new StateFile(folder, { key });
    if (mark === markOf(key, CLOSED_FORM_EACH_ALONE)) return new StateFile(folder, { key, eachAlone: true });
    return mark === hashOf(key) ? new StateFile(folder, { pagesKey: pagesKeyOf(key) }) : undefined;
  }

  /** Undefined also where there is no state yet. `other_form`: open where it is to be closed, or closed with something else. */
  static faultOf(folder: string, key: KeyObject | undefined): StateFault | undefined {
    if (StateFile.isDamaged(folder)) return "damaged";
    return existsSync(join(folder, STATE_FILE)) && !StateFile.opensWith(folder, key) ? "other_form" : undefined;
  }

  /** Whether the state in `folder` was written with this key; undefined: open. */
  static opensWith(folder: string, key: KeyObject | undefined): boolean {
    return markIn(folder) === (key === undefined ? undefined : markOf(key));
  }

  /** Whether the state in `folder` was found damaged, was cut, or lost its head. */
  static isDamaged(folder: string): boolean {
    const path = join(folder, STATE_FILE);
    return existsSync(join(folder, DAMAGED_MARK)) || (existsSync(path) && (isCutOff(path) || hasLostHead(path)));
  }

  /** Deletes the state in `folder`; the log rebuilds it. */
  static remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** It is being closed, or is. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Rows of a table are listed in the order of these. */
  nameOf(key: string): string {
    return this.#form.nameOf(key);
  }

  /** The row as the last commit left it. Throws StateCorruptError where it is not what was written. */
  get(key: string): Uint8Array | undefined {
    const group = this.#form.groupOf(key);
    const name = group ?? this.#form.nameOf(key);
    const stored = this.#database.get(name);
    if (stored === undefined) return undefined;
    const { bytes } = this.#opened(name, stored);
    return group === undefined ? bytes : rowsIn(group, bytes).get(key);
  }

  /**
   * Committed rows whose keys start with `prefix`, in the order of their names, the prefix cut off. In a closed file the
   * prefix must end where the part that is hidden begins, or before; in a table that lies in groups it is that whole part.
   */
  *rows(
    prefix: string,
    options: { after?: string; to?: string; limit?: number; reverse?: boolean } = {},
  ): Generator<[key: string, bytes: Uint8Array]> {
    const isInGroups = this.#form.groupOf(prefix) !== undefined;
    const places = isInGroups ? GROUPS + prefix : prefix;
    const nameOf = (rest: string | undefined) => (rest === undefined ? undefined : this.#form.nameOf(prefix + rest));
    const placeOf = (rest: string) => this.#form.groupOf(prefix + rest) ?? this.#form.nameOf(prefix + rest);
    const [after, to] = [nameOf(options.after), nameOf(options.to)];
    const isBetween = (name: string): boolean => (after === undefined || name > after) && (to === undefined || name < to);
    const low = options.after === undefined ? places : placeOf(options.after);
    const high = options.to === undefined ? endOfPrefix(places) : placeOf(options.to);
    const range = options.reverse ? { start: high, end: low, reverse: true } : { start: low, end: high };
    const limit = options.limit === undefined ? {} : { limit: options.limit + 2 };
    let left = options.limit ?? Infinity;
    for (const { key: place, value } of this.#database.getRange({ ...range, inclusiveEnd: true, ...limit })) {
      if (!place.startsWith(places) || (!isInGroups && !isBetween(place))) continue;
      const { key, bytes } = this.#opened(place, value);
      for (const row of isInGroups ? this.#inOrder(place, bytes, options.reverse) : [{ name: place, key, bytes }]) {
        if (!isBetween(row.name)) continue;
        if (left-- <= 0) return;
        yield [row.key.slice(prefix.length), row.bytes];
      }
    }
  }

  /** The rows of a group in the order of their names. */
  #inOrder(group: string, bytes: Uint8Array, reverse = false): (Row & { name: string })[] {
    const rows = [...rowsIn(group, bytes)].map(([key, row]) => ({ name: this.#form.nameOf(key), key, bytes: row }));
    const order = reverse ? -1 : 1;
    return rows.sort((a, b) => (a.name < b.name ? -order : order));
  }

  /** All committed rows. */
  *all(): Generator<[key: string, bytes: Uint8Array]> {
    for (const { key: place, value } of this.#database.getRange({ start: " ", end: "\x7f" })) {
      if (place.startsWith(DIRECTORY) || place.startsWith(GROUPS + DIRECTORY)) continue;
      const { key, bytes } = this.#opened(place, value);
      if (place.startsWith(GROUPS)) yield* rowsIn(place, bytes);
      else yield [key, bytes];
    }
  }

  /**
   * Keys of committed persons that start with one of the prefixes, of each the first `limit`; none of them begins another. Others
   * have turns meanwhile: in a closed file the keys of all persons are opened, 1.2 µs each.
   */
  async findPersons(prefixes: readonly string[], limit: number): Promise<string[]> {
    if (!this.#isClosed) {
      return prefixes.flatMap((prefix) => [...this.rows(`p:${prefix}`, { limit })].map(([rest]) => prefix + rest));
    }
    const giveWay = givingWay();
    const directory = GROUPS + DIRECTORY;
    const found = prefixes.map((): string[] => []);
    const first = (): string[] => found.flatMap((keys) => keys.sort().slice(0, limit));
    let after = directory;
    while (true) {
      const page = [...this.#database.getRange({ start: after, end: endOfPrefix(directory), limit: GROUPS_A_PAGE })];
      for (const { key: group, value } of page) {
        if (group === after) continue;
        for (const key of rowsIn(group, this.#opened(group, value).bytes).keys()) {
          const place = prefixes.findIndex((prefix) => key.startsWith(prefix, DIRECTORY.length));
          found[place]?.push(key.slice(DIRECTORY.length));
        }
      }
      for (const keys of found) if (keys.length > 2 * limit) keys.sort().splice(limit);
      if (page.length < GROUPS_A_PAGE) return first();
      after = page.at(-1)!.key;
      const turn = giveWay();
      if (turn !== undefined) await turn;
      // An erasure puts another file in this one's place.
      if (this.#isEnding) return first();
    }
  }

  /** Adds a row to the next commit; null deletes it. */
  write(key: string, bytes: Uint8Array | null): void {
    const size = bytes === null ? 0 : bytes.length;
    if (this.#used + size > this.#buffer.length) this.#send(Math.max(SLICE_BYTES, size));
    this.#keys.push(key);
    this.#lengths.push(bytes === null ? -1 : size);
    if (bytes === null) return;
    this.#buffer.set(bytes, this.#used);
    this.#used += size;
  }

  /** Resolves when every row written so far is durable. Rejects with CheckpointFailedError; the rows are then kept. */
  commit(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    this.#send(SLICE_BYTES);
    const id = ++this.#commitId;
    this.#post({ kind: "commit", id }, []);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    this.#post({ kind: "close" }, []);
    await this.#exited;
    await this.#database.close();
  }

  /** The writer is gone, and with it the rows that it held: what is there stays as the last commit left it. */
  #stop(cause: unknown): void {
    this.#stopped ??= new CheckpointFailedError("the checkpoint writer has stopped: restart the node", { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#stopped);
    this.#waiting.clear();
  }

  #opened(name: string, stored: Uint8Array): Row {
    const row = this.#form.read(name, stored);
    if (row === undefined) throw markDamaged(this.#folder, name);
    return row;
  }

  #send(nextBytes: number): void {
    if (this.#keys.length > 0) {
      const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#used);
      const slice: RowSlice = { keys: this.#keys, lengths: Int32Array.from(this.#lengths), bytes };
      this.#post({ kind: "slice", slice }, [this.#buffer.buffer as ArrayBuffer]);
    } else if (this.#buffer.length >= nextBytes) {
      return;
    }
    this.#keys = [];
    this.#lengths = [];
    this.#buffer = Buffer.allocUnsafeSlow(nextBytes);
    this.#used = 0;
  }

  #post(message: CheckpointMessage, transfer: ArrayBuffer[]): void {
    this.#writer.postMessage(message, transfer);
  }
}

function markIn(folder: string): string | undefined {
  const mark = join(folder, CLOSED_MARK);
  return existsSync(mark) ? readFileSync(mark, "utf8") : undefined;
}

/** The smallest key above all that start with `prefix`. */
function endOfPrefix(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
