// Why an item is where it is, in words.
import type { CatalogueItem, Reason } from "../../sdk/index.ts";
import { wordsOf, type SiteName } from "./site.ts";

/** Several models look for the same thing in their own way: a reader is told of it once. */
export const SOURCES: Readonly<Record<SiteName, Readonly<Record<string, string>>>> = {
  shop: {
    rules: "Often looked at next",
    next: "Often looked at next",
    recent: "Often looked at next",
    cosine: "Goes with what you looked at",
    knn: "Visitors like you looked at it",
    walk: "Visitors like you looked at it",
    background: "Fits your taste",
    factors: "Fits your taste",
    content: "Like what you looked at",
    repeats: "You looked at it",
    popularity: "Popular now",
    popular: "Popular now",
    steady: "A lasting favourite",
    trend: "Rising today",
    context: "Popular where you are",
    daypart: "Popular at this hour",
    newest: "Just in",
    other: "More to discover",
    exploration: "New here",
    pinned: "Picked by the shop",
  },
  news: {
    rules: "Often read next",
    next: "Often read next",
    recent: "Often read next",
    cosine: "Goes with what you read",
    knn: "Readers like you read it",
    walk: "Readers like you read it",
    background: "Fits your interests",
    factors: "Fits your interests",
    content: "Like what you read",
    repeats: "You read it",
    popularity: "Most read",
    popular: "Most read",
    steady: "Still widely read",
    trend: "Rising now",
    context: "Read where you are",
    daypart: "Read at this hour",
    newest: "Just published",
    other: "More to read",
    exploration: "New here",
    pinned: "Picked by the editors",
  },
};

const sourceWords = (site: SiteName, source: string): string => SOURCES[site][source] ?? wordsOf(source);

export interface WordedReason {
  words: string;
  /** Share in [0, 1]. */
  weight: number;
  because: string[];
}

/** What a panel says of a place in the list, heaviest first; sources with the same words are one reason. */
export function reasonsInWords(site: SiteName, reasons: readonly Reason[]): WordedReason[] {
  const found = new Map<string, WordedReason>();
  for (const { source, weight, because } of reasons) {
    const words = sourceWords(site, source);
    const before = found.get(words);
    found.set(words, {
      words,
      weight: (before?.weight ?? 0) + weight,
      because: [...new Set([...(before?.because ?? []), ...because])],
    });
  }
  return [...found.values()].sort((a, b) => b.weight - a.weight);
}

export interface Badge {
  text: string;
  /** The visitor's own item behind it: the end of the sentence. */
  because?: CatalogueItem;
}

/** Sources of which the node's own sentence says more: where, when, of what. */
const SAID_BETTER: ReadonlySet<string> = new Set(["context", "daypart", "trend", "content", "exploration", "pinned"]);

/** The shortest honest answer: the heaviest reason that names an own item, or else the heaviest. */
export function badgeOf(
  site: SiteName,
  reasons: readonly Reason[],
  itemOf: (itemId: string) => CatalogueItem | undefined,
  said?: string,
): Badge | undefined {
  for (const { because } of reasons) {
    const own = because.map(itemOf).find((found) => found !== undefined);
    if (own) return { text: `Because you ${site === "shop" ? "looked at" : "read"}`, because: own };
  }
  const top = reasons[0];
  if (top === undefined) return undefined;
  const isSaidBetter = SAID_BETTER.has(top.source) || SOURCES[site][top.source] === undefined;
  return { text: said !== undefined && isSaidBetter ? said : sourceWords(site, top.source) };
}

/** `Iver armchair, clay` → `Iver armchair`. */
export const shortTitle = (title: string): string => title.split(",")[0]!;

/** Name of the shelf or section and what else there is to say under the title. */
export const lineUnder = (item: CatalogueItem): string =>
  String(item.attributes?.["maker"] ?? item.attributes?.["author"] ?? "");
