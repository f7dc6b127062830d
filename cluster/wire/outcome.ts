// A value of `outcomes`: what may follow from a decision, so that slots learn from it and experiments count it. Its key is
// the person's. JSON in UTF-8; read as committed, so that each counts once.
import type { LoggedEvent } from "../../core/event/event.ts";
import { decodeUtf8 } from "./utf8.ts";

export type OutcomeValue =
  /** Something that was folded into the person. `weight`: what the program says that it is worth. */
  | { kind: "acted"; event: LoggedEvent; weight: number }
  /** An anonymous visitor became a user, at log time `at`. */
  | { kind: "relink"; from: string; to: string; at: number }
  /** Retention has forgotten the person whose key this value has, at log time `at`. */
  | { kind: "forget"; at: number };

/** The value as text; its UTF-8 is the value. */
export function outcomeText(value: OutcomeValue): string {
  return JSON.stringify(value);
}

/** Throws on what is not JSON in UTF-8. */
export function decodeOutcome(bytes: Uint8Array): OutcomeValue {
  return JSON.parse(decodeUtf8(bytes));
}

/** Log time, Unix ms: when the job's record of it was appended to the log. */
export function outcomeMs(value: OutcomeValue): number {
  return value.kind === "acted" ? value.event.received_at : value.at;
}
