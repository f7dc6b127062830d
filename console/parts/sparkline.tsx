// A number's recent course in a table row: no axes, its text says first and last.
import { sparkPath } from "./spark-path.ts";

interface SparklineProps {
  /** Oldest first, from 0 up; NaN where nothing was measured. */
  readonly values: readonly number[];
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}

export function Sparkline({ values, label, width = 120, height = 24 }: SparklineProps) {
  const known = values.filter(Number.isFinite);
  if (known.length < 2) return <span class="faint small">collecting …</span>;
  const line = sparkPath(known, { width, height });
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path class="area" d={`${line}L${width} ${height}L0 ${height}Z`} />
      <path d={line} />
    </svg>
  );
}
