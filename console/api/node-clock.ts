// The node's clock, as its answers tell it: ages are told by it, because a browser's own clock may be an hour off.

/** A `Date` header is cut to the second. */
const HEADER_STEP_MS = 1000;

export interface NodeClock {
  /** What the node's clock shows while the browser's shows `browserMs`; the same until an answer proves otherwise. */
  at(browserMs: number): number;
  /** An answer came with the header `date`, to what was asked at `askedMs`, at `answeredMs` of the browser's clock. */
  hear(date: string | null, askedMs: number, answeredMs: number): void;
}

/**
 * The node wrote the header between question and answer, so each answer bounds the difference of the clocks from both
 * sides; it is moved only as far as the bounds ask for. It narrows with each answer and does not tremble.
 */
export function createNodeClock(): NodeClock {
  let aheadMs = 0;
  return {
    at: (browserMs) => browserMs + aheadMs,
    hear(date, askedMs, answeredMs) {
      const writtenMs = Date.parse(date ?? "");
      if (!Number.isFinite(writtenMs)) return;
      aheadMs = Math.max(writtenMs - answeredMs, Math.min(writtenMs + HEADER_STEP_MS - askedMs, aheadMs));
    },
  };
}

/** Of the node that the page came from. */
export const nodeClock = createNodeClock();

/** The node's time now. */
export const nodeNowMs = (): number => nodeClock.at(Date.now());
