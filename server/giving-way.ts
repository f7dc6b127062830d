// Long work beside serving: a loop that gives way to requests.
import { setImmediate } from "node:timers/promises";

const SLICE_MS = 4;

/** Resolves at once, or after requests had a turn where the last one is longer ago than a few milliseconds. */
export function givingWay(): () => Promise<void> | undefined {
  let startMs = performance.now();
  return () => {
    if (performance.now() - startMs < SLICE_MS) return undefined;
    return setImmediate().then(() => {
      startMs = performance.now();
    });
  };
}
