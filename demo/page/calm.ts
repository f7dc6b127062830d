// When the shelf may be laid out anew: at once after an act of the visitor, else when nobody points at it or scrolls.

/** After an act the page may change for this long; else it waits until the visitor rests. */
const ACTED_MS = 1_500;
const REST_MS = 1_500;
const LOOK_EACH_MS = 500;

export interface Calm {
  /** The visitor just did something that he expects an answer to. */
  acted(): void;
  /** True once the visitor did anything. */
  readonly hasActed: boolean;
  /** Runs `change` now or when it is calm; a newer change takes its place. */
  when(change: () => void): void;
  /** Runs `change` at once: what waited is older, and not run any more. */
  now(change: () => void): void;
}

export function createCalm(shelf: HTMLElement): Calm {
  let actedMs = -Infinity;
  let pointerMs = -Infinity;
  let pending: (() => void) | undefined;

  const restless = (): number => (pointerMs = performance.now());
  for (const type of ["pointermove", "pointerdown", "wheel", "touchmove"]) {
    shelf.addEventListener(type, restless, { passive: true });
  }
  document.addEventListener("scroll", restless, { passive: true });

  function applyIfCalm(): void {
    const nowMs = performance.now();
    const isResting = !shelf.matches(":hover") && nowMs - pointerMs > REST_MS;
    if (!pending || !(isResting || nowMs - actedMs < ACTED_MS || shelf.childElementCount === 0)) return;
    const change = pending;
    pending = undefined;
    change();
  }
  setInterval(applyIfCalm, LOOK_EACH_MS);

  return {
    acted() {
      actedMs = performance.now();
    },
    get hasActed() {
      return actedMs > 0;
    },
    when(change) {
      pending = change;
      applyIfCalm();
    },
    now(change) {
      pending = undefined;
      change();
    },
  };
}
