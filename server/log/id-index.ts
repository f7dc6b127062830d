// Which event ids the log holds: what makes an event count once however often it is sent.
//
// Ids are 64-bit fingerprints. New ones live in a hash table; each checkpoint seals them into sorted run files with a
// Bloom filter in memory (1.8 bytes an id), and runs of similar size become one (a log-structured merge).
import type { KeyObject } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { assert } from "../../core/assert.ts";
import { ActiveIds } from "./active-ids.ts";
import type { IdIndex } from "./ids.ts";
import { BLOCK_IDS, createRun, openRun, type Run, type RunWriter } from "./run-file.ts";
import { syncFolder } from "./sync-folder.ts";

export { type IdIndex, IdIndexDamagedError } from "./ids.ts";

/** Runs up to this size are always merged: cheaper than one more run to ask. */
const SMALL_RUN_IDS = 65_536;
/** A run is at least this many times as big as all newer ones together. */
const GROWTH = 3;
/** Runs of this size are left alone: 256 MiB, and old ones can go when retention drops their part of the log. */
const RUN_IDS_MAX = 32 * 1024 * 1024;
/** Work between two turns of the event loop. */
const SLICE_MS = 2;
const TABLE_BITS_MIN = 16;
const TABLE_BITS_MAX = 22;

/**
 * Opens the index in `folder`, which is created, with the run files that the last checkpoint named; other files are
 * ignored. Reads and checks them whole. Throws IdIndexDamagedError: the host then opens with no runs and adds the ids
 * of the whole log. Ids behind the checkpoint are added by its replay.
 */
export function openIdIndex(folder: string, options: IdIndexOptions): IdIndex {
  mkdirSync(folder, { recursive: true });
  const numbers = [...readdirSync(folder), ...options.runs].map(runNumber).filter((n) => n !== undefined);
  const runs = options.runs.map((name) => openRun(join(folder, name), name, options.key));
  runs.sort((a, b) => b.count - a.count);
  return new RunIdIndex(folder, { runs, nextNumber: Math.max(0, ...numbers) + 1, key: options.key });
}

export interface IdIndexOptions {
  readonly runs: readonly string[];
  /** Closes new run files, and opens those that it closed. */
  readonly key?: KeyObject | undefined;
}

const runNumber = (name: string): number | undefined => {
  const match = /^ids-(\d{1,15})\.run(\.part)?$/.exec(name);
  return match === null ? undefined : Number(match[1]);
};

class RunIdIndex implements IdIndex {
  readonly #folder: string;
  readonly #key: KeyObject | undefined;
  /** Biggest and oldest first. */
  #runs: Run[];
  /** The last one takes new ids; the others are full. */
  #active: ActiveIds[] = [new ActiveIds(TABLE_BITS_MIN)];
  /** Being sealed. */
  #frozen: ActiveIds[] = [];
  #nextNumber: number;
  #dropBefore = 0;
  #sealing = false;

  constructor(folder: string, of: { runs: Run[]; nextNumber: number; key: KeyObject | undefined }) {
    this.#folder = folder;
    this.#runs = of.runs;
    this.#nextNumber = of.nextNumber;
    this.#key = of.key;
  }

