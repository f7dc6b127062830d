// What each variant would bring if everybody saw it.
import type { Experiment } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { scaleOf, Whisker } from "../../parts/whisker.tsx";
import { kindOf, valueOf } from "./figures.tsx";

/** Off-policy: the same question as the table above, asked of the log of assignments. */
export function Everybody({ experiment }: { experiment: Experiment }) {
  const { variants, primary } = experiment;
  const kind = kindOf(experiment, primary);
  const shown = (value: number): string => valueOf(kind, value);
  const scale = scaleOf(
    variants.map((variant) => variant.off_policy.doubly_robust),
    0,
  );
  return (
    <Card title="If everybody saw it" note={`${primary}, doubly robust`}>
      <ul class="values">
        {variants.map(({ name, off_policy: estimate }) => (
          <li key={name}>
            <span class="row between">
              <span class="breaks">{name}</span>
              <strong>{estimate.doubly_robust === null ? "–" : shown(estimate.doubly_robust.value)}</strong>
            </span>
            {estimate.doubly_robust === null ? (
              <span class="faint small">{estimate.refused?.reason}</span>
            ) : (
              <Whisker
                {...estimate.doubly_robust}
                scale={scale}
                label={`${name}: ${shown(estimate.doubly_robust.low)} to ${shown(estimate.doubly_robust.high)}`}
              />
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
