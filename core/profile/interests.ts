// Interests of one dimension (categories, or tags): a forward-decayed weight a name. All names share one landmark, so an
// event computes its scale once.
import { inserted, insertedNumber } from "./lists.ts";

/** Names kept in a dimension; the weakest leaves for a new one. Beyond it, order of arrival can matter. */
export const INTERESTS_MAX = 48;
/** Categories or tags of one event that count. */
const INTERESTS_PER_EVENT_MAX = 16;

/** In order of arrival, which encoding keeps: sums over it must come out the same after a restart. */
export interface Interests {
  names: readonly string[];
  /** One a name. */
  scaled: number[];
}

// Stand for both lists while there is no name; never written to.
const NO_NAMES: readonly string[] = [];
const NO_WEIGHTS: number[] = [];

export function emptyInterests(): Interests {
  return { names: NO_NAMES, scaled: NO_WEIGHTS };
}

export function addInterests(interests: Interests, names: readonly string[], scaled: number): void {
  const count = Math.min(names.length, INTERESTS_PER_EVENT_MAX);
  for (let i = 0; i < count; i++) addInterest(interests, names[i]!, scaled);
}

export function mergeInterests(into: Interests, from: Interests, factor: number): void {
  for (let i = 0; i < from.names.length; i++) addInterest(into, from.names[i]!, from.scaled[i]! * factor);
}

/** Multiplies every weight. */
export function scaleInterests(interests: Interests, factor: number): void {
  for (let i = 0; i < interests.scaled.length; i++) interests.scaled[i]! *= factor;
}

/** The scaled weight of a name; 0 where there is none. */
export function weightOf({ names, scaled }: Interests, name: string): number {
  const at = names.indexOf(name);
  return at < 0 ? 0 : scaled[at]!;
}

/** Sum of the positive weights. */
export function positiveTotal({ scaled }: Interests): number {
  let total = 0;
  for (let i = 0; i < scaled.length; i++) if (scaled[i]! > 0) total += scaled[i]!;
  return total;
}

/** Share of the positive total, 0-1; the same at every instant, since all weights decay alike. */
export function shareOf(interests: Interests, name: string): number {
  const own = weightOf(interests, name);
  return own <= 0 ? 0 : own / positiveTotal(interests);
}

/** Names of positive weight with their shares, strongest first, equal ones by name. */
export function sharesOf(interests: Interests): [name: string, share: number][] {
  const total = positiveTotal(interests);
  const out: [string, number][] = [];
  interests.scaled.forEach((scaled, i) => {
    if (scaled > 0) out.push([interests.names[i]!, scaled / total]);
  });
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
    for (let i = 0; i < interests.names.length; i++) {
      const name = interests.names[i]!;
      const scaled = interests.scaled[i]!;
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
  const known = interests.names.indexOf(name);
  if (known >= 0) {
    interests.scaled[known]! += scaled;
    return;
  }
  const { names } = interests;
  if (names.length < INTERESTS_MAX) {
    interests.names = inserted(names, names.length, name);
    interests.scaled = insertedNumber(interests.scaled, names.length, scaled);
    return;
  }
  const gone = weakestOf(interests);
  interests.names = [...names.toSpliced(gone, 1), name];
  interests.scaled = [...interests.scaled.toSpliced(gone, 1), scaled];
}

function weakestOf({ names, scaled }: Interests): number {
  let weakest = -1;
  let least = Infinity;
  for (let i = 0; i < names.length; i++) {
    const strength = Math.abs(scaled[i]!);
    if (strength > least || (strength === least && names[i]! < names[weakest]!)) continue;
    weakest = i;
    least = strength;
  }
  return weakest;
}
