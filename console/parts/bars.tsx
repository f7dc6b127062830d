// Numbers as lengths, side by side; each bar keeps its row while it grows or shrinks.
import { formatNumber } from "./format.ts";

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text?: string;
  /** Colour key of the plot beside it. */
  readonly series?: number;
}

export function Bars({ bars }: { bars: readonly Bar[] }) {
  const limit = bars.reduce((most, bar) => Math.max(most, Math.abs(bar.value)), 0);
  return (
    <ul class="bars">
      {bars.map((bar) => (
        <li key={bar.name} class="bar">
          <span class="row bar-name" title={bar.name}>
            {bar.series === undefined ? null : <span class="key" data-series={bar.series} />}
            <span class="cut">{bar.name}</span>
          </span>
          <span class="track" aria-hidden="true">
            <span
              class={bar.value < 0 ? "fill negative" : "fill"}
              style={{ display: "block", width: `${limit > 0 ? (Math.abs(bar.value) / limit) * 100 : 0}%` }}
            />
          </span>
          <span class="value">{bar.text ?? formatNumber(bar.value)}</span>
        </li>
      ))}
    </ul>
  );
}
