// Titles and pictures for item ids, asked for once and kept while the page is open.
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../shell/context.ts";
import type { Item } from "./types.ts";

const KNOWN_MAX = 5000;
const caches = new Map<string, Map<string, Item | undefined>>();

/** Those of the ids that the catalogue has. Ids that it does not have are not asked for again. */
export function useItems(ids: readonly (string | undefined)[]): ReadonlyMap<string, Item> {
  const { api } = useConsole();
  const [, redraw] = useState(0);
  const cache = caches.get(api.project) ?? new Map<string, Item | undefined>();
  caches.set(api.project, cache);
  const missing = [...new Set(ids)].filter((id): id is string => id !== undefined && !cache.has(id)).slice(0, 100);
  const missingKey = missing.join("\n");

  useEffect(() => {
    if (missing.length === 0) return;
    if (cache.size > KNOWN_MAX) cache.clear();
    for (const id of missing) cache.set(id, undefined);
    api.items(missing).then(
      (found) => {
        for (const [id, item] of found) cache.set(id, item);
        redraw((count) => count + 1);
      },
      () => {
        for (const id of missing) cache.delete(id);
      },
    );
  }, [missingKey, api]);

  const known = new Map<string, Item>();
  for (const id of ids) {
    const item = id === undefined ? undefined : cache.get(id);
    if (item !== undefined) known.set(item.item_id, item);
  }
  return known;
}
