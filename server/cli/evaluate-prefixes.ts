// Which prefixes of a published split come from one session. Its rows do not say so, but each session is cut at every
// place, one row after the other: what is missed at one place is missed at the next, so they are no independent draws.

export interface AskedPrefix {
  /** Oldest first. */
  readonly prefix: readonly string[];
  readonly target: string;
}

/** The session of each row of a file, in order: one that goes on from the row before, or stops one item earlier, is of its session. */
export function createPrefixSessions(): (row: AskedPrefix) => string {
  let session = 0;
  let last: readonly string[] = [];
  return ({ prefix, target }) => {
    const whole = [...prefix, target];
    const isLonger = whole.length === last.length + 1;
    const isShorter = whole.length === last.length - 1;
    const shared = Math.min(whole.length, last.length);
    const isSame = shared > 0 && (isLonger || isShorter) && Array.from({ length: shared }, (_, i) => i).every((i) => whole[i] === last[i]);
    if (!isSame) session++;
    last = whole;
    return String(session);
  };
}
