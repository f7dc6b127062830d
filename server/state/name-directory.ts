// Who is in a closed state file, for the search by how an id begins: names of rows say nothing, and to open every person's row
// would take seconds. 4,096 rows, each with the keys of the persons whose names begin alike.
import type { RootDatabase } from "lmdb";
import type { RowForm } from "./row-form.ts";

const PERSONS = "p:";
export const DIRECTORY = "n:";
/** 64² buckets: one of 250 keys costs 30 µs to write anew or to look through. */
const BUCKET_CHARS = 2;

export interface NameDirectory {
  /** To be told of each row before it is written (`isThere`) or deleted, within the transaction. */
  note(key: string, isThere: boolean): void;
  /** Writes what was noted; the last act of the transaction. */
  write(): void;
  /** A transaction begins: what one that failed had noted is forgotten. */
  begin(): void;
}

export function nameDirectory(
  state: RootDatabase<Uint8Array, string>,
  form: RowForm,
  onCorrupt: (name: string) => Error,
): NameDirectory {
  let changes = new Map<string, Map<string, boolean>>();
  return {
    begin() {
      changes = new Map();
    },
    note(key, isThere) {
      if (!key.startsWith(PERSONS)) return;
      const name = form.nameOf(key);
      if (state.doesExist(name) === isThere) return;
      const bucket = DIRECTORY + name.slice(PERSONS.length, PERSONS.length + BUCKET_CHARS);
      let changed = changes.get(bucket);
      if (changed === undefined) changes.set(bucket, (changed = new Map()));
      changed.set(key.slice(PERSONS.length), isThere);
    },
    write() {
      for (const [bucket, changed] of changes) {
        const stored = state.get(bucket);
        const row = stored === undefined ? undefined : form.read(bucket, stored);
        if (stored !== undefined && row === undefined) throw onCorrupt(bucket);
        const keys = new Set(row === undefined ? [] : keysIn(row.bytes));
        for (const [key, isThere] of changed) {
          if (isThere) keys.add(key);
          else keys.delete(key);
        }
        state.putSync(bucket, form.stored(bucket, Buffer.from(JSON.stringify([...keys]))));
      }
    },
  };
}

/** The keys of persons in one row of the directory. */
export function keysIn(bytes: Uint8Array): string[] {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as string[];
}
