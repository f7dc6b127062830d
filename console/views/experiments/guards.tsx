// The metrics that stop a variant which does harm, and whom they have stopped.
import type { Experiment, ExperimentVariant } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { formatLift, formatShare, timeOf } from "../../parts/format.ts";
import { RelativeTime } from "../../parts/relative-time.tsx";

export function Guards({ experiment }: { experiment: Experiment }) {
  const { guards, variants } = experiment;
  const stopped = variants.filter((variant) => variant.stopped !== null);
  return (
    <Card
      title="Guards"
      end={
        <Chip tone={stopped.length === 0 ? "good" : "warn"}>
          {stopped.length === 0 ? "nothing stopped" : `${stopped.length} stopped`}
        </Chip>
      }
    >
      {guards.length === 0 ? (
        <p class="soft">No metric guards this experiment: a variant that does harm goes on until somebody ends it.</p>
      ) : (
        <ul class="guards">
          {guards.map(({ metric, worse_by }) => (
            <li key={metric}>
              <code>{metric}</code> <span class="soft">may be worse by {formatShare(worse_by)} at most</span>
            </li>
          ))}
        </ul>
      )}
      {stopped.map(({ name, stopped: stop }) => (
        <p key={name} class="soft">
          <strong>{name}</strong> was stopped <RelativeTime at={timeOf(stop!.at)} />: {harmOf(stop!)}. Its people see
          control.
        </p>
      ))}
    </Card>
  );
}

/** What a stopped variant did, in words. */
export function harmOf({ metric, interval }: NonNullable<ExperimentVariant["stopped"]>): string {
  if (interval === null) return `${metric} surely worse, while control's is too near zero for a lift`;
  return `${metric} ${formatLift(interval.low)} to ${formatLift(interval.high)}`;
}
