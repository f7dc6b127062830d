// Seeded chance for the demo's catalogue, pictures and visitors: the same seed gives the same shop on every machine.

export interface Chance {
  /** Uniform in [0, 1). */
  share(): number;
  /** Integer in [low, high]. */
  between(low: number, high: number): number;
  /** True in `probability` of the cases. */
  happens(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Index by weight; weights need not sum to 1. */
  weighted(weights: readonly number[]): number;
}

/** mulberry32, seeded by a number or by the hash (FNV-1a) of a string. */
export function chanceFrom(seed: number | string): Chance {
  let state = typeof seed === "number" ? seed >>> 0 : hashOf(seed);
  const share = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  return {
    share,
    between: (low, high) => low + Math.floor(share() * (high - low + 1)),
    happens: (probability) => share() < probability,
    pick: (from) => from[Math.floor(share() * from.length)]!,
    weighted(weights) {
      let left = share() * weights.reduce((sum, weight) => sum + weight, 0);
      for (let index = 0; index < weights.length; index++) {
        left -= weights[index]!;
        if (left < 0) return index;
      }
      return weights.length - 1;
    },
  };
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
