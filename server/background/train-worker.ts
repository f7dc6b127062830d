// The worker thread that trains: a corpus in, the model's parts out, then it ends.
import { parentPort, workerData } from "node:worker_threads";
import { partsOf, trainEase, type EaseSettings } from "../../core/model/ease.ts";

/** Places of items; sequences lie behind each other, each beginning with its length. */
export interface TrainingData {
  itemIds: string[];
  sequences: Int32Array;
  settings: EaseSettings;
}

const { itemIds, sequences, settings } = workerData as TrainingData;

function* split(): Generator<Int32Array> {
  for (let at = 0; at < sequences.length; at += 1 + sequences[at]!) yield sequences.subarray(at + 1, at + 1 + sequences[at]!);
}

parentPort!.postMessage(partsOf(trainEase(itemIds, [...split()], settings)));
