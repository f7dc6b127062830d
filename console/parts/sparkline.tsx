// A number's recent course in a table row: no axes, its text says first and last.
interface SparklineProps {
  /** Oldest first; NaN where nothing was measured. */
  readonly values: readonly number[];
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}

export function Sparkline({ values, label, width = 120, height = 24 }: SparklineProps) {
  const known = values.filter(Number.isFinite);
  if (known.length < 2) return <span class="faint small">collecting …</span>;
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const at = (value: number, index: number): string => {
    const x = (index / (known.length - 1)) * width;
    const y = span === 0 ? height / 2 : height - 2 - ((value - low) / span) * (height - 4);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const line = known.map((value, index) => `${index === 0 ? "M" : "L"}${at(value, index)}`).join("");
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path class="area" d={`${line}L${width} ${height}L0 ${height}Z`} />
      <path d={line} />
    </svg>
  );
}
