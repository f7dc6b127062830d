// How a person's interests came to be what they are. The profile tells each category's share and the engagement score
// (the decayed sum of event weights); the last interactions and the program's weights tell what moved them. Worked
// backwards, that gives each category's strength at any moment since the oldest of those interactions. Dwelling,
// scrolling and hovering weigh too and are not listed: where no interaction is missing from the list, they are counted
// with those of their category that are, since they follow a look.

export interface Interaction {
  readonly timeMs: number;
  readonly categories: readonly string[];
  /** What the program says an interaction of this type is worth. */
  readonly weight: number;
}

export interface HistoryInput {
  /** Shares of the positive interest, 0-1. */
  readonly shares: Readonly<Record<string, number>>;
  readonly engagement: number;
  readonly interactions: readonly Interaction[];
  readonly halfLifeMs: number;
  readonly nowMs: number;
  /** Before this moment interactions are missing from the list, so nothing is said about it; -Infinity where none is. */
  readonly knownSinceMs: number;
  /** Before this moment the person was not there, so nothing was strong. */
  readonly firstSeenMs: number;
}

/** A category's strength at `timeMs`; at `nowMs` it is exactly its share of the engagement score. */
export function strengthAt(input: HistoryInput, name: string, timeMs: number): number {
  const { interactions, halfLifeMs, nowMs, knownSinceMs, firstSeenMs } = input;
  const now = (input.shares[name] ?? 0) * Math.max(0, input.engagement);
  const own = interactions.filter((one) => one.weight > 0 && one.categories.includes(name));
  const decayed = (fromMs: number, toMs: number): number => 2 ** (-(toMs - fromMs) / halfLifeMs);
  const explained = own.reduce((sum, one) => sum + one.weight * decayed(one.timeMs, nowMs), 0);
  // The interactions listed may explain more than there is (a dismissal took some away) or less (others are not listed).
  const isAll = explained > now || knownSinceMs === -Infinity;
  const scale = isAll && explained > 0 ? now / explained : 1;
  const unlisted = timeMs < firstSeenMs ? 0 : Math.max(0, now - scale * explained) / decayed(timeMs, nowMs);
  return own.reduce(
    (sum, one) => (one.timeMs <= timeMs ? sum + scale * one.weight * decayed(one.timeMs, timeMs) : sum),
    unlisted,
  );
}

/**
 * Times worth plotting within a span that ends now, as far back as interactions are known: an even grid, and the moment
 * before and of each interaction.
 */
export function plotTimes(input: HistoryInput, options: { spanMs: number; steps: number }): number[] {
  const start = Math.max(input.nowMs - options.spanMs, input.knownSinceMs);
  const spanMs = input.nowMs - start;
  const times = new Set<number>();
  for (let step = 0; step <= options.steps; step++) times.add(Math.round(start + (spanMs * step) / options.steps));
  for (const timeMs of [input.firstSeenMs, ...input.interactions.map((one) => one.timeMs)]) {
    if (timeMs <= start || timeMs > input.nowMs) continue;
    times.add(timeMs - 1);
    times.add(timeMs);
  }
  return [...times].sort((a, b) => a - b);
}
