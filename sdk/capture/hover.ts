// A pointer that rests on an item: interest short of a click.

export const HOVER_MIN_MS = 300;
/** Longer rests the hand, not the eye: a computer that slept, a window behind another. A guess. */
export const HOVER_MAX_MS = 60_000;
const HOVERS_PER_PAGE_MAX = 60;
const SAME_ITEM_EACH_MS = 10_000;

export interface Hover {
  item_id: string;
  /** Seconds. */
  value: number;
}

export interface HoverWatch {
  /** The pointer is over this item now, or over none; a hover where one has just ended. */
  over(itemId: string | undefined, nowMs: number): Hover | undefined;
}

export function createHoverWatch(): HoverWatch {
  let current: string | undefined;
  let sinceMs = 0;
  let left = HOVERS_PER_PAGE_MAX;
  const lastMs = new Map<string, number>();

  return {
    over(itemId, nowMs) {
      if (itemId === current) return undefined;
      const [ended, tookMs] = [current, nowMs - sinceMs];
      current = itemId;
      sinceMs = nowMs;
      if (ended === undefined || tookMs < HOVER_MIN_MS || left === 0) return undefined;
      if (nowMs - (lastMs.get(ended) ?? -Infinity) < SAME_ITEM_EACH_MS) return undefined;
      lastMs.set(ended, nowMs);
      left--;
      return { item_id: ended, value: Math.min(tookMs, HOVER_MAX_MS) / 1_000 };
    },
  };
}
