// Runs golden vectors: events in, bytes and profile out. No host is assumed, so that every host can run the same.
import { BUILT_IN_EVENT_TYPES, type LoggedEvent } from "../core/event/event.ts";
import { normaliseEvent } from "../core/event/validate.ts";
import type { FoldPlan } from "../core/profile/plan.ts";
import {
  adaptPerson, decodePerson, emptyPerson, encodePerson, foldEvent, mergePerson, setAttributes,
} from "../core/profile/person.ts";
import { profileView } from "../core/profile/view.ts";
import { barePlan, keepingPlan, shopLikePlan } from "../core/testing/plan.ts";
import { hexOf } from "./hex.ts";

/** What is done to one person, in order. */
export type VectorStep =
  | { fold: LoggedEvent }
  /** The raw event as a sender would send it, received at `at`. */
  | { raw: unknown; at: number }
  | { attributes: Record<string, unknown>; at: number }
  | { merge: VectorStep[] }
  | { plan: PlanName }
  /** Through bytes and back. */
  | { reload: true };

type PlanName = "shop" | "bare" | "keeping";

export interface PersonVector {
  title: string;
  plan: PlanName;
  steps: VectorStep[];
  nowMs: number;
  /** What each step came to: folded, duplicate, a reason of refusal, or done. */
  outcomes: string[];
  stateHex: string;
  view: unknown;
}

/** A file under vectors/, parsed. */
export interface VectorFile {
  name: string;
  cases: PersonVector[];
}

const EVENT_TYPES = new Set<string>(BUILT_IN_EVENT_TYPES);
const PLANS: Record<PlanName, FoldPlan> = { shop: shopLikePlan, bare: barePlan, keeping: keepingPlan };

/** Says what differs, one line a failure; empty when every case comes out bit for bit. */
export function runVectors(files: readonly VectorFile[]): string[] {
  const failures: string[] = [];
  for (const { name, cases } of files) {
    for (const vector of cases) {
      const result = runPersonVector(vector);
      for (const part of ["outcomes", "stateHex", "view"] as const) {
        const got = JSON.stringify(result[part]);
        const want = JSON.stringify(vector[part]);
        if (got !== want) failures.push(`${name} "${vector.title}" ${part}: ${got} instead of ${want}`);
      }
    }
  }
  return failures;
}

/** What a case comes to here and now. */
export function runPersonVector(
  vector: Pick<PersonVector, "plan" | "steps" | "nowMs">,
): Pick<PersonVector, "outcomes" | "stateHex" | "view"> {
  const person = run(vector.plan, vector.steps);
  const bytes = encodePerson(person.state);
  const view = profileView(decodePerson(bytes, person.plan), person.plan, vector.nowMs);
  return { outcomes: person.outcomes, stateHex: hexOf(bytes), view: JSON.parse(JSON.stringify(view)) };
}

function run(planName: PlanName, steps: readonly VectorStep[]) {
  let plan = PLANS[planName];
  let state = emptyPerson(plan);
  const outcomes: string[] = [];
  for (const step of steps) {
    let outcome = "done";
    if ("fold" in step) outcome = foldEvent(state, step.fold, plan);
    else if ("raw" in step) {
      const result = normaliseEvent(step.raw, { receivedAtMs: step.at, eventTypes: EVENT_TYPES, newEventId: () => "given" });
      if ("rejected" in result) outcome = `${result.rejected.code} ${result.rejected.path}`;
      else outcome = foldEvent(state, { ...result.event, received_at: step.at }, plan);
    } else if ("attributes" in step) setAttributes(state, step.attributes, step.at);
    else if ("merge" in step) mergePerson(state, run(planName, step.merge).state, plan);
    else if ("plan" in step) adaptPerson(state, (plan = PLANS[step.plan]));
    else state = decodePerson(encodePerson(state), plan);
    outcomes.push(outcome);
  }
  return { state, plan, outcomes };
}
