// Lists from the page's own index of the catalogue: what a search finds, and the shelf of somebody unknown.
import type { CatalogueItem } from "../../sdk/index.ts";

/** Items that have every word of `query` in title, tags, categories or maker; what interests the visitor comes first. */
export function searchItems(
  items: Iterable<CatalogueItem>,
  query: string,
  interests: Readonly<Record<string, number>>,
): CatalogueItem[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found: { item: CatalogueItem; score: number }[] = [];
  for (const item of items) {
    const title = item.title.toLowerCase();
    const rest = [
      ...item.tags,
      ...item.categories,
      String(item.attributes?.["maker"] ?? item.attributes?.["author"] ?? ""),
      String(item.attributes?.["teaser"] ?? ""),
    ]
      .join(" ")
      .toLowerCase()
      .replaceAll("-", " ");
    let score = 0;
    for (const word of words) {
      if (title.includes(word)) score += 2;
      else if (rest.includes(word.replace(/s$/, ""))) score += 1;
      else score = -Infinity;
    }
    if (score > 0) found.push({ item, score: score + 2 * (interests[item.categories[0] ?? ""] ?? 0) });
  }
  return found
    .sort((a, b) => b.score - a.score || (a.item.item_id < b.item.item_id ? -1 : 1))
    .map(({ item }) => item);
}

/** The order where nobody is known: one of each category in turn; `category` "" is all. */
export function itemsInTurn(items: Iterable<CatalogueItem>, category: string): CatalogueItem[] {
  const seen = new Map<string, number>();
  return [...items]
    .filter((item) => category === "" || item.categories.includes(category))
    .map((item) => {
      const name = item.categories[0] ?? "";
      const turn = seen.get(name) ?? 0;
      seen.set(name, turn + 1);
      return { item, turn };
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ item }) => item);
}
