// Senders that go on through every fault: who gets no answer goes to the next server, and keeps in mind what has none.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Rng } from "../../core/math/rng.ts";
import type { Ledger, SentEvent } from "../faults/ledger.ts";
import { type PostAnswer, postEvents } from "../faults/node.ts";

const BATCH_MAX = 20;
const PAUSE_MS = 20;
const BACK_OFF_MS = 100;
const SETTLE_BATCH = 60;
const SETTLE_PATIENCE_MS = 120_000;
/** What a server may answer instead of 202 under a fault, always with `Retry-After`. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);

export interface Senders {
  /** Stops sending; resolves when every request has its answer or never will. */
  stop(): Promise<void>;
  /** Refusals and lost connections so far. */
  readonly refused: number;
  readonly gone: number;
}

export function startSenders(urls: readonly string[], ledger: Ledger, rng: Rng, count: number): Senders {
  let stopped = false;
  const figures = { refused: 0, gone: 0 };
  const sender = async (first: number): Promise<void> => {
    let server = first;
    while (!stopped) {
      const size = rng.between(1, BATCH_MAX);
      const events = rng.between(0, 9) === 0 ? ledger.someAcked(rng, size) : ledger.newEvents(rng, size);
      if (events.length > 0) {
        const answer = await postEvents(urls[server % urls.length]!, events);
        if (!take(answer, events, ledger)) {
          if (answer === "gone") figures.gone++;
          else figures.refused++;
          server++;
          await setTimeout(BACK_OFF_MS);
        }
      }
      await setTimeout(PAUSE_MS);
    }
  };
  const running = Promise.all(Array.from({ length: count }, (_, i) => sender(i)));
  return {
    async stop() {
      stopped = true;
      await running;
    },
    get refused() {
      return figures.refused;
    },
    get gone() {
      return figures.gone;
    },
  };
}

/** Sends what has no answer yet until each has one: afterwards every count is exact. */
export async function settle(urls: readonly string[], ledger: Ledger): Promise<void> {
  const pending = ledger.unanswered();
  const deadline = performance.now() + SETTLE_PATIENCE_MS;
  for (let server = 0; pending.length > 0; server++) {
    const events = pending.slice(0, SETTLE_BATCH);
    const answer = await postEvents(urls[server % urls.length]!, events);
    if (take(answer, events, ledger)) pending.splice(0, events.length);
    else {
      assert.ok(performance.now() < deadline, `the servers still refuse: ${JSON.stringify(answer)}`);
      await setTimeout(BACK_OFF_MS);
    }
  }
}

/** True where the events were answered as taken. */
function take(answer: PostAnswer, events: readonly SentEvent[], ledger: Ledger): boolean {
  if (answer === "gone") return false;
  if (answer.status === 202) {
    ledger.acked(events);
    return true;
  }
  const { status, retryAfterS } = answer;
  assert.ok(REFUSALS.has(status), `a refusal is 429 or 503, not ${status}`);
  assert.ok(retryAfterS !== undefined && retryAfterS > 0, `${status} says when to send again`);
  return false;
}
