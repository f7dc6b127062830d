// Why an item is where it is, in words.
import type { CatalogueItem, Reason } from "../../sdk/index.ts";
import { wordsOf, type SiteName } from "./site.ts";

const SOURCES: Readonly<Record<SiteName, Readonly<Record<string, string>>>> = {
  shop: {
    rules: "Often looked at next",
    cosine: "Goes together",
    knn: "Visitors like you",
    content: "Similar things",
    repeats: "You looked at it",
    popularity: "Popular now",
    popular: "Popular now",
    trend: "Rising today",
    context: "Popular where you are",
    newest: "Just in",
    new: "Just in",
    explore: "Just in",
    exploration: "Just in",
    interests: "Fits your taste",
    history: "From your last visits",
    blend: "Fits your taste",
  },
  news: {
    rules: "Often read next",
    cosine: "Read together",
    knn: "Readers like you",
    content: "Similar stories",
    repeats: "You read it",
    popularity: "Most read",
    popular: "Most read",
    trend: "Rising now",
    context: "Read where you are",
    newest: "Just published",
    new: "Just published",
    explore: "Just published",
    exploration: "Just published",
    interests: "Fits your interests",
    history: "From your last visits",
    blend: "Fits your interests",
  },
};

export const sourceWords = (site: SiteName, source: string): string => SOURCES[site][source] ?? wordsOf(source);

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
