// Worker thread that writes checkpoints: it gathers slices of rows and commits them as one durable LMDB transaction,
// so that the serving thread never waits for the disk.
import { parentPort, workerData } from "node:worker_threads";
import { open } from "lmdb";
import { STATE_OPTIONS, type CheckpointMessage, type RowSlice, type WriterReply } from "./state-file.ts";

const state = open<Uint8Array, string>({ ...STATE_OPTIONS, path: (workerData as { path: string }).path });
let slices: RowSlice[] = [];

function commit(): void {
  state.transactionSync(() => {
    for (const slice of slices) {
      let offset = 0;
      slice.keys.forEach((key, i) => {
        const length = slice.lengths[i]!;
        if (length < 0) {
          state.removeSync(key);
          return;
        }
        state.putSync(key, slice.bytes.subarray(offset, offset + length));
        offset += length;
      });
    }
  });
  slices = [];
}

parentPort!.on("message", async (message: CheckpointMessage) => {
  if (message.kind === "slice") {
    slices.push(message.slice);
    return;
  }
  if (message.kind === "close") {
    await state.close();
    parentPort!.close();
    return;
  }
  let reply: WriterReply;
  try {
    commit();
    reply = { kind: "committed", id: message.id };
  } catch (error) {
    // The slices are kept: the next commit writes them before its own.
    reply = { kind: "failed", id: message.id, message: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(reply);
});
