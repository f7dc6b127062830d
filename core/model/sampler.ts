// Which steps the blend learns from: a share of them, picked by a hash of the event's id, fewer as samples accumulate.
//
// Ranking before reveal costs fifty times a plain update. Chances that have been counted on tens of thousands of steps
// move little with one more, so the share falls as (C / (C + n))²: n samples take of the order of n³ events.
import { hash32 } from "../math/hash.ts";
import type { LearningConfig } from "./config.ts";

const FULL_SHARE_SAMPLES = 10_000; // C above. Measured: docs/decisions/models.md.
const SHARE_MIN = 0.005; // The blend goes on following the site however old it is.
const SEED = 0x5a3b1e;
/**
 * Half of a second's samples may come at once, the others as time goes by: no second has more than its bound, and a busy
 * site's samples do not stand in a row at its beginning, a list's time each.
 */
const AT_ONCE_MS = 1_000;
/**
 * Steps in a row that do not move the clock on (`paceMsOf`). More than a request holds: whoever comes so often at one time, or
 * at earlier ones, is a file whose times are days, or in no order. Its seconds say nothing about how fast events come, and
 * would leave the ranker without samples (docs/decisions/models.md).
 */
const STILL_STEPS = 1_000;

export interface Sampler {
  /** Pure: changes nothing, so a caller may ask twice. */
  picks(eventId: string, paceMs: number, samples: number): boolean;
  /** A step came, sampled or not. */
  pass(paceMs: number): void;
  /** A sampled step was learnt. */
  count(paceMs: number): void;
  configure(learning: LearningConfig): void;
  readonly state: SamplerState;
}

export interface SamplerState {
  /** Time (ms) at which as many samples may come at once again as ever (the generic cell rate algorithm, ITU-T I.371). */
  restedAtMs: number;
  /** The latest time so far: an event that comes late is one of now. */
  clockMs: number;
  /** Steps since the clock moved, at most as many as are counted. */
  stillSteps: number;
}

export function createSampler(learning: LearningConfig): Sampler {
  const state: SamplerState = { restedAtMs: 0, clockMs: 0, stillSteps: 0 };
  let { share, maxPerSecond } = learning;
  const eachMs = (): number => (2 * 1_000) / maxPerSecond;
  const standsStill = (paceMs: number): boolean => state.stillSteps >= STILL_STEPS && paceMs <= state.clockMs;
  const nowAt = (paceMs: number): number => Math.max(paceMs, state.clockMs);
  return {
    state,
    picks(eventId, paceMs, samples) {
      const left = FULL_SHARE_SAMPLES / (FULL_SHARE_SAMPLES + samples);
      const thinned = Math.max(Math.min(share, SHARE_MIN), share * left * left);
      if (hash32(eventId, SEED) >= thinned * 4_294_967_296) return false;
      if (maxPerSecond === 0) return false;
      if (standsStill(paceMs)) return true;
      const nowMs = nowAt(paceMs);
      return state.restedAtMs <= nowMs || state.restedAtMs + eachMs() - nowMs <= AT_ONCE_MS;
    },
    pass(paceMs) {
      if (paceMs > state.clockMs) {
        state.clockMs = paceMs;
        state.stillSteps = 0;
      } else if (state.stillSteps < STILL_STEPS) {
        state.stillSteps++;
      }
    },
    count(paceMs) {
      // What is not bounded is not charged: when the clock goes on, samples do too.
      if (!standsStill(paceMs)) state.restedAtMs = Math.max(state.restedAtMs, nowAt(paceMs)) + eachMs();
    },
    configure(next) {
      ({ share, maxPerSecond } = next);
    },
  };
}
