// What was really seen: items and decisions with half a card on screen for a second, once a page.

export const SEEN_RATIO = 0.5;
export const SEEN_MS = 1_000;
const PER_PAGE_MAX = 500;

export interface Impressions {
  /** All whose cards are on screen now, however many cards each has. */
  visible(ids: ReadonlySet<string>, nowMs: number): void;
  /** Those whose second is over. */
  due(nowMs: number): string[];
  /** When to call `due` next; Infinity while nothing waits. */
  nextMs(): number;
}

export function createImpressions(): Impressions {
  const sinceMs = new Map<string, number>();
  const seen = new Set<string>();
  return {
    visible(ids, nowMs) {
      for (const id of sinceMs.keys()) if (!ids.has(id)) sinceMs.delete(id);
      for (const id of ids) if (!seen.has(id) && !sinceMs.has(id)) sinceMs.set(id, nowMs);
    },
    due(nowMs) {
      const out: string[] = [];
      for (const [id, since] of sinceMs) {
        if (nowMs - since < SEEN_MS) continue;
        sinceMs.delete(id);
        if (seen.size >= PER_PAGE_MAX) continue;
        seen.add(id);
        out.push(id);
      }
      return out;
    },
    nextMs: () => Math.min(...sinceMs.values()) + SEEN_MS,
  };
}
