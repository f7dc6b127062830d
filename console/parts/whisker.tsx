// A value with its interval on a common scale: a dot, a line to either side, and where nothing would lie.
interface WhiskerProps {
  readonly value: number | null;
  readonly low: number;
  readonly high: number;
  /** What the whole width shows. */
  readonly scale: { readonly low: number; readonly high: number };
  /** A mark across all rows: 0 for a lift. */
  readonly mark?: number;
  readonly tone?: "good" | "bad" | undefined;
  readonly label: string;
}

export function Whisker({ value, low, high, scale, mark, tone, label }: WhiskerProps) {
  const span = scale.high - scale.low || 1;
  const at = (number: number): number => Math.min(100, Math.max(0, ((number - scale.low) / span) * 100));
  return (
    <span class="whisker" data-tone={tone} role="img" aria-label={label}>
      {mark === undefined ? null : <span class="mark" style={{ left: `${at(mark)}%` }} />}
      <span class="reach" style={{ left: `${at(low)}%`, width: `${at(high) - at(low)}%` }} />
      {value === null ? null : <span class="dot" style={{ left: `${at(value)}%` }} />}
    </span>
  );
}

/** A scale that holds all intervals and the mark, a little wider than they are. */
export function scaleOf(
  intervals: readonly ({ low: number; high: number } | null)[],
  mark?: number,
): { low: number; high: number } {
  const ends = intervals.flatMap((one) => (one === null ? [] : [one.low, one.high]));
  if (mark !== undefined) ends.push(mark);
  if (ends.length === 0) return { low: 0, high: 1 };
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const air = (high - low || Math.abs(high) || 1) * 0.06;
  return { low: low - air, high: high + air };
}
