// The shelf: cards keep their identity while their order changes, and nothing moves under the finger.
import { reducedMotion } from "./dom.ts";

export interface Shelved {
  readonly id: string;
}

export interface Card<Entry extends Shelved> {
  readonly element: HTMLElement;
  /** `climbed` is how many places it went up by; 0 for down, unmoved or first. */
  update(entry: Entry, climbed: number): void;
}

export interface Grid<Entry extends Shelved> {
  /**
   * Shows `entries` in their order. `pointed`: a card under the pointer or with the focus stays where it is, even if it
   * is no longer among them. `nothing`: another list, in which nobody climbs. Returns how many moved or are new.
   */
  show(entries: readonly Entry[], hold: "pointed" | "nothing"): number;
  /** Runs `change` (another layout) out of sight: cards of another size would jump, so the shelf fades out and in. */
  relay(change: () => void): void;
  readonly ids: readonly string[];
  card(id: string): HTMLElement | undefined;
}

const MOVE_MS = 520;
const FADE_MS = 160;
const EASE = "cubic-bezier(.22,.9,.24,1)";

export function createGrid<Entry extends Shelved>(
  root: HTMLElement,
  makeCard: (entry: Entry) => Card<Entry>,
): Grid<Entry> {
  const cards = new Map<string, Card<Entry>>();
  let order: string[] = [];

  const rects = (): Map<string, DOMRect> =>
    new Map(order.map((id) => [id, cards.get(id)!.element.getBoundingClientRect()]));

  /** Cards that must not move now: under the pointer, with the focus, or open, so that the focus can come back. */
  const isHeld = (element: HTMLElement): boolean =>
    !element.classList.contains("dismissed") &&
    (element.matches(":hover, .is-open") || element.contains(document.activeElement));

  function arrange(): void {
    // The focused card is never taken out of the document: it would lose the focus.
    const anchor = order.findIndex((id) => cards.get(id)!.element.contains(document.activeElement));
    if (anchor < 0) return root.append(...order.map((id) => cards.get(id)!.element));
    const fixed = cards.get(order[anchor]!)!.element;
    fixed.before(...order.slice(0, anchor).map((id) => cards.get(id)!.element));
    fixed.after(...order.slice(anchor + 1).map((id) => cards.get(id)!.element));
  }

  function focusCard(place: number): void {
    const card = cards.get(order[place] ?? "")?.element;
    card?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
  }

  function animateFrom(before: ReadonlyMap<string, DOMRect>): void {
    if (reducedMotion()) return;
    for (const id of order) {
      const { element } = cards.get(id)!;
      const from = before.get(id);
      if (!from) {
        if (before.size > 0)
          element.animate(
            [
              { opacity: 0, transform: "scale(.92)" },
              { opacity: 1, transform: "none" },
            ],
            { duration: MOVE_MS, easing: EASE },
          );
        continue;
      }
      const to = element.getBoundingClientRect();
      const x = from.left - to.left;
      const y = from.top - to.top;
      if (Math.abs(x) < 1 && Math.abs(y) < 1) continue;
      element.animate(
        [
          { transform: `translate(${x}px,${y}px)`, zIndex: y > 0 ? 2 : 1 },
          { transform: "none", zIndex: y > 0 ? 2 : 1 },
        ],
        { duration: MOVE_MS, easing: EASE },
      );
    }
  }

  return {
    show(entries, hold) {
      const before = rects();
      const held = order
        .map((id, index) => ({ id, index }))
        .filter(({ id }) => hold === "pointed" && isHeld(cards.get(id)!.element));
      const heldIds = new Set(held.map(({ id }) => id));
      const next = entries
        .map((entry) => entry.id)
        .filter((id) => !heldIds.has(id))
        .slice(
          0,
          Math.max(0, entries.length - held.filter(({ id }) => !entries.some((entry) => entry.id === id)).length),
        );
      for (const { id, index } of held) next.splice(Math.min(index, next.length), 0, id);

      const places = new Map(order.map((id, index) => [id, index]));
      const leaving = order.findIndex(
        (id) => !next.includes(id) && cards.get(id)!.element.contains(document.activeElement),
      );
      for (const id of order) {
        if (next.includes(id)) continue;
        cards.get(id)!.element.remove();
        cards.delete(id);
      }
      const byEntry = new Map(entries.map((entry) => [entry.id, entry]));
      let moved = 0;
      next.forEach((id, index) => {
        const entry = byEntry.get(id);
        const place = places.get(id);
        if (place !== index) moved++;
        let card = cards.get(id);
        if (!card) cards.set(id, (card = makeCard(entry!)));
        if (entry) card.update(entry, place === undefined || hold === "nothing" ? 0 : Math.max(0, place - index));
      });
      order = next;
      if (moved > 0 || before.size !== order.length) arrange();
      // Whoever was at a card that left goes on at the one in its place, not at the page's head.
      if (leaving >= 0) focusCard(Math.min(leaving, order.length - 1));
      animateFrom(before);
      return before.size === 0 ? 0 : moved;
    },
    relay(change) {
      const fade = (from: number, to: number): Promise<unknown> =>
        reducedMotion()
          ? Promise.resolve()
          : root.animate([{ opacity: from }, { opacity: to }], { duration: FADE_MS, fill: "none" }).finished;
      void fade(1, 0).then(() => {
        // What is hidden for a frame has no place to jump from.
        root.style.visibility = "hidden";
        requestAnimationFrame(() => {
          change();
          requestAnimationFrame(() => {
            root.style.visibility = "";
            void fade(0, 1);
          });
        });
      });
    },
    get ids() {
      return order;
    },
    card: (id) => cards.get(id)?.element,
  };
}
