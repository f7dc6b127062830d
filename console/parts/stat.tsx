// One number that matters, its unit and a word of context.
import type { ComponentChildren } from "preact";

interface StatProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly note?: ComponentChildren;
  readonly tone?: "warn" | "bad";
}

export function Stat({ name, value, unit, note, tone }: StatProps) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        {value}
        {unit ? <span class="unit">{unit}</span> : null}
      </dd>
      {note ? (
        <dd class="note" data-tone={tone}>
          {note}
        </dd>
      ) : null}
    </div>
  );
}
