// Writes checkpoints: gathers slices of rows and commits them as one durable LMDB transaction.
import { dirname } from "node:path";
import { nameDirectory } from "./name-directory.ts";
import { rowForm } from "./row-form.ts";
import { markDamaged, openDatabase, type CheckpointMessage, type RowSlice, type StatePlace, type WriterReply } from "./state-file.ts";

export interface CheckpointWriter {
  /** Works one message off, in the order in which they were sent. */
  take(message: CheckpointMessage): void;
  close(): Promise<void>;
}

export function createCheckpointWriter(place: StatePlace, reply: (reply: WriterReply) => void): CheckpointWriter {
  const state = openDatabase(place);
  const form = rowForm(place.key);
  const directory =
    place.key === undefined ? undefined : nameDirectory(state, form, (name) => markDamaged(dirname(place.path), name));
  let slices: RowSlice[] = [];

  function commit(): void {
    state.transactionSync(() => {
      directory?.begin();
      for (const slice of slices) {
        let offset = 0;
        slice.keys.forEach((key, i) => {
          const length = slice.lengths[i]!;
          directory?.note(key, length >= 0);
          if (length < 0) {
            state.removeSync(form.nameOf(key));
            return;
          }
          state.putSync(form.nameOf(key), form.stored(key, slice.bytes.subarray(offset, offset + length)));
          offset += length;
        });
      }
      directory?.write();
    });
    slices = [];
  }

  return {
    take(message) {
      if (message.kind === "slice") slices.push(message.slice);
      if (message.kind !== "commit") return;
      const { id } = message;
      try {
        commit();
        reply({ kind: "committed", id });
      } catch (error) {
        // The slices are kept: the next commit writes them before its own.
        reply({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
      }
    },
    close: () => state.close(),
  };
}
