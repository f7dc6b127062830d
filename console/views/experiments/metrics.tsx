// Every metric of an experiment, each variant against control.
import type { Experiment, ExperimentVariant, MetricResult } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { formatLift } from "../../parts/format.ts";
import { Table } from "../../parts/table.tsx";
import { Difference, Unseen, valueOf } from "./figures.tsx";
import { verdictOf } from "./so-far.ts";

export function Metrics({ experiment }: { experiment: Experiment }) {
  const { metrics, variants } = experiment;
  const rows = metrics.flatMap((metric) =>
    variants
      .filter(({ control }) => !control)
      .map((variant) => ({ metric, variant, result: variant.metrics[metric.name]! })),
  );
  const control = variants.find((variant) => variant.control);
  return (
    <Card title="All metrics" note="of a person, against control" flush>
      <Table
        label="Metrics"
        rows={rows}
        keyOf={({ metric, variant }) => `${metric.name} ${variant.name}`}
        columns={[
          {
            head: "Metric",
            cell: ({ metric, variant }) => (
              <div class="row wrap metric">
                <code>{metric.name}</code> <span class="soft breaks">{variant.name}</span>
              </div>
            ),
          },
          {
            head: "Control",
            width: "80px",
            align: "right",
            cell: ({ metric }) => <Mean kind={metric.kind} name={metric.name} of={control} />,
          },
          {
            head: "Variant",
            width: "80px",
            align: "right",
            cell: ({ metric, variant }) => <Mean kind={metric.kind} name={metric.name} of={variant} />,
          },
          {
            head: "Lift",
            width: "40%",
            narrowWidth: "112px",
            align: "right",
            cell: ({ metric, result }) => <MetricLift experiment={experiment} name={metric.name} result={result} />,
          },
        ]}
      />
    </Card>
  );
}

function Mean({ kind, name, of }: { kind: string; name: string; of: ExperimentVariant | undefined }) {
  return of === undefined || of.users === 0 ? <Unseen /> : <>{valueOf(kind, of.metrics[name]!.mean)}</>;
}

function MetricLift({ experiment, name, result }: { experiment: Experiment; name: string; result: MetricResult }) {
  const { lift, lift_interval: interval } = result;
  if (lift === null || interval === null) return <Difference experiment={experiment} name={name} of={result} />;
  return (
    <span class="verdict lift" data-tone={verdictOf(experiment, { interval }, name)}>
      {formatLift(lift)}
      <span class="faint small">
        ({formatLift(interval.low)} to {formatLift(interval.high)})
      </span>
    </span>
  );
}