  get count(): number {
    return sum([...this.#runs, ...this.#frozen, ...this.#active], (part) => part.count);
  }

  get memoryBytes(): number {
    return sum([...this.#runs, ...this.#frozen, ...this.#active], (part) => part.memoryBytes);
  }

  get runCount(): number {
    return this.#runs.length;
  }

  add(hi: number, lo: number): boolean {
    if (this.has(hi, lo)) return false;
    this.addNew(hi, lo);
    return true;
  }

  addNew(hi: number, lo: number): void {
    const low = lo === 0 && hi === 0 ? 1 : lo;
    if (!this.#active.at(-1)!.add(hi, low)) {
      // Each table is as big as all before it together, so that there are few and none is ever copied.
      this.#active.push(new ActiveIds(tableBits(sum(this.#active, (table) => table.count))));
      const added = this.#active.at(-1)!.add(hi, low);
      assert(added, "an empty table takes an id");
    }
  }

  has(hi: number, lo: number): boolean {
    const low = lo === 0 && hi === 0 ? 1 : lo;
    for (let i = this.#active.length - 1; i >= 0; i--) if (this.#active[i]!.has(hi, low)) return true;
    for (const table of this.#frozen) if (table.has(hi, low)) return true;
    for (const run of this.#runs) if (run.has(hi, low)) return true;
    return false;
  }

  async seal(position: number): Promise<{ runs: string[] }> {
    assert(!this.#sealing, "one seal at a time");
    this.#sealing = true;
    try {
      this.#dropOld();
      const tables = this.#active.filter((table) => table.count > 0);
      if (tables.length > 0) {
        this.#frozen = tables;
        this.#active = [new ActiveIds(tableBits(sum(tables, (table) => table.count)))];
        await this.#write(tables, position);
      }
      return { runs: this.#runs.map((run) => run.name) };
    } catch (error) {
      this.#active = [...this.#frozen, ...this.#active];
      throw error;
    } finally {
      this.#frozen = [];
      this.#sealing = false;
    }
  }

  /** One new run out of the tables and of the runs that are too small to stand beside it. */
  async #write(tables: readonly ActiveIds[], position: number): Promise<void> {
    let count = sum(tables, (table) => table.count);
    const merged: Run[] = [];
    for (const run of this.#runs.toReversed()) {
      const fits = run.count + count <= RUN_IDS_MAX;
      if (!fits || (run.count > SMALL_RUN_IDS && run.count > count * GROWTH)) break;
      merged.push(run);
      count += run.count;
    }
    const name = `ids-${this.#nextNumber++}.run`;
    const path = join(this.#folder, name);
    const newest = Math.max(position, ...merged.map((run) => run.position));
    const writer = await createRun({ path, count, position: newest, key: this.#key });
    let sealed: Run;
    try {
      await mergeInto(writer, [...tables.map((table) => table.sortedParts(BLOCK_IDS)), ...merged.map(blocksOf)]);
      sealed = await writer.finish(name);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await syncFolder(this.#folder);
    this.#runs = [...this.#runs.filter((run) => !merged.includes(run)), sealed];
    for (const run of merged) run.close();
  }

  #dropOld(): void {
    const old = this.#runs.filter((run) => run.position <= this.#dropBefore);
    this.#runs = this.#runs.filter((run) => !old.includes(run));
    for (const run of old) run.close();
  }

  dropBefore(position: number): void {
    this.#dropBefore = Math.max(this.#dropBefore, position);
  }

  async sweep(runs: readonly string[]): Promise<void> {
    assert(!this.#sealing, "a sweep comes after its checkpoint");
    const kept = new Set(runs);
    for (const name of await readdir(this.#folder)) {
      if (runNumber(name) !== undefined && !kept.has(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  close(): void {
    for (const run of this.#runs) run.close();
    this.#runs = [];
  }
}

/** Merges sorted parts, turning to the event loop every SLICE_MS. */
async function mergeInto(writer: RunWriter, sources: Iterator<Uint32Array, void, void>[]): Promise<void> {
  const cursors: Cursor[] = [];
  for (const source of sources) {
    const first = source.next().value;
    if (first !== undefined) cursors.push({ source, part: first, at: 0 });
  }
  let sliceStart = performance.now();
  for (let added = 1; cursors.length > 0; added++) {
    const least = leastCursor(cursors);
    writer.add(least.part[least.at]!, least.part[least.at + 1]!);
    least.at += 2;
    if (least.at === least.part.length) {
      const next = least.source.next().value;
      if (next === undefined) cursors.splice(cursors.indexOf(least), 1);
      else Object.assign(least, { part: next, at: 0 });
    }
    if (added % 1_024 === 0 && performance.now() - sliceStart > SLICE_MS) {
      await writer.flush();
      await setImmediate();
      sliceStart = performance.now();
    }
  }
}

interface Cursor {
  readonly source: Iterator<Uint32Array, void, void>;
  part: Uint32Array;
  at: number;
}

function leastCursor(cursors: readonly Cursor[]): Cursor {
  let least = cursors[0]!;
  for (let i = 1; i < cursors.length; i++) {
    const cursor = cursors[i]!;
    const hi = cursor.part[cursor.at]!;
    const leastHi = least.part[least.at]!;
    if (hi < leastHi || (hi === leastHi && cursor.part[cursor.at + 1]! < least.part[least.at + 1]!)) least = cursor;
  }
  return least;
}

function* blocksOf(run: Run): Generator<Uint32Array, void, void> {
  for (let block = 0; block * BLOCK_IDS < run.count; block++) yield run.readBlock(block);
}

/** Of a table that takes `count` ids at half load. */
const tableBits = (count: number): number =>
  Math.min(TABLE_BITS_MAX, Math.max(TABLE_BITS_MIN, 33 - Math.clz32(count)));

function sum<T>(parts: readonly T[], of: (part: T) => number): number {
  let total = 0;
  for (const part of parts) total += of(part);
  return total;
}
