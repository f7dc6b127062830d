// Interests of one dimension (categories, or tags): a forward-decayed weight a name. All names share one landmark, so an
// event computes its scale once.
import { landmarkShift } from "../math/decay.ts";

/** Names kept in a dimension; the weakest leaves for a new one. Beyond it, order of arrival can matter. */
export const INTERESTS_MAX = 48;
/** Categories or tags of one event that count. */
const INTERESTS_PER_EVENT_MAX = 16;

export interface Interest {
  scaled: number;
}

/** In order of arrival, which encoding keeps: sums over it must come out the same after a restart. */
export type Interests = Map<string, Interest>;

export function emptyInterests(): Interests {
  return new Map();
}

export function addInterests(interests: Interests, names: readonly string[], scaled: number): void {
  const count = Math.min(names.length, INTERESTS_PER_EVENT_MAX);
  for (let i = 0; i < count; i++) addInterest(interests, names[i]!, scaled);
}

export function mergeInterests(into: Interests, from: Interests, factor: number): void {
  for (const [name, interest] of from) addInterest(into, name, interest.scaled * factor);
}

export function shiftInterests(interests: Interests, from: number, to: number): void {
  const factor = landmarkShift(from, to);
  for (const interest of interests.values()) interest.scaled *= factor;
}

/** Sum of the positive weights. */
export function positiveTotal(interests: Interests): number {
  let total = 0;
  for (const { scaled } of interests.values()) if (scaled > 0) total += scaled;
  return total;
}

/** Share of the positive total, 0-1; the same at every instant, since all weights decay alike. */
export function shareOf(interests: Interests, name: string): number {
  const own = interests.get(name);
  return own === undefined || own.scaled <= 0 ? 0 : own.scaled / positiveTotal(interests);
}

/** Names of positive weight with their shares, strongest first, equal ones by name. */
export function sharesOf(interests: Interests): [name: string, share: number][] {
  const total = positiveTotal(interests);
  const out: [string, number][] = [];
  for (const [name, { scaled }] of interests) if (scaled > 0) out.push([name, scaled / total]);
  return out.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/**
 * The `max` strongest of several dimensions with their shares of their own; equal ones in the order of the dimensions, then
 * by name.
 */
export function strongestOf(dimensions: readonly Interests[], max: number): [name: string, share: number][] {
  const found: { name: string; share: number; dimension: number }[] = [];
  dimensions.forEach((interests, dimension) => {
    const total = positiveTotal(interests);
    for (const [name, { scaled }] of interests) {
      if (scaled <= 0) continue;
      const share = scaled / total;
      if (found.length === max && share < found[max - 1]!.share) continue;
      let at = found.length;
      for (; at > 0; at--) {
        const other = found[at - 1]!;
        if (other.share > share || (other.share === share && (other.dimension < dimension || other.name < name))) break;
      }
      found.splice(at, 0, { name, share, dimension });
      if (found.length > max) found.pop();
    }
  });
  return found.map(({ name, share }) => [name, share]);
}

function addInterest(interests: Interests, name: string, scaled: number): void {
  const known = interests.get(name);
  if (known !== undefined) {
    known.scaled += scaled;
    return;
  }
  if (interests.size >= INTERESTS_MAX) dropWeakest(interests);
  interests.set(name, { scaled });
}

function dropWeakest(interests: Interests): void {
  let weakest = "";
  let least = Infinity;
  for (const [name, { scaled }] of interests) {
    const strength = Math.abs(scaled);
    if (strength < least || (strength === least && name > weakest)) {
      weakest = name;
      least = strength;
    }
  }
  interests.delete(weakest);
}
