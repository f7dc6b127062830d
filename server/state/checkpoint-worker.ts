// The worker thread around the checkpoint writer, so that the serving thread never waits for the disk.
import { parentPort, workerData } from "node:worker_threads";
import { createCheckpointWriter } from "./checkpoint-writer.ts";
import { noteSize } from "./file-size.ts";
import type { CheckpointMessage, StatePlace } from "./state-file.ts";

const port = parentPort!;
const place = workerData as StatePlace;
const writer = createCheckpointWriter(place, (reply) => {
  if (reply.kind === "committed") noteSize(place.path);
  port.postMessage(reply);
});

port.on("message", async (message: CheckpointMessage) => {
  writer.take(message);
  if (message.kind !== "close") return;
  await writer.close();
  port.close();
});
