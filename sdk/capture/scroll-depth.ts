// How far down the page the visitor came.

const STEPS = [0.25, 0.5, 0.75, 1];

export interface ScrollDepth {
  /** The step (0.25, 0.5, 0.75, 1) that this depth reached for the first time. */
  scrolled(depth: number): number | undefined;
}

export function createScrollDepth(): ScrollDepth {
  let reported = 0;
  return {
    scrolled(depth) {
      // Fractions of a pixel keep a page from ever reaching 1.
      const step = STEPS.findLast((each) => depth >= each - 0.005) ?? 0;
      if (step <= reported) return undefined;
      reported = step;
      return step;
    },
  };
}
