// Rows that change places glide there ("first, last, invert, play"), so that the eye can follow an item.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";

const MOVE_MS = 280;

/** Put the ref on the list and `data-flip` on its rows; runs whenever `order` changes. Honours reduced motion. */
export function useFlip<List extends HTMLElement>(order: string): RefObject<List | null> {
  const list = useRef<List>(null);
  const places = useRef(new Map<string, { x: number; y: number }>());
  useLayoutEffect(() => {
    const rows = list.current === null ? [] : [...list.current.querySelectorAll<HTMLElement>("[data-flip]")];
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const before = places.current;
    places.current = new Map(rows.map((row) => [row.dataset["flip"]!, { x: row.offsetLeft, y: row.offsetTop }]));
    if (still || before.size === 0) return;
    for (const row of rows) {
      const from = before.get(row.dataset["flip"]!);
      const { offsetLeft: x, offsetTop: y } = row;
      const frames =
        from === undefined
          ? [{ opacity: 0 }, { opacity: 1 }]
          : [{ transform: `translate(${from.x - x}px, ${from.y - y}px)` }, { transform: "none" }];
      if (from?.x !== x || from.y !== y)
        row.animate(frames, { duration: MOVE_MS, easing: "cubic-bezier(0.2, 0, 0, 1)" });
    }
  }, [order]);
  return list;
}
