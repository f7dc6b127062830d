// A simulated browser for the pure parts: a clock that tests move, a store that tabs share.
import type { Clock, KeyValueStore } from "../host.ts";

export interface SimulatedClock extends Clock {
  /** Runs everything that falls due within `ms`, in order, and lets promises settle after each. */
  advance(ms: number): Promise<void>;
  /** Somebody sets the time of day forth, or back; nothing falls due by that. */
  set(ms: number): void;
  /** A clock whose timers die with it, as a tab's do. */
  tab(): Clock & { kill(): void; isAlive(): boolean };
}

export function simulatedClock(startMs: number): SimulatedClock {
  let nowMs = startMs;
  let setMs = 0;
  let order = 0;
  const timers = new Map<number, { dueMs: number; task: () => void }>();

  function after(ms: number, task: () => void): () => void {
    const id = order++;
    timers.set(id, { dueMs: nowMs + Math.max(0, ms), task });
    return () => timers.delete(id);
  }

  async function advance(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    await settle();
    for (;;) {
      const [next] = [...timers]
        .filter(([, timer]) => timer.dueMs <= endMs)
        .sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b);
      if (!next) break;
      const [id, { dueMs, task }] = next;
      timers.delete(id);
      nowMs = Math.max(nowMs, dueMs);
      task();
      await settle();
    }
    nowMs = endMs;
  }

  return {
    nowMs: () => nowMs + setMs,
    steadyMs: () => nowMs,
    set: (ms) => void (setMs += ms),
    after,
    advance,
    tab() {
      let alive = true;
      return {
        nowMs: () => nowMs + setMs,
        steadyMs: () => nowMs,
        after: (ms, task) => after(ms, () => alive && task()),
        kill: () => void (alive = false),
        isAlive: () => alive,
      };
    },
  };
}

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** localStorage of one origin. */
export function simulatedStore(): KeyValueStore & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    keys: () => [...entries.keys()],
    get: (key) => entries.get(key) ?? null,
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
  };
}
