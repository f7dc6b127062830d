// All pictures of the demo, as files for the build to write below dist/demo.
import { newsCatalogue } from "./catalogue/news.ts";
import { shopCatalogue } from "./catalogue/shop.ts";
import { coverPicture } from "./pictures/cover.ts";
import { DEMO_SEED, DEMO_VISITORS, demoVisits, type Site } from "./warm.ts";
import { productPicture, type ProductKind } from "./pictures/product.ts";

/** Path below `demo/` → SVG document. Takes about 0.1 s. */
export function demoPictures(): Map<string, string> {
  const files = new Map<string, string>();
  for (const { item_id, attributes } of shopCatalogue(0)) {
    files.set(
      `pictures/shop/${item_id}.svg`,
      productPicture({ id: item_id, kind: attributes["kind"] as ProductKind, colour: attributes["colour"] as string }),
    );
  }
  for (const { item_id, attributes } of newsCatalogue(0))
    files.set(`pictures/news/${item_id}.svg`, coverPicture({ id: item_id, scene: attributes.scene }));
  return files;
}

const NAMED_MAX = 24;
const NAMED_EVENTS_MIN = 20;

/** Persons among the seeded visitors who did enough to be interesting. */
function namedVisitors(site: Site): string[] {
  const counts = new Map<string, number>();
  for (const { user_id } of demoVisits(site, {
    seed: DEMO_SEED,
    nowMs: Date.UTC(2026, 0, 15),
    visitors: DEMO_VISITORS,
  })) {
    if (user_id !== undefined) counts.set(user_id, (counts.get(user_id) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count >= NAMED_EVENTS_MIN)
    .slice(0, NAMED_MAX)
    .map(([name]) => name);
}

/** The catalogue as the page's search reads it, without times, which are the server's to say. */
export function demoIndexes(): Map<string, string> {
  const lean = (items: readonly { published_at: string; url: string }[]): string =>
    JSON.stringify(items.map(({ published_at: _, url: __, ...item }) => item));
  return new Map([
    ["catalogue/shop.json", lean(shopCatalogue(0))],
    ["catalogue/news.json", lean(newsCatalogue(0))],
    ["catalogue/visitors.json", JSON.stringify({ shop: namedVisitors("shop"), news: namedVisitors("news") })],
  ]);
}
