// Every experiment of the program: how far it is and what it says so far.
import type { Experiment } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatCount, formatCounted, formatLift } from "../parts/format.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";
import { beganMs, leaderOf, listsOf } from "./experiments/so-far.ts";
import { States } from "./experiments/states.tsx";

const EVERY_MS = 5000;

export function ExperimentsView() {
  const { api, links } = useConsole();
  const experiments = useRead(`experiments ${api.project}`, () => api.experiments(), EVERY_MS);
  return (
    <>
      <ViewHead
        title="Experiments"
        about="Who sees what, and what it changes. Every interval holds whenever you look."
        end={
          <a class="btn" href={links.program(["experiments"])}>
            Edit in the program
          </a>
        }
      />
      <Card title="Running" note={experiments.data ? formatCounted(experiments.data.length, "experiment") : undefined} flush>
        {experiments.data === undefined ? (
          experiments.error === undefined ? (
            <Loading rows={4} />
          ) : (
            <Failed what="The experiments" error={experiments.error} onRetry={experiments.reload} />
          )
        ) : experiments.data.length === 0 ? (
          <Empty
            icon="experiments"
            title="The program runs no experiment"
            action={
              <a class="btn primary" href={links.view(["program"])}>
                Open the program
              </a>
            }
          >
            Add one under <code>experiments</code>: its variants, what each changes, and a metric such as{" "}
            <code>{'{"kind": "conversion", "event": "purchase"}'}</code>.
          </Empty>
        ) : (
          <Table
            label="Experiments"
            rows={experiments.data}
            keyOf={({ name }) => name}
            columns={[
              {
                head: "Experiment",
                cell: (experiment) => (
                  <div class="row wrap">
                    <a class="breaks" href={links.experiment(experiment.name)}>
                      {experiment.name}
                    </a>{" "}
                    <States experiment={experiment} />
                  </div>
                ),
              },
              { head: "Decided by", width: "144px", wideOnly: true, cell: ({ primary }) => <code>{primary}</code> },
              {
                head: "Since",
                width: "112px",
                wideOnly: true,
                cell: (experiment) => <RelativeTime at={beganMs(experiment)} />,
              },
              { head: "Persons", width: "88px", align: "right", cell: (experiment) => <Size experiment={experiment} /> },
              {
                head: "Lift so far",
                width: "192px",
                narrowWidth: "120px",
                align: "right",
                cell: (experiment) => <BestLift experiment={experiment} />,
              },
            ]}
          />
        )}
      </Card>
    </>
  );
}

function Size({ experiment: { interleaving, users } }: { experiment: Experiment }) {
  if (interleaving === null) return <>{formatCount(users)}</>;
  return <span class="soft nowrap">{formatCounted(listsOf(interleaving), "list")}</span>;
}

function BestLift({ experiment }: { experiment: Experiment }) {
  const { interleaving } = experiment;
  if (interleaving !== null) {
    const wins = Object.entries(interleaving.wins);
    return <span class="soft">{wins.map(([name, count]) => `${name} ${formatCount(count)}`).join(" : ")}</span>;
  }
  const leader = leaderOf(experiment);
  if (leader === undefined) return <span class="faint">too early</span>;
  const { variant: best, verdict: tone } = leader;
  const { low, high } = best.interval!;
  const lift = formatLift(best.lift ?? 0);
  return (
    <span data-tone={tone} class="verdict best" title={`${best.name} against ${experiment.control}`}>
      {tone === undefined ? lift : <strong>{lift}</strong>}{" "}
      <span class="faint">
        {formatLift(low)} to {formatLift(high)}
      </span>
    </span>
  );
}
