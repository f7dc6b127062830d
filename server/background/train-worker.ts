// The worker thread that trains: steps of the log in, the model's parts out, one each time it is asked for one.
import { parentPort } from "node:worker_threads";
import type { BackgroundPart } from "../../core/model/background.ts";
import { partsOf, trainEase, type EaseSettings } from "../../core/model/ease.ts";
import { createTrails } from "../../core/model/trails.ts";

/** Steps of the log, one behind the other: who, of what, whether he turned away from it, and the mark of his address. */
export interface StepSlice {
  personKeys: string[];
  itemIds: string[];
  areAway: boolean[];
  sources: (string | undefined)[];
}

export type TrainMessage = { kind: "steps"; steps: StepSlice } | { kind: "train"; settings: EaseSettings } | { kind: "next" };
/** Null: there are no more parts, or there was too little to learn from. */
export type TrainReply = BackgroundPart | null;

const SEQUENCES_MIN = 50; // Fewer persons teach nothing that the counting models do not know.

const port = parentPort!;
const trails = createTrails();
let parts: BackgroundPart[] = [];

function take({ personKeys, itemIds, areAway, sources }: StepSlice): void {
  for (const [i, personKey] of personKeys.entries()) {
    if (areAway[i]!) trails.drop(personKey, itemIds[i]!);
    else trails.add(personKey, itemIds[i]!, sources[i]);
  }
}

port.on("message", (message: TrainMessage) => {
  if (message.kind === "steps") return take(message.steps);
  if (message.kind === "train") {
    const { settings } = message;
    const { itemIds, sequences } = trails.corpus({ onePerSender: settings.minPersons > 1 });
    if (sequences.length >= SEQUENCES_MIN) parts = partsOf(trainEase(itemIds, sequences, settings));
  }
  port.postMessage((parts.shift() ?? null) satisfies TrainReply);
});
