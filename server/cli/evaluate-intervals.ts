// How far a figure of `evaluate` may be off: whole sessions are drawn again with replacement (Efron's bootstrap), since
// the steps of one session are not independent. Seeded: the same file gives the same intervals.
import { rngFrom } from "../../core/math/rng.ts";

const SEED = 20;
const TAIL = 0.025; // 95 %.
/** Of fewer, draws say little of how far off a figure may be; of one, nothing. */
export const SESSIONS_MIN = 20;
/** P(at most k) of a Poisson variable with mean 1, in millionths: how often a session is drawn. */
const POISSON = [367_879, 735_759, 919_699, 981_012, 996_340, 999_406, 999_917];
const MILLION = 1_000_000;

export type Interval = [low: number, high: number];

export interface Intervals {
  hr20: Record<string, Interval>;
  mrr20: Record<string, Interval>;
  /** The blend's lead over the model that is best alone, as a share of it; null where in some draw that model hits nothing. */
  lead: { over: string; hr20: Interval | null; mrr20: Interval | null };
  /** By how much each falls short of the blend, in the same draws. */
  behind: Record<string, { hr20: Interval; mrr20: Interval }>;
}

export interface IntervalBooks {
  /** The current step's place in one model's list; -1 for a miss. */
  note(model: string, place: number): void;
  /** The step belongs to this session, and is done. */
  close(session: string, event: number): void;
  /** Undefined where fewer than `SESSIONS_MIN` sessions were noted. */
  intervals(draws: number, fromEvent: number): Intervals | undefined;
}

interface Step {
  session: number;
  event: number;
}

export function createIntervalBooks(): IntervalBooks {
  const numbers = new Map<string, number>();
  const steps: Step[] = [];
  /** By model: for each step 1 / place, or 0. */
  const gains = new Map<string, number[]>();

  return {
    note(model, place) {
      let list = gains.get(model);
      if (list === undefined) gains.set(model, (list = []));
      list[steps.length] = place < 0 ? 0 : 1 / (place + 1);
    },
    close(session, event) {
      let number = numbers.get(session);
      if (number === undefined) numbers.set(session, (number = numbers.size));
      steps.push({ session: number, event });
    },
    intervals(draws, fromEvent) {
      const names = [...gains.keys()];
      const width = 1 + 2 * names.length;
      const sums = new Float64Array(numbers.size * width); // Per session: steps, then hits and gains of each model.
      steps.forEach(({ session, event }, i) => {
        if (event < fromEvent) return;
        sums[session * width]!++;
        names.forEach((name, m) => {
          const gain = gains.get(name)![i] ?? 0;
          if (gain === 0) return;
          sums[session * width + 1 + 2 * m]!++;
          sums[session * width + 2 + 2 * m]! += gain;
        });
      });
      const plain = total(sums, width, () => 1);
      let sessions = 0;
      for (let at = 0; at < sums.length; at += width) if (sums[at]! > 0) sessions++;
      if (sessions < SESSIONS_MIN || names.length < 2) return undefined;
      const blend = names.indexOf("blend");
      const best = names.reduce((top, _, m) => (m !== blend && (top === blend || plain[1 + 2 * m]! > plain[1 + 2 * top]!) ? m : top), blend);
      const rng = rngFrom(SEED);
      const drawn = Array.from({ length: draws }, () => total(sums, width, () => timesDrawn(rng.between(1, MILLION))));
      const interval = (valueOf: (sum: Float64Array) => number): Interval => {
        const values = drawn.map(valueOf).sort((a, b) => a - b);
        const at = (share: number): number => Math.round(values[Math.floor((values.length - 1) * share)]! * 1e5) / 1e5;
        return [at(TAIL), at(1 - TAIL)];
      };
      const rows = (offset: number): Record<string, Interval> =>
        Object.fromEntries(names.map((name, m) => [name, interval((sum) => sum[offset + 2 * m]! / sum[0]!)]));
      const lead = (offset: number): Interval | null =>
        drawn.some((sum) => !(sum[offset + 2 * best]! > 0)) ? null : interval((sum) => sum[offset + 2 * blend]! / sum[offset + 2 * best]! - 1);
      const behind = Object.fromEntries(
        names.map((name, m) => {
          const gap = (offset: number): Interval =>
            interval((sum) => (sum[offset + 2 * m]! - sum[offset + 2 * blend]!) / sum[0]!);
          return [name, { hr20: gap(1), mrr20: gap(2) }];
        }),
      );
      return { hr20: rows(1), mrr20: rows(2), behind, lead: { over: names[best]!, hr20: lead(1), mrr20: lead(2) } };
    },
  };
}

function timesDrawn(lot: number): number {
  const times = POISSON.findIndex((most) => lot <= most);
  return times < 0 ? POISSON.length : times;
}

function total(sums: Float64Array, width: number, times: () => number): Float64Array {
  const all = new Float64Array(width);
  for (let from = 0; from < sums.length; from += width) {
    const n = times();
    if (n === 0) continue;
    for (let j = 0; j < width; j++) all[j] = all[j]! + n * sums[from + j]!;
  }
  return all;
}
