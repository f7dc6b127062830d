// Two rankings as one list: each picks in turn, a coin says who begins each round, and what is clicked counts for the
// one that picked it (Radlinski, Kurup, Joachims: "How does clickthrough data reflect retrieval quality?", CIKM 2008).
import { hash32 } from "../math/hash.ts";
import { rngFrom } from "../math/rng.ts";

export interface Draft<T> {
  readonly items: T[];
  /** `a` or `b` for each item. */
  readonly teams: string;
}

export interface DraftRules<T> {
  readonly idOf: (item: T) => string;
  readonly limit: number;
  readonly seed: string;
  /** What a ranking has at a fixed position; where both have, the position is for one of the two. */
  readonly isPinned?: (item: T) => boolean;
  /** Whether a ranking's own rules leave room for the item, given what was taken. */
  readonly fits?: (item: T, team: Team) => boolean;
  /** Told of each item that will be in the list: the pins that both share at first, the others as they are taken. */
  readonly take?: (item: T) => void;
}

export type Team = "a" | "b";

/** A list of at most `limit` items, each once; the same for the same seed. O(limit · length). */
export function draftTeams<T>({ a, b }: { a: readonly T[]; b: readonly T[] }, rules: DraftRules<T>): Draft<T> {
  const { idOf, limit, seed, isPinned = () => false, fits = () => true, take } = rules;
  const rng = rngFrom(hash32(seed));
  const rankings = { a, b };
  const isFixed = (at: number): boolean => at < a.length && at < b.length && isPinned(a[at]!) && isPinned(b[at]!);
  /** Where an item waits for its position, from 0. */
  const waiting = new Map<string, number>();
  const told = new Set<string>();
  for (let at = 0; at < Math.min(limit, a.length, b.length); at++) {
    if (!isFixed(at)) continue;
    for (const item of [a[at]!, b[at]!]) waiting.set(idOf(item), at);
    if (idOf(a[at]!) !== idOf(b[at]!)) continue;
    told.add(idOf(a[at]!));
    take?.(a[at]!);
  }
  const taken = new Set<string>();
  const items: T[] = [];
  let teams = "";
  const isFree = (item: T): boolean => !taken.has(idOf(item));
  const bestOf = (team: Team): T | undefined => {
    const at = items.length;
    if (isFixed(at)) {
      const pinned = [rankings[team][at]!, rankings[team === "a" ? "b" : "a"][at]!].find(isFree);
      if (pinned !== undefined) return pinned;
    }
    let late: T | undefined;
    for (const item of rankings[team]) {
      if (!isFree(item)) continue;
      const waits = (waiting.get(idOf(item)) ?? -1) > at;
      if (waits) late ??= item;
      else if (fits(item, team)) return item;
    }
    return late; // The list ends before its position.
  };
  const pick = (team: Team): boolean => {
    const item = items.length < limit ? bestOf(team) : undefined;
    if (item === undefined) return false;
    taken.add(idOf(item));
    if (!told.has(idOf(item))) take?.(item);
    items.push(item);
    teams += team;
    return true;
  };
  while (items.length < limit) {
    const isAFirst = rng.between(0, 1) === 0;
    const first = pick(isAFirst ? "a" : "b");
    const second = pick(isAFirst ? "b" : "a");
    if (!first && !second) break;
  }
  return { items, teams };
}
