// Dead letters are kept on disk, and anybody can send rubbish: a project keeps so many a second, the rest is only counted.

const KEPT_PER_S = 200;
const BURST_MAX = 10_000;

export interface DeadLetterQuota {
  readonly dropped: number;
  /** True: keep it. */
  take(nowMs: number): boolean;
}

export function deadLetterQuota(): DeadLetterQuota {
  let tokens = BURST_MAX;
  let lastMs = 0;
  let dropped = 0;
  return {
    get dropped() {
      return dropped;
    },
    take(nowMs) {
      tokens = Math.min(BURST_MAX, tokens + (Math.max(0, nowMs - lastMs) / 1_000) * KEPT_PER_S);
      lastMs = nowMs;
      if (tokens < 1) {
        dropped++;
        return false;
      }
      tokens--;
      return true;
    },
  };
}
