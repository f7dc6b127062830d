// A number's recent course in a table row: no axes, its text says first and last.
import { sparkPath } from "./spark-path.ts";

interface SparklineProps {
  /** Oldest first, from 0 up; NaN where nothing was measured. */
  readonly values: readonly number[];
  readonly label: string;
}

const WIDTH = 120;
const HEIGHT = 24;

export function Sparkline({ values, label }: SparklineProps) {
  const known = values.filter(Number.isFinite);
  if (known.length < 2) return <span class="faint small">collecting …</span>;
  const line = sparkPath(known, { width: WIDTH, height: HEIGHT });
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="area" d={`${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
      <path d={line} />
    </svg>
  );
}
