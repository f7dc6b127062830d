// "Become a …": a short sequence of real events, one after the other, as a visitor of that kind would cause them.
import type { CatalogueItem, EventFields } from "../../sdk/index.ts";
import type { Shortcut, Step } from "./site.ts";

const STEP_MS = 420;

export interface ShortcutActs {
  /** What is on the shelf first, then the rest of the catalogue. */
  items(): Iterable<CatalogueItem>;
  act(eventType: string, itemId: string | undefined, fields: EventFields): void;
  /** Step by step; undefined when it is over. */
  running(shortcut: Shortcut | undefined, step?: number): void;
}

/** Returns how to run a shortcut; a second one waits for nothing and is ignored while one runs. */
export function createShortcuts({ items, act, running }: ShortcutActs): (shortcut: Shortcut) => Promise<void> {
  let isRunning = false;

  function perform(step: Step, used: Map<string, CatalogueItem>): void {
    if (step.event === "search") return act("search", undefined, { additional_data: { query: step.query ?? "" } });
    // A purchase is of what was put into the cart, a dwell of what was opened.
    const again = step.event === "purchase" || step.event === "dwell";
    const choice = again ? [...used.values()].reverse() : [...items()].filter((item) => !used.has(item.item_id));
    const pick = choice.find((item) => step.of?.(item) ?? true);
    if (!pick) return;
    used.set(pick.item_id, pick);
    const value = step.event === "add_to_cart" || step.event === "purchase" ? pick.price : step.value;
    act(step.event, pick.item_id, value === undefined ? {} : { value });
  }

  return async (shortcut) => {
    if (isRunning) return;
    isRunning = true;
    const used = new Map<string, CatalogueItem>();
    for (const [index, step] of shortcut.steps.entries()) {
      running(shortcut, index + 1);
      perform(step, used);
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    running(undefined);
    isRunning = false;
  };
}
