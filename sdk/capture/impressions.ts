// Items that were really seen: at least half of them on screen for a second, once a page.

export const SEEN_RATIO = 0.5;
export const SEEN_MS = 1_000;
const PER_PAGE_MAX = 500;

export interface Impressions {
  /** How much of a card is on screen now; one item may have several cards. */
  visible(card: { key: unknown; itemId: string; ratio: number }, nowMs: number): void;
  /** Nothing is on screen any more: the page is hidden. */
  hidden(): void;
  /** Items whose second is over. */
  due(nowMs: number): string[];
  /** When to call `due` next; Infinity while nothing waits. */
  nextMs(): number;
}

export function createImpressions(): Impressions {
  const sinceMs = new Map<unknown, { itemId: string; since: number }>();
  const seen = new Set<string>();
  return {
    visible({ key, itemId, ratio }, nowMs) {
      if (ratio < SEEN_RATIO || seen.has(itemId)) sinceMs.delete(key);
      // A card that a new list gave to another item begins anew.
      else if (sinceMs.get(key)?.itemId !== itemId) sinceMs.set(key, { itemId, since: nowMs });
    },
    hidden: () => sinceMs.clear(),
    due(nowMs) {
      const out: string[] = [];
      for (const [key, { itemId, since }] of sinceMs) {
        if (nowMs - since < SEEN_MS) continue;
        sinceMs.delete(key);
        if (seen.size < PER_PAGE_MAX && !seen.has(itemId)) {
          seen.add(itemId);
          out.push(itemId);
        }
      }
      return out;
    },
    nextMs: () => Math.min(...[...sinceMs.values()].map(({ since }) => since + SEEN_MS)),
  };
}
