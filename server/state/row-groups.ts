// Which closed rows lie together in one stored value. Alone a row has 39 bytes around it, a name of its own in the tree and a
// cipher of its own, and most rows are a few numbers: models' rows in sixteens, and who is in a segment by how names begin.
// The directory, by which persons are found by how an id begins, is rows too, which say nothing but that they are there.
import type { RootDatabase } from "lmdb";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";
import type { RowForm } from "./row-form.ts";

/** Before the name of every group. */
export const GROUPS = "g:";
/** Before a person's key, where his name in the directory stands. */
export const DIRECTORY = "n:";
const PERSONS = "p:";
const SLOTS = "t:";
const MEMBERS = "m:";
const SLOTS_A_GROUP = 16;
/** 64² groups of a segment and of the directory: one of 250 keys costs 30 µs to write anew or to look through. */
const NAME_CHARS = 2;
/** Rows held until their groups are written: a group that more come to later is written again. */
const ROWS_HELD_MAX = 131_072;

/** The group of row `key`; undefined where it lies alone. */
export function groupOf(key: string, nameOf: (key: string) => string): string | undefined {
  const rest = restAt(key);
  if (rest === 0) return undefined;
  const prefix = GROUPS + key.slice(0, rest);
  if (key.startsWith(SLOTS)) return prefix + Math.floor(Number(key.slice(rest)) / SLOTS_A_GROUP);
  const name = key.startsWith(DIRECTORY) ? nameOf(PERSONS + key.slice(rest)) : nameOf(key);
  return prefix + name.slice(rest, rest + NAME_CHARS);
}

/** The directory's row on the person of row `key`; undefined where that is no person's. */
export function directoryRowOf(key: string): string | undefined {
  return key.startsWith(PERSONS) ? DIRECTORY + key.slice(PERSONS.length) : undefined;
}

/** Where what tells rows of one table apart begins; 0 for rows that lie alone. */
function restAt(key: string): number {
  if (key.startsWith(SLOTS)) return key.lastIndexOf(":") + 1;
  if (key.startsWith(MEMBERS)) return key.indexOf("/") + 1;
  return key.startsWith(DIRECTORY) ? DIRECTORY.length : 0;
}

/** What the keys of all rows in `group` begin with. */
function prefixOf(group: string): string {
  return group.slice(GROUPS.length, GROUPS.length + restAt(group.slice(GROUPS.length)));
}

/** The rows of `group`, by their keys: views of `bytes`. @throws CorruptBytesError */
export function rowsIn(group: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const prefix = prefixOf(group);
  const reader = new ByteReader(bytes);
  const rows = new Map<string, Uint8Array>();
  while (reader.left > 0) rows.set(prefix + reader.string(), reader.bytes());
  return rows;
}

const writer = new ByteWriter();

function bytesOf(group: string, rows: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const { length } = prefixOf(group);
  writer.clear();
  for (const [key, bytes] of rows) {
    writer.string(key.slice(length));
    writer.bytes(bytes);
  }
  return writer.view();
}

/** Changes of rows that lie in groups, within one transaction of `state`. */
export class GroupChanges {
  readonly #state: RootDatabase<Uint8Array, string>;
  readonly #form: RowForm;
  readonly #onCorrupt: (name: string) => Error;
  readonly #changes = new Map<string, Map<string, Uint8Array | null>>();
  #held = 0;

  /** @param onCorrupt - what is thrown where a group is not what was written. */
  constructor(state: RootDatabase<Uint8Array, string>, form: RowForm, onCorrupt: (name: string) => Error) {
    this.#state = state;
    this.#form = form;
    this.#onCorrupt = onCorrupt;
  }

  /** Row `key` of `group` becomes `bytes`, which stay as they are until `write`; null deletes it. */
  add(group: string, key: string, bytes: Uint8Array | null): void {
    let rows = this.#changes.get(group);
    if (rows === undefined) this.#changes.set(group, (rows = new Map()));
    rows.set(key, bytes);
    if (++this.#held >= ROWS_HELD_MAX) this.write();
  }

  /** To be called at the transaction's end. */
  write(): void {
    for (const group of [...this.#changes.keys()].sort()) {
      const rows = this.#stored(group);
      for (const [key, bytes] of this.#changes.get(group)!) {
        if (bytes === null) rows.delete(key);
        else rows.set(key, bytes);
      }
      if (rows.size === 0) this.#state.removeSync(group);
      else this.#state.putSync(group, this.#form.stored(group, bytesOf(group, rows)));
    }
    this.#changes.clear();
    this.#held = 0;
  }

  #stored(group: string): Map<string, Uint8Array> {
    const stored = this.#state.get(group);
    if (stored === undefined) return new Map();
    const row = this.#form.read(group, stored);
    if (row === undefined) throw this.#onCorrupt(group);
    return rowsIn(group, row.bytes);
  }
}
