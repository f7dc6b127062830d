// How long things took: cheap histograms, the last minute's percentiles and ten minutes of history, all in memory.

/** Eight buckets an octave (9 % apart) from 1 µs to 134 s. */
const BUCKETS_PER_OCTAVE = 8;
const BUCKETS = 27 * BUCKETS_PER_OCTAVE;

export class Histogram {
  readonly counts = new Uint32Array(BUCKETS);
  count = 0;
  sumMs = 0;
  maxMs = 0;

  record(ms: number): void {
    const bucket = (Math.log2(ms * 1_000) * BUCKETS_PER_OCTAVE) | 0;
    this.counts[bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket]!++;
    this.count++;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** The upper edge of the bucket that holds the quantile, at most 9 % above the true value; null when empty. */
  quantileMs(quantile: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.ceil(this.count * quantile);
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i]!;
      if (seen >= rank) return round(Math.min(upperMs(i), this.maxMs));
    }
    return round(this.maxMs);
  }

  add(other: Histogram): void {
    for (let i = 0; i < BUCKETS; i++) this.counts[i]! += other.counts[i]!;
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /** How many took at most `ms` (to the bucket's edge). */
  countUpTo(ms: number): number {
    let seen = 0;
    for (let i = 0; i < BUCKETS && upperMs(i) <= ms; i++) seen += this.counts[i]!;
    return seen;
  }
}

function upperMs(bucket: number): number {
  return 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE) / 1_000;
}

export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** The span of one step of the history, and of how many steps percentiles "now" are taken. */
export const STEP_MS = 5_000;
const STEPS_NOW = 12;

/** One measured thing: all time for `/metrics`, the last minute for the console. */
export class Timing {
  readonly total = new Histogram();
  #current = new Histogram();
  #recent: Histogram[] = [];

  record(ms: number): void {
    this.#current.record(ms);
  }

  /** Closes the step and returns it; to be called each STEP_MS. */
  step(): Histogram {
    const done = this.#current;
    this.#current = new Histogram();
    this.total.add(done);
    this.#recent.push(done);
    if (this.#recent.length > STEPS_NOW) this.#recent.shift();
    return done;
  }

  /** The last minute, the open step included. */
  lastMinute(): Histogram {
    const sum = new Histogram();
    for (const step of this.#recent) sum.add(step);
    sum.add(this.#current);
    return sum;
  }

  allTime(): Histogram {
    const sum = new Histogram();
    sum.add(this.total);
    sum.add(this.#current);
    return sum;
  }
}

/** Timings by name; the names are routes and stages of our own, so their number is bounded. */
export class Timings {
  readonly byName = new Map<string, Timing>();

  of(name: string): Timing {
    let timing = this.byName.get(name);
    if (timing === undefined) this.byName.set(name, (timing = new Timing()));
    return timing;
  }
}
