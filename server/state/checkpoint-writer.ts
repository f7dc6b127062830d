// Writes checkpoints: gathers slices of rows and commits them as one durable LMDB transaction.
import { dirname } from "node:path";
import { rowForm } from "./row-form.ts";
import { directoryRowOf, GroupChanges } from "./row-groups.ts";
import {
  markDamaged, openDatabase, type CheckpointMessage, type RowSlice, type StateCorruptError, type StatePlace, type WriterReply,
} from "./state-file.ts";

const IS_THERE = new Uint8Array(0);

export interface CheckpointWriter {
  /** Works one message off, in the order in which they were sent. */
  take(message: CheckpointMessage): void;
  close(): Promise<void>;
}

export function createCheckpointWriter(place: StatePlace, reply: (reply: WriterReply) => void): CheckpointWriter {
  const state = openDatabase(place);
  const form = rowForm(place);
  const onCorrupt = (name: string): Error => (damaged = markDamaged(dirname(place.path), name));
  let slices: RowSlice[] = [];
  /** The next start throws the file away: until then nothing more is written to it, and no row is kept. */
  let damaged: StateCorruptError | undefined;

  function commit(): void {
    state.transactionSync(() => {
      const groups = new GroupChanges(state, form, onCorrupt);
      for (const slice of slices) {
        let offset = 0;
        slice.keys.forEach((key, i) => {
          const length = slice.lengths[i]!;
          put(groups, key, length < 0 ? null : slice.bytes.subarray(offset, offset + length));
          if (length > 0) offset += length;
        });
      }
      groups.write();
    });
    slices = [];
  }

  function put(groups: GroupChanges, key: string, bytes: Uint8Array | null): void {
    const group = form.groupOf(key);
    if (group !== undefined) {
      groups.add(group, key, bytes);
      return;
    }
    const name = form.nameOf(key);
    const entry = directoryRowOf(key);
    if (entry !== undefined) enter(groups, entry, { name, isThere: bytes !== null });
    if (bytes === null) state.removeSync(name);
    else state.putSync(name, form.stored(key, bytes));
  }

  /** Keeps the directory, where there is one: before the person's row `name` itself is written. */
  function enter(groups: GroupChanges, entry: string, { name, isThere }: { name: string; isThere: boolean }): void {
    const group = form.groupOf(entry);
    if (group === undefined || state.doesExist(name) === isThere) return;
    groups.add(group, entry, isThere ? IS_THERE : null);
  }

  return {
    take(message) {
      if (message.kind === "slice" && damaged === undefined) slices.push(message.slice);
      if (message.kind !== "commit") return;
      const { id } = message;
      try {
        if (damaged !== undefined) throw damaged;
        commit();
        reply({ kind: "committed", id });
      } catch (error) {
        // The slices are kept: the next commit writes them before its own, if there can be one.
        if (damaged !== undefined) slices = [];
        reply({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
      }
    },
    close: () => state.close(),
  };
}
