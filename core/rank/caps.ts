// How many items of one kind a list holds, and what that leaves room for.
import type { Item } from "../item/item.ts";
import type { CapRule } from "../program/compiled.ts";
import type { FullCap } from "./query.ts";

export interface CapCounter {
  /** The first cap that leaves no room for the item; undefined where there is room. */
  fullFor(item: Item | undefined): FullCap | undefined;
  add(item: Item | undefined): void;
}

const ATTRIBUTES = "attributes.";
const NO_VALUES: readonly string[] = [];

export function capCounter(caps: readonly CapRule[]): CapCounter {
  const counts = caps.map(() => new Map<string, number>());
  return {
    fullFor(item) {
      if (item === undefined) return undefined;
      for (let i = 0; i < caps.length; i++) {
        const { by, max } = caps[i]!;
        for (const value of valuesOf(item, by)) if ((counts[i]!.get(value) ?? 0) >= max) return { by, value, max };
      }
      return undefined;
    },
    add(item) {
      if (item === undefined) return;
      for (let i = 0; i < caps.length; i++) {
        for (const value of valuesOf(item, caps[i]!.by)) counts[i]!.set(value, (counts[i]!.get(value) ?? 0) + 1);
      }
    },
  };
}

function valuesOf(item: Item, by: string): readonly string[] {
  if (by === "category") return item.categories.length > 0 ? [item.categories[0]!] : NO_VALUES;
  if (by === "categories") return item.categories;
  if (by === "tags") return item.tags;
  const value = item.attributes?.[by.slice(ATTRIBUTES.length)];
  return value === undefined || value === null ? NO_VALUES : [String(value)];
}
