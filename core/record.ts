// The log is the truth: everything that changes what attune knows is one of these records, in log order.
import type { LoggedEvent } from "./event/event.ts";
import type { Item } from "./item/item.ts";
import type { BackgroundPart } from "./model/background.ts";

/** Who a record is about, as the sender named them; at least one is set. */
export interface PersonRef {
  user_id?: string;
  anonymous_id?: string;
}

/** How a slot's policy chose: enough to learn from it, and to estimate what another policy would have brought. */
export interface SlotChoice {
  /** The slot that learns: the one that was asked for, or the one that an experiment has decide in its place. */
  slot: string;
  policy: string;
  /** What the policy picked; in shadow mode that is not what was shown. */
  picked: string;
  /** Probability of each of the slot's variants, in the program's order. */
  probabilities: readonly number[];
  /** Places of the visitor's hashed features; only of a contextual policy. */
  features?: readonly number[];
}

/** A person's part in an experiment, as it was when the decision was made. */
export interface Assignment {
  variant: string;
  /** Which definition of the experiment (`CompiledExperiment.run`). */
  run: string;
  /** The covariate: what was known of him before. */
  x: number;
}

/** One item of a list that was answered, in rank order, with what the off-policy estimators need. */
export interface DecisionRecord extends PersonRef {
  decision_id: string;
  placement: string;
  strategy: string;
  items: readonly string[];
  /** Probability that the policy made this very choice; 1 for a deterministic list. */
  propensity: number;
  choice?: SlotChoice;
  /** By experiment: what the decision carried out. */
  experiments?: Readonly<Record<string, Assignment>>;
  /** Of an interleaved list: `a` or `b` for each item, in order. */
  teams?: string;
}

/** A variant that a guard has stopped: from now on its people get control. */
export interface ExperimentStop {
  experiment: string;
  run: string;
  variant: string;
  metric: string;
  /** The lift's interval that was beyond what the guard allows; the largest numbers where control was too near 0 for one. */
  low: number;
  high: number;
}

/** Consent by purpose, as `PUT …/consent` takes it. */
export interface Consent {
  personalization: "granted" | "denied";
  analytics: "granted" | "denied";
  profiling: "granted" | "denied";
  source?: string;
  policy_version?: string;
}

/** `at` is processing time in Unix ms: never smaller than in the record before. */
export type LogRecord =
  | { kind: "event"; at: number; event: LoggedEvent }
  /** What was said about a person beside his events: attributes, and what he consents to. */
  | { kind: "attributes"; at: number; ref: PersonRef; attributes: Readonly<Record<string, unknown>>; consent?: Consent }
  | { kind: "item_put"; at: number; item: Item }
  | { kind: "item_delete"; at: number; item_id: string }
  | { kind: "program"; at: number; version: number; document: unknown }
  | { kind: "decision"; at: number; decision: DecisionRecord }
  | { kind: "dead_letter"; at: number; letter: DeadLetter }
  | { kind: "experiment_stop"; at: number; stop: ExperimentStop }
  /**
   * Retention: a person who was not seen for too long is forgotten; or a device is taken from whoever has it. One key; earlier
   * releases wrote a person's with those of his devices.
   */
  | { kind: "expiry"; at: number; names: readonly string[] }
  /** A part of a background model, as it was trained (docs/decisions/models.md). */
  | ({ kind: "background"; at: number } & BackgroundPart);

/** What an event is marked by that its sender's connection showed. */
export interface SenderMarks {
  isBot?: true;
  /** The browser asked not to be profiled (Global Privacy Control). */
  asksPrivacy?: true;
  /** As in `LoggedEvent`. */
  source?: string;
}

/** A refused event, kept with its reason. `source` says where it came from, e.g. `http` or `import FILE:LINE`. */
export interface DeadLetter {
  id: string;
  at: number;
  code: string;
  path: string;
  message: string;
  source: string;
  body: unknown;
  /** Idempotency key of a source that is read again, such as a file: a letter with a known one is not kept twice. */
  once?: string;
  /** What another try gives back to the event: an operator's connection says nothing of who sent it. */
  sender?: SenderMarks;
  /** Set by a retry that succeeded, or by retention: the letter is listed no more. */
  resolved?: boolean;
}
