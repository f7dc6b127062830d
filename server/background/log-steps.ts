// The steps that a log holds, for whoever trains on it: those that the models learnt live, under the keys of today.
import { isGranted } from "../../core/consent/consent.ts";
import { type Step, stepOf } from "../../core/model/step.ts";
import type { Fold } from "../embedded/fold.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import type { SegmentLog } from "../log/log.ts";

/** A weight below 0: the person turned away. */
export type LoggedStep = Pick<Step, "personKey" | "itemId" | "weight" | "source">;

const CONSENTS_MAX = 200_000; // Persons whose word is remembered while the log is read.

/**
 * Undefined for a record that is no step, and for whoever does not want to be profiled now. Stretches that cannot be
 * read are left out.
 */
export function* logSteps(log: SegmentLog, fold: () => Fold): Generator<LoggedStep | undefined> {
  const consents = new Map<string, boolean>();
  const mayLearn = (key: string): boolean => {
    let is = consents.get(key);
    if (is === undefined) {
      const { persons, programs } = fold();
      is = isGranted(persons.peek(key)?.consent, "profiling", programs.current.consentDefault);
      if (consents.size < CONSENTS_MAX) consents.set(key, is);
    }
    return is;
  };
  for (const entry of log.read(log.start, { onCorrupt: () => {} })) {
    const record = decodeRecord(entry.type, entry.payload);
    if (record?.kind !== "event") {
      yield undefined;
      continue;
    }
    const { event } = record;
    const weight = fold().programs.current.plan.weights.get(event.event_type) ?? 0;
    const personKey = fold().keyNow(event);
    yield mayLearn(personKey) ? stepOf(event, { personKey, weight, sampled: false, history: [] }) : undefined;
  }
}
