// What keeps an item out of a list: one answer for the lists that are served and for whoever asks why one is missing.
import type { Item } from "../item/item.ts";
import type { Models } from "../model/models.ts";
import { excludedByHistory } from "./feedback.ts";
import type { Bar, RankQuery } from "./query.ts";

/** What bars a slot; undefined where it may be in the list. */
export type BarOf = (slot: number) => Bar | undefined;

/** An item as rules see it: one that only events know has no categories and no tags. */
export const itemForRules = ({ items }: Models, slot: number): Item =>
  items.itemAt(slot) ?? { item_id: items.idAt(slot), categories: [], tags: [] };

/** Of lists that belong to nobody. */
export function crowdBars(
  models: Models,
  { filter, not, nowMs }: { filter?: ((item: Item) => boolean) | undefined; not?: string; nowMs: number },
): BarOf {
  return (slot) => {
    const bar = catalogueBar(models, slot, () => !models.crowd.isPublic(slot, nowMs));
    if (bar !== undefined) return bar;
    if (not !== undefined && models.items.idAt(slot) === not) return "page_item";
    return filter === undefined || filter(itemForRules(models, slot)) ? undefined : "filtered";
  };
}

/** Of the list that `query` asks for, in the situation that the models were asked in. Cheap tests come first. */
export function barsOf(models: Models, query: RankQuery): BarOf {
  const { items, situation } = models;
  const { exclude, pageItemId, filter, bought, tired } = query;
  const kinds = query.excludeKinds ?? [];
  const fromHistory = excludedByHistory(query.history, kinds, query);
  const { trail, trailLength } = situation;
  const ownBar = kinds.includes("seen") ? "seen" : kinds.includes("session") ? "session" : undefined;
  const boughtBefore = kinds.includes("purchased") ? bought : undefined;
  const left = tired !== undefined && tired.by === 0 ? tired.items : undefined;
  const readsId =
    fromHistory.size > 0 || pageItemId !== undefined || (exclude !== undefined && exclude.size > 0) ||
    (boughtBefore !== undefined && boughtBefore.size > 0) || (left !== undefined && left.size > 0);
  const barById = (id: string): Bar | undefined => {
    if (id === pageItemId) return "page_item";
    if (exclude?.has(id) === true) return "excluded_by_request";
    if (boughtBefore?.has(id) === true) return "purchased";
    return fromHistory.get(id) ?? (left?.has(id) === true ? "too_often_shown" : undefined);
  };
  const isHidden = (slot: number): boolean => !models.crowd.mayKnow(situation, slot);
  return (slot) => {
    const bar = catalogueBar(models, slot, isHidden);
    if (bar !== undefined) return bar;
    if (readsId) {
      const byId = barById(items.idAt(slot));
      if (byId !== undefined) return byId;
    }
    // The page's own item is a step of the trail too, and what was bought is not merely seen.
    if (ownBar !== undefined) for (let i = 0; i < trailLength; i++) if (trail[i] === slot) return ownBar;
    return filter === undefined || filter(itemForRules(models, slot)) ? undefined : "filtered";
  };
}

/** @param isHidden - asked of an item that only events know: its name alone may say what somebody did. */
function catalogueBar({ items, config }: Models, slot: number, isHidden: (slot: number) => boolean): Bar | undefined {
  const item = items.itemAt(slot);
  if (item !== undefined) return item.available === false ? "unavailable" : undefined;
  if (config.catalogueOnly) return "not_in_catalogue";
  return isHidden(slot) ? "too_few_persons" : undefined;
}
