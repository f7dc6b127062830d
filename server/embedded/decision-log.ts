// Decisions on their way into the log: gathered for a moment and written as a group of their own, so that no reader waits
// for the disk.
import type { DecisionRecord, LogRecord } from "../../core/record.ts";
import { DECISION_BYTES } from "../hosting/sizes.ts";
import { HostError } from "../ports.ts";
import type { Committer } from "./committer.ts";

/** Decisions that wait; more are counted as dropped, never waited for. */
const WAITING_MAX = 10_000;
const FLUSH_MS = 50;

export class DecisionLog {
  readonly #committer: Committer;
  readonly #isErased: (decision: DecisionRecord, madeAtMs: number) => boolean;
  #waiting: { decision: DecisionRecord; madeAtMs: number }[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Decisions that could not be written. */
  dropped = 0;

  /** @param isErased - asked when a decision's turn comes: its person may have been erased since it was made. */
  constructor(committer: Committer, isErased: (decision: DecisionRecord, madeAtMs: number) => boolean) {
    this.#committer = committer;
    this.#isErased = isErased;
  }

  add(decision: DecisionRecord, madeAtMs: number): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.dropped++;
      return;
    }
    this.#waiting.push({ decision, madeAtMs });
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  /** Hands over what waits; it is durable when the committer is idle. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const decisions = this.#waiting;
    if (decisions.length === 0) return;
    this.#waiting = [];
    this.#committer
      .submit({
        records: decisions.length,
        sizeBytes: decisions.length * DECISION_BYTES,
        prepare: ({ atMs }) =>
          decisions
            .filter(({ decision, madeAtMs }) => !this.#isErased(decision, madeAtMs))
            .map(({ decision }): LogRecord => ({ kind: "decision", at: atMs, decision })),
      })
      .catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error;
        this.dropped += decisions.length;
      });
  }
}
