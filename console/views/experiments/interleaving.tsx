// Two rankings in one list: which of them is clicked more.
import type { Experiment } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { formatCount, formatCounted, formatShare } from "../../parts/format.ts";
import { Whisker } from "../../parts/whisker.tsx";
import { betterRanking } from "./better-ranking.ts";
import { listsOf } from "./so-far.ts";

export function Interleaving({
  experiment,
  interleaving,
}: {
  experiment: Experiment;
  interleaving: NonNullable<Experiment["interleaving"]>;
}) {
  const { wins, ties, share, interval } = interleaving;
  const second = experiment.variants[1]!.name;
  const reach = `${formatShare(interval.low)} to ${formatShare(interval.high)}`;
  const better = betterRanking(experiment.variants, interleaving);
  return (
    <Card
      title="Which ranking is clicked more"
      note={`${formatCounted(listsOf(interleaving), "list")}, ${formatCount(ties)} without a winner`}
    >
      <ul class="values">
        {Object.entries(wins).map(([name, count]) => (
          <li key={name} class="row between">
            <strong>{name}</strong> <span>{formatCounted(count, "list")}</span>
          </li>
        ))}
      </ul>
      {share === null ? (
        <p class="soft">No list has a winner yet: a click on an item counts for the ranking that put it there.</p>
      ) : (
        <>
          <Whisker
            value={share}
            {...interval}
            scale={{ low: 0, high: 1 }}
            mark={0.5}
            label={`Share of lists that ${second} wins: ${reach}`}
          />
          <p class="soft">
            {`${second} wins ${formatShare(share)} of them, ${reach}. `}
            {better === null ? "Nothing is settled while this holds 50 %." : `That settles it for ${better}.`}
          </p>
        </>
      )}
    </Card>
  );
}
