// The scale on which one model's weights decay. Changing the half-life keeps what was learnt: stored epochs count from
// `base`, and a new half-life moves the base so that today is the same epoch on both scales.
import { setInstant, type DecayInstant } from "./decay.ts";

export interface DecayClock {
  readonly halfLifeMs: number;
  /** Epoch of the half-life's own scale that counts as 0; part of the snapshot. */
  base: number;
  /** The instant of `timeMs`; the object is used again by the next call. */
  at(timeMs: number): DecayInstant;
  setHalfLife(halfLifeMs: number, nowMs: number): void;
}

export function createDecayClock(halfLifeMs: number): DecayClock {
  const instant: DecayInstant = { epoch: 0, fraction: 1 };
  let lastMs = -1;
  const clock = {
    halfLifeMs,
    base: 0,
    at(timeMs: number): DecayInstant {
      if (timeMs === lastMs) return instant;
      setInstant(instant, timeMs, clock.halfLifeMs);
      instant.epoch -= clock.base;
      lastMs = timeMs;
      return instant;
    },
    setHalfLife(next: number, nowMs: number): void {
      if (next === clock.halfLifeMs) return;
      const today = Math.floor(nowMs / clock.halfLifeMs) - clock.base;
      clock.halfLifeMs = next;
      clock.base = Math.floor(nowMs / next) - today;
      lastMs = -1;
    },
  };
  return clock;
}
