// A value of `steps`: what the recommender learns from one record. JSON in UTF-8, so that a field which a later `Step`
// gains passes through.
import type { Step } from "../../core/rank/recommender.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/**
 * Whether a step is sampled depends on what the reader's models have learnt: he asks
 * `recommender.learningSample(eventId, step.timeMs)` where `history` is there; where it is not the event is outside the
 * program's share whatever the models know. A step that turns away has it always: only the first of a person counts.
 */
export type StepValue = StepKinds & {
  /** Log time of the record, Unix ms: models learn in its order. Without it: of a release that did not say it. */
  at?: number;
};

type StepKinds =
  | { kind: "step"; eventId: string; step: Omit<Step, "sampled" | "history"> & Partial<Pick<Step, "history">> }
  /** An anonymous visitor became a user: his open session goes on. */
  | { kind: "relink"; from: string; to: string };

export function encodeStep(value: StepValue): Uint8Array {
  return encodeUtf8(stepText(value));
}

/** The value as text; its UTF-8 is the value. */
export function stepText(value: StepValue): string {
  return JSON.stringify(value);
}

/** Throws on what `encodeStep` did not write. */
export function decodeStep(bytes: Uint8Array): StepValue {
  return JSON.parse(decodeUtf8(bytes));
}
