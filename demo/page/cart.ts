// The cart: what lies in it, kept over a reload, and the figure in the page's head.
import type { CatalogueItem, EventFields, Profile } from "../../sdk/index.ts";
import { openCart } from "./quick-view.ts";
import { toast } from "./toasts.ts";

export interface CartWorld {
  /** Name of the key in localStorage. */
  key: string;
  itemOf: (id: string) => CatalogueItem | undefined;
  act(eventType: string, fields: EventFields, atMs: number): void;
}

export interface Cart {
  readonly ids: ReadonlySet<string>;
  add(id: string): void;
  clear(): void;
}

export function createCart({ key, itemOf, act }: CartWorld): Cart {
  const ids = new Set<string>(JSON.parse(localStorage.getItem(key) ?? "[]") as string[]);
  const button = document.getElementById("cart");

  function changed(): void {
    localStorage.setItem(key, JSON.stringify([...ids]));
    const count = document.getElementById("cart-count");
    if (count) count.textContent = String(ids.size);
    button?.setAttribute("aria-label", `Cart: ${ids.size}`);
  }
  function clear(): void {
    ids.clear();
    changed();
  }
  button?.addEventListener("click", () =>
    openCart({
      items: [...ids].map(itemOf).filter((item) => item !== undefined),
      remove(id, atMs) {
        ids.delete(id);
        changed();
        act("remove_from_cart", { item_id: id }, atMs);
      },
      buy(atMs) {
        for (const id of ids) act("purchase", { item_id: id, value: itemOf(id)?.price ?? 0 }, atMs);
        clear();
        toast("Thank you", "Bought things leave the shelf.");
      },
    }),
  );
  changed();
  return {
    ids,
    add(id) {
      ids.add(id);
      changed();
    },
    clear,
  };
}

/** What he put into his cart since he bought something; the page speaks of it. */
export function leftInCart(profile: Profile | undefined): string[] {
  const recent = profile?.recent ?? []; // newest first
  const bought = recent.findIndex(({ event_type }) => event_type === "purchase");
  return recent
    .slice(0, bought < 0 ? recent.length : bought)
    .filter(({ event_type }) => event_type === "add_to_cart")
    .map(({ item_id }) => item_id);
}
