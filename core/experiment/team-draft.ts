// Two rankings as one list: each picks in turn, a coin says who begins each round, and what is clicked counts for the
// one that picked it (Radlinski, Kurup, Joachims: "How does clickthrough data reflect retrieval quality?", CIKM 2008).
import { hash32 } from "../math/hash.ts";
import { rngFrom } from "../math/rng.ts";

export interface Draft<T> {
  readonly items: T[];
  /** `a` or `b` for each item. */
  readonly teams: string;
}

/** A list of at most `limit` items, each once; the same for the same seed. */
export function draftTeams<T>(
  { a, b }: { a: readonly T[]; b: readonly T[] },
  options: { idOf: (item: T) => string; limit: number; seed: string },
): Draft<T> {
  const { idOf, limit, seed } = options;
  const rng = rngFrom(hash32(seed));
  const taken = new Set<string>();
  const items: T[] = [];
  let teams = "";
  const next = { a: 0, b: 0 };
  const pick = (team: "a" | "b", list: readonly T[]): boolean => {
    while (next[team] < list.length && taken.has(idOf(list[next[team]]!))) next[team]++;
    const item = list[next[team]];
    if (item === undefined || items.length >= limit) return false;
    taken.add(idOf(item));
    items.push(item);
    teams += team;
    return true;
  };
  while (items.length < limit) {
    const isAFirst = rng.between(0, 1) === 0;
    const first = isAFirst ? pick("a", a) : pick("b", b);
    const second = isAFirst ? pick("b", b) : pick("a", a);
    if (!first && !second) break;
  }
  return { items, teams };
}
