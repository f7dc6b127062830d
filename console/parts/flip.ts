// Rows that change places glide there ("first, last, invert, play"), so that the eye can follow an item.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";

const MOVE_MS = 280;

/** Put the ref on the list and `data-flip` on its rows; runs whenever `order` changes. Honours reduced motion. */
export function useFlip<List extends HTMLElement>(order: string): RefObject<List | null> {
  const list = useRef<List>(null);
  const tops = useRef(new Map<string, number>());
  useLayoutEffect(() => {
    const rows = list.current === null ? [] : [...list.current.querySelectorAll<HTMLElement>("[data-flip]")];
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const before = tops.current;
    tops.current = new Map(rows.map((row) => [row.dataset["flip"]!, row.offsetTop]));
    if (still || before.size === 0) return;
    for (const row of rows) {
      const from = before.get(row.dataset["flip"]!);
      const frames = from === undefined ? [{ opacity: 0 }, { opacity: 1 }] : [{ transform: `translateY(${from - row.offsetTop}px)` }, { transform: "none" }];
      if (from !== row.offsetTop) row.animate(frames, { duration: MOVE_MS, easing: "cubic-bezier(0.2, 0, 0, 1)" });
    }
  }, [order]);
  return list;
}
