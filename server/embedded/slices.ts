// How much of a checkpoint is done between two turns of the event loop.

/** Where others take longer than this between two slices, the next slice is longer too, in proportion. */
const TURN_MS = 8;
/** Nobody waits for a slice of more than so many times its length, whatever kept the turn. */
const LONGER_MAX = 50;

export interface Slices {
  isOver(): boolean;
  /** Begins the next one when others have had a turn. */
  next(): Promise<void>;
}

/** Slices of `ms`, longer where turns are long: 1 ms in each of them would take a checkpoint minutes on a busy machine. */
export function slices(ms: number, now = (): number => performance.now(), turn = nextTurn): Slices {
  let endMs = now() + ms;
  return {
    isOver: () => now() >= endMs,
    async next() {
      const startMs = now();
      await turn();
      const longer = Math.min(LONGER_MAX, Math.max(1, (now() - startMs) / TURN_MS));
      endMs = now() + ms * longer;
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
