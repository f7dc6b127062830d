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

export interface Sampler {
  /** Pure: changes nothing, so a caller may ask twice. */
  picks(eventId: string, timeMs: number, samples: number): boolean;
  /** A sampled step was learnt. */
  count(timeMs: number): void;
  configure(learning: LearningConfig): void;
  readonly state: SamplerState;
}

export interface SamplerState {
  /** Event time (ms) at which as many samples may come at once again as ever (the generic cell rate algorithm, ITU-T I.371). */
  restedAtMs: number;
}

export function createSampler(learning: LearningConfig): Sampler {
  const state: SamplerState = { restedAtMs: 0 };
  let { share, maxPerSecond } = learning;
  const eachMs = (): number => (2 * 1_000) / maxPerSecond;
  return {
    state,
    picks(eventId, timeMs, samples) {
      const left = FULL_SHARE_SAMPLES / (FULL_SHARE_SAMPLES + samples);
      const thinned = Math.max(Math.min(share, SHARE_MIN), share * left * left);
      if (hash32(eventId, SEED) >= thinned * 4_294_967_296) return false;
      if (maxPerSecond === 0) return false;
      return state.restedAtMs <= timeMs || state.restedAtMs + eachMs() - timeMs <= AT_ONCE_MS;
    },
    count(timeMs) {
      state.restedAtMs = Math.max(state.restedAtMs, timeMs) + eachMs();
    },
    configure(next) {
      ({ share, maxPerSecond } = next);
    },
  };
}
