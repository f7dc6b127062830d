// A value of `steps`: what the recommender learns from one record. JSON in UTF-8, so that a field which a later `Step`
// gains passes through.
import { NEGATIVE_TYPES, type RecentItem, type Step } from "../../core/model/step.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/**
 * Whether a step is sampled depends on what the reader's models have learnt: he asks
 * `recommender.learningSample(eventId, paceMsOf(step.timeMs, at))` where a history is there; where it is not the event is outside the
 * program's share whatever the models know. A step that turns away has one always: only the first of a person counts.
 */
export type StepValue = StepKinds & {
  /** Log time of the record, Unix ms: models learn in its order. Without it: of a release that did not say it. */
  at?: number;
};

type StepKinds =
  | {
      kind: "step";
      eventId: string;
      /** All that a sampled step takes of the history (`pastOf`); an earlier release wrote all of it into `step`. */
      past?: readonly string[];
      step: Omit<Step, "sampled" | "history"> & Partial<Pick<Step, "history">>;
    }
  /** An anonymous visitor became a user: his open session goes on. */
  | { kind: "relink"; from: string; to: string }
  /** Retention has forgotten this person: what was learnt of him stays as nobody's. */
  | { kind: "forget"; key: string };

/**
 * The way that a history tells, newest first: items there and back, without those that he turned away after he had seen
 * them. What models take of it (`core/model/recall.ts`) is what they take of the history itself.
 */
export function pastOf(history: readonly RecentItem[]): string[] {
  const past: string[] = [];
  const turnedAway = new Set<string>();
  let last: string | undefined;
  for (const { item_id, event_type } of history) {
    if (item_id === last) continue;
    last = item_id;
    if (turnedAway.has(item_id)) continue;
    if (NEGATIVE_TYPES.has(event_type)) turnedAway.add(item_id);
    else if (past.at(-1) !== item_id) past.push(item_id);
  }
  return past;
}

/** The history that models learn the step with, without what they do not ask for; undefined: it is not to be sampled. */
export function historyOf({ past, step }: Extract<StepValue, { kind: "step" }>): readonly RecentItem[] | undefined {
  return past?.map((item_id) => ({ item_id, event_type: "", timestamp: 0 })) ?? step.history;
}

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
