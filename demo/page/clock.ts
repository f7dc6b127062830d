// The freshness clock: milliseconds from the visitor's act to the new order on the screen.

/** One act, all times in ms after it. */
export interface Lap {
  eventType: string;
  /** The server said that the event is on disk. */
  acceptedMs: number;
  /** The new order arrived. */
  pushedMs: number;
  /** It was on the screen. */
  paintedMs: number;
}

interface Running {
  eventType: string;
  startMs: number;
  acceptedMs?: number;
}

/** Acts that brought no new order within this time are forgotten. */
const LAP_MAX_MS = 5_000;

export interface FreshnessClock {
  /** The visitor acted at `atMs` (of `performance.now()`). */
  start(eventId: string, eventType: string, atMs: number): void;
  accepted(eventIds: readonly string[]): void;
  /** A new order arrived because of `eventId`, so it knows what was done before that too; returns what to call when it is painted. */
  arrived(eventId: string | undefined): (() => void) | undefined;
  /** Whatever runs is another visitor's. */
  forget(): void;
  /** The newest act that no order has answered yet. */
  readonly waiting: string | undefined;
}

export function createClock(onLap: (lap: Lap) => void): FreshnessClock {
  const running = new Map<string, Running>();
  const now = (): number => performance.now();

  function forgetOld(): void {
    for (const [id, { startMs }] of running) if (now() - startMs > LAP_MAX_MS) running.delete(id);
  }

  return {
    start(eventId, eventType, startMs) {
      forgetOld();
      running.set(eventId, { eventType, startMs });
    },
    accepted(eventIds) {
      for (const id of eventIds) {
        const run = running.get(id);
        if (run) run.acceptedMs ??= now() - run.startMs;
      }
    },
    arrived(eventId) {
      // Ids of one page sort in the order in which they were made, and are delivered in it.
      const answered = [...running].findLast(([id]) => eventId !== undefined && id <= eventId);
      if (!answered) return undefined;
      const [, run] = answered;
      const pushedMs = now() - run.startMs;
      // This order answers all that was done before it, too.
      for (const [id, other] of running) if (other.startMs <= run.startMs) running.delete(id);
      return () =>
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () =>
            onLap({
              eventType: run.eventType,
              acceptedMs: Math.min(run.acceptedMs ?? pushedMs, pushedMs),
              pushedMs,
              paintedMs: now() - run.startMs,
            });
          channel.port2.postMessage(undefined); // runs after this frame's paint
        });
    },
    forget: () => running.clear(),
    get waiting() {
      forgetOld();
      return [...running.keys()].at(-1);
    },
  };
}
