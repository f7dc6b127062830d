// Which steps the blend learns from: a share of them, picked by a hash of the event's id, fewer as samples accumulate.
//
// Ranking before reveal costs fifty times a plain update. Chances that have been counted on tens of thousands of steps
// move little with one more, so the share falls as (C / (C + n))²: n samples take of the order of n³ events.
import { hash32 } from "../math/hash.ts";
import type { LearningConfig } from "./config.ts";

const FULL_SHARE_SAMPLES = 10_000; // C above. Measured: docs/decisions/models.md.
const SHARE_MIN = 0.005; // The blend goes on following the site however old it is.
const SEED = 0x5a3b1e;

export interface Sampler {
  /** Pure: changes nothing, so a caller may ask twice. */
  picks(eventId: string, timeMs: number, samples: number): boolean;
  /** A sampled step was learnt. */
  count(timeMs: number): void;
  configure(learning: LearningConfig): void;
  readonly state: SamplerState;
}

export interface SamplerState {
  /** The second of event time that is being counted, and the samples in it. */
  second: number;
  inSecond: number;
}

export function createSampler(learning: LearningConfig): Sampler {
  const state: SamplerState = { second: -1, inSecond: 0 };
  let { share, maxPerSecond } = learning;
  return {
    state,
    picks(eventId, timeMs, samples) {
      const left = FULL_SHARE_SAMPLES / (FULL_SHARE_SAMPLES + samples);
      const thinned = Math.max(Math.min(share, SHARE_MIN), share * left * left);
      if (hash32(eventId, SEED) >= thinned * 4_294_967_296) return false;
      return Math.floor(timeMs / 1000) !== state.second || state.inSecond < maxPerSecond;
    },
    count(timeMs) {
      const second = Math.floor(timeMs / 1000);
      if (second !== state.second) {
        state.second = second;
        state.inSecond = 0;
      }
      state.inSecond++;
    },
    configure(next) {
      ({ share, maxPerSecond } = next);
    },
  };
}
