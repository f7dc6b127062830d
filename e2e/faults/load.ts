// Senders under whose load the faults happen: single events and batches, and now and then an event sent twice.
import { setTimeout } from "node:timers/promises";
import assert from "node:assert/strict";
import type { Rng } from "../../core/math/rng.ts";
import type { Ledger } from "./ledger.ts";
import { postEvents, type PostAnswer } from "./node.ts";

const BATCH_MAX = 60;
const BACK_OFF_MS = 20;
/** What a node may answer instead of 202 under a fault, always with `Retry-After`. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503, 507]);

export interface Load {
  /** From now on no answer arrives: the events that wait for one stay without. */
  cutOff(): void;
  /** Stops sending; resolves when every request has its answer or never will. */
  stop(): Promise<void>;
  /** Resolves when the node no longer answers. */
  readonly broken: Promise<void>;
  /** Refusals so far, by status. */
  readonly refusals: ReadonlyMap<number, number>;
}

export function startLoad(url: string, ledger: Ledger, rng: Rng, senders: number): Load {
  let stopped = false;
  let isCutOff = false;
  const refusals = new Map<number, number>();
  let markBroken!: () => void;
  const broken = new Promise<void>((resolve) => (markBroken = resolve));
  const sender = async (): Promise<void> => {
    while (!stopped) {
      const size = rng.between(0, 1) === 0 ? 1 : rng.between(2, BATCH_MAX);
      const events = rng.between(0, 9) === 0 ? ledger.someAcked(rng, size) : ledger.newEvents(rng, size);
      if (events.length === 0) continue;
      const answer = await postEvents(url, events);
      if (isCutOff) return;
      if (answer === "gone") {
        stopped = true;
        markBroken();
      } else if (answer.status === 202) {
        ledger.acked(events);
      } else {
        assertRefusal(answer);
        refusals.set(answer.status, (refusals.get(answer.status) ?? 0) + 1);
        await setTimeout(BACK_OFF_MS);
      }
    }
  };
  const running = Promise.all(Array.from({ length: senders }, sender));
  return {
    cutOff() {
      stopped = true;
      isCutOff = true;
    },
    async stop() {
      stopped = true;
      await running;
    },
    broken,
    refusals,
  };
}

/** Sends what has no answer yet, and some that have, until each is answered: afterwards all counts are exact. */
export async function settle(url: string, ledger: Ledger, rng: Rng): Promise<void> {
  const pending = [...ledger.unanswered(), ...ledger.someAcked(rng, BATCH_MAX)];
  while (pending.length > 0) {
    const events = pending.slice(0, BATCH_MAX);
    const answer = await postEvents(url, events);
    assert.notEqual(answer, "gone", "the node is up");
    const { status } = answer as Exclude<PostAnswer, "gone">;
    if (status === 202) {
      ledger.acked(events);
      pending.splice(0, events.length);
    } else {
      assertRefusal(answer as Exclude<PostAnswer, "gone">);
      await setTimeout(BACK_OFF_MS);
    }
  }
}

function assertRefusal({ status, retryAfterS }: Exclude<PostAnswer, "gone">): void {
  assert.ok(REFUSALS.has(status), `a refusal is 429, 503 or 507, not ${status}`);
  assert.ok(retryAfterS !== undefined && retryAfterS > 0, `${status} says when to send again`);
}
