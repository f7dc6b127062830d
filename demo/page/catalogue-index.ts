// The site's catalogue for the page itself: what searches look in, and whose order it has where no server gives one.
import type { CatalogueItem } from "../../sdk/index.ts";
import { byId } from "./dom.ts";
import type { SiteWords } from "./site.ts";

const ASK_AGAIN_MS = 2_000;

/** The catalogue, asked for until it comes: whoever opens the page while the node restarts is told, and waits. */
export async function readIndex(
  site: SiteWords,
  catalogue: Map<string, CatalogueItem>,
  hasCards: () => boolean,
): Promise<void> {
  const noResults = byId("no-results");
  const words = noResults.textContent;
  for (;;) {
    try {
      const answer = await fetch(`/demo/catalogue/${site.name}.json`);
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      for (const item of (await answer.json()) as CatalogueItem[])
        if (!catalogue.has(item.item_id)) catalogue.set(item.item_id, item);
      noResults.hidden = true;
      noResults.textContent = words;
      return;
    } catch {
      noResults.textContent = `${site.brand} does not answer. The page goes on by itself when it is back.`;
      noResults.hidden = hasCards();
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}
