// From candidates in order to a list: pins have their places, caps and diversity choose the rest, one place explores.
import type { CapRule } from "../program/compiled.ts";
import type { FullCap, Origin } from "./query.ts";
import { capCounter } from "./caps.ts";
import { diversify, type RankCandidate } from "./diversity.ts";

export interface Candidate extends RankCandidate {
  readonly origin?: Origin;
}

export interface Arrangement {
  readonly limit: number;
  readonly diversity: number;
  readonly caps: readonly CapRule[];
  /** In order of position. */
  readonly pinned: readonly { readonly at: number; readonly candidate: Candidate }[];
  /** What fills a list whose candidates are too few, best first; may repeat what is in the list. */
  readonly fillers: () => Iterable<Candidate>;
  /** What comes behind everything else, however mixed the list is to be. */
  readonly last: () => Iterable<Candidate>;
  /** A new item worth a place near the end of `count` items; undefined for none. */
  readonly explore: (
    count: number,
    isListed: (slot: number) => boolean,
  ) => { candidate: Candidate; fromEnd: number } | undefined;
  readonly onCapped?: ((slot: number, cap: FullCap) => void) | undefined;
}

const POOL_FACTOR = 3; // Candidates that diversity chooses from, per item of the list.

/** `ranked` is in order of score, best first. */
export function arrange(ranked: readonly Candidate[], how: Arrangement): Candidate[] {
  const { diversity, pinned } = how;
  const limit = Math.max(0, how.limit - pinned.length);
  const isPinned = (slot: number): boolean => pinned.some(({ candidate }) => candidate.slot === slot);
  const free = pinned.length === 0 ? ranked : ranked.filter(({ slot }) => !isPinned(slot));
  const caps = how.caps.length === 0 ? undefined : capCounter(how.caps);
  for (const { candidate } of pinned) caps?.add(candidate.item);

  // Caps may want something from further down.
  const pool = free.slice(0, caps !== undefined ? free.length : diversity > 0 ? limit * POOL_FACTOR : limit);
  if (pool.length < limit) fill(pool, limit, how, isPinned);
  const chosen = diversify(pool, {
    limit,
    diversity,
    depth: Math.min(pool.length, Math.max(1, limit * POOL_FACTOR)),
    caps,
    onCapped: ({ slot }, cap) => how.onCapped?.(slot, cap),
  });
  const known = new Set<number>(chosen.length < limit ? pool.map(({ slot }) => slot) : []);
  const append = (others: Iterable<Candidate>): void => {
    for (const other of others) {
      if (chosen.length >= limit) break;
      if (known.has(other.slot) || isPinned(other.slot)) continue;
      known.add(other.slot);
      const full = caps?.fullFor(other.item);
      if (full !== undefined) {
        how.onCapped?.(other.slot, full);
        continue;
      }
      caps?.add(other.item);
      chosen.push(other);
    }
  };
  // Without caps the pool has all of them that there is room for.
  if (caps !== undefined && chosen.length < limit) append(how.fillers());
  if (chosen.length < limit) append(how.last());
  const isListed = (slot: number): boolean => isPinned(slot) || chosen.some((candidate) => candidate.slot === slot);
  const found = how.explore(chosen.length, isListed);
  if (found !== undefined && caps?.fullFor(found.candidate.item) === undefined) {
    const place = chosen.length - 1 - found.fromEnd;
    chosen.splice(place, 0, { ...found.candidate, score: chosen[place]!.score });
    chosen.length = Math.min(chosen.length, limit);
  }
  for (const { at, candidate } of pinned) chosen.splice(Math.min(at - 1, chosen.length), 0, candidate);
  return chosen;
}

function fill(
  pool: Candidate[],
  limit: number,
  { fillers }: Arrangement,
  isPinned: (slot: number) => boolean,
): void {
  const inPool = new Set(pool.map(({ slot }) => slot));
  for (const filler of fillers()) {
    if (pool.length >= limit) break;
    if (inPool.has(filler.slot) || isPinned(filler.slot)) continue;
    inPool.add(filler.slot);
    pool.push(filler);
  }
}
