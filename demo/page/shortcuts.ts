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

export interface Shortcuts {
  /** A second one waits for nothing and is ignored while one runs. Resolves when it is over, or was stopped. */
  run(shortcut: Shortcut): Promise<void>;
  /** Somebody else is there now: what is left of it is not done in his name. */
  stop(): void;
}

export function createShortcuts({ items, act, running }: ShortcutActs): Shortcuts {
  let current: object | undefined;

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

  function stop(): void {
    if (current === undefined) return;
    current = undefined;
    running(undefined);
  }

  return {
    async run(shortcut) {
      if (current !== undefined) return;
      const used = (current = new Map<string, CatalogueItem>());
      for (const [index, step] of shortcut.steps.entries()) {
        running(shortcut, index + 1);
        perform(step, used);
        await new Promise((resolve) => setTimeout(resolve, STEP_MS));
        if (current !== used) return;
      }
      stop();
    },
    stop,
  };
}
