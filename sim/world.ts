// The simulated world: a clock that moves only when everything has been done, and a queue of what happens next. One seed
// decides all of it.
import { rngFrom, type Rng } from "../core/math/rng.ts";

interface Happening {
  atMs: number;
  /** Order among those at one moment. */
  order: number;
  /** The process that it belongs to; nothing happens to one that has died. */
  life: number;
  run: () => void;
  cancelled: boolean;
}

export interface Timer {
  unref(): Timer;
  ref(): Timer;
  cancel(): void;
}

/** Turns of the real event loop are needed for promise chains only; so many happenings without an end are a fault. */
const HAPPENINGS_MAX = 2_000_000;
/** What the wall's clocks show when a world begins. */
export const WALL_START_MS = 1_800_000_000_000;
const realSetImmediate = globalThis.setImmediate;

export class World {
  readonly rng: Rng;
  /** Time since the world began: never jumps. */
  nowMs = 0;
  /** What clocks on the wall show beyond that; jumps. */
  wallOffsetMs = WALL_START_MS;
  /** Number of the process that lives. 0 is the world outside of it, which never dies. */
  life = 1;
  happenings = 0;
  /** Told of what the process did not catch, which ends a real one. */
  onUncaught: (error: unknown) => void = (error) => {
    throw error;
  };
  #order = 0;
  #heap: Happening[] = [];

  constructor(seed: number) {
    this.rng = rngFrom(seed);
  }

  get wallMs(): number {
    return Math.floor(this.nowMs) + this.wallOffsetMs;
  }

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.rng.between(1, n) === 1;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.rng.between(0, items.length - 1)]!;
  }

  after(delayMs: number, run: () => void, life = this.life): Timer {
    const happening: Happening = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order++,
      life,
      run,
      cancelled: false,
    };
    push(this.#heap, happening);
    const timer: Timer = { unref: () => timer, ref: () => timer, cancel: () => (happening.cancelled = true) };
    return timer;
  }

  every(periodMs: number, run: () => void): Timer {
    let next: Timer;
    const again = (): void => {
      next = this.after(periodMs, again);
      run();
    };
    next = this.after(periodMs, again);
    const timer: Timer = { unref: () => timer, ref: () => timer, cancel: () => next.cancel() };
    return timer;
  }

  /** Resolves after simulated time, for the world outside of the process. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve, 0));
  }

  /** The process dies: nothing that it waited for will ever come. */
  killProcess(): void {
    this.life++;
  }

  /** Time passes while the process is not run, as on a laptop that sleeps: each of its timers is late. */
  suspend(ms: number): void {
    this.nowMs += ms;
  }

  /** Lets the world run until the promise is settled. @throws Error where nothing is left that could settle it. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    await turn();
    while (!settled) {
      if (!this.#step()) throw new Error("everything waits for something that never comes");
      await turn();
    }
    return promise;
  }

  #step(): boolean {
    let next: Happening | undefined;
    do next = pop(this.#heap);
    while (next !== undefined && (next.cancelled || (next.life !== 0 && next.life !== this.life)));
    if (next === undefined) return false;
    if (++this.happenings > HAPPENINGS_MAX) throw new Error("the world does not come to an end");
    if (next.atMs > this.nowMs) this.nowMs = next.atMs;
    try {
      next.run();
    } catch (error) {
      if (next.life === 0) throw error;
      this.onUncaught(error);
    }
    return true;
  }
}

/** Lets every promise chain that can go on do so. */
function turn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

function before(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Happening[], happening: Happening): void {
  heap.push(happening);
  for (let at = heap.length - 1; at > 0;) {
    const parent = (at - 1) >> 1;
    if (!before(heap[at]!, heap[parent]!)) break;
    [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
    at = parent;
  }
}

function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || heap.length === 0) return first;
  heap[0] = last!;
  for (let at = 0; ;) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
    if (least === at) return first;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}

/** The world that the simulated modules speak to. */
export const current: { world: World; disk: import("./disk.ts").Disk } = {} as never;
