// The worker thread that learns one family of segments: a sample in, the family out, then it ends.
import { parentPort, workerData } from "node:worker_threads";
import { trainFamily, type FamilySettings, type Sample, type TrainingTime } from "../../core/cluster/train.ts";
import type { LearnedFamily } from "../../core/cluster/learned.ts";

export interface FamilyTraining {
  sample: Sample;
  before: LearnedFamily | undefined;
  settings: FamilySettings;
  time: TrainingTime;
}

const { sample, before, settings, time } = workerData as FamilyTraining;
parentPort!.postMessage(trainFamily(sample, before, settings, time));
