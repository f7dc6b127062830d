// The variants beside each other: what each brings by the metric that decides, with its interval and its lift.
import type { Experiment, ExperimentVariant } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { formatCount, formatLift, formatNumber, formatShare, formatShares } from "../../parts/format.ts";
import { Table } from "../../parts/table.tsx";
import { scaleOf, Whisker } from "../../parts/whisker.tsx";
import { Difference, kindOf, RATES, Unseen, valueOf } from "./figures.tsx";
import { harmOf } from "./guards.tsx";
import { verdictOf } from "./so-far.ts";
import { States } from "./states.tsx";

/** Persons whom a rate counts. */
const HITS: Readonly<Record<string, string>> = { conversion: "Conversions", bounce: "Bounced", retention: "Came back" };

export function Variants({ experiment }: { experiment: Experiment }) {
  const { variants, primary } = experiment;
  const kind = kindOf(experiment, primary);
  const shown = (value: number): string => valueOf(kind, value);
  const means = scaleOf(
    variants.map((variant) => variant.metrics[primary]!.interval),
    0,
  );
  const lifts = scaleOf(
    variants.map(({ interval }) => interval),
    0,
  );
  return (
    <Card title="Variants" note={`by ${primary}`} end={<States experiment={experiment} />} flush>
      <Table
        label="Variants"
        rows={variants}
        keyOf={({ name }) => name}
        columns={[
          { head: "Variant", cell: (variant) => <VariantName variant={variant} /> },
          { head: "Persons", width: "80px", align: "right", cell: ({ users }) => formatCount(users) },
          {
            head: HITS[kind] ?? "Total",
            width: "104px",
            align: "right",
            wideOnly: true,
            cell: (variant) => (variant.users === 0 ? <Unseen /> : formatNumber(variant.metrics[primary]!.total)),
          },
          {
            head: RATES.has(kind) ? "Rate" : "A person",
            width: "72px",
            align: "right",
            cell: (variant) =>
              variant.users === 0 ? <Unseen /> : <strong>{shown(variant.metrics[primary]!.mean)}</strong>,
          },
          {
            head: "With its interval",
            width: "22%",
            wideOnly: true,
            cell: (variant) => <Reach variant={variant} experiment={experiment} scale={means} />,
          },
          {
            head: "Lift",
            width: "22%",
            narrowWidth: "104px",
            cell: (variant) => <Lift experiment={experiment} variant={variant} scale={lifts} />,
          },
        ]}
      />
    </Card>
  );
}

interface CellProps {
  readonly experiment: Experiment;
  readonly variant: ExperimentVariant;
  readonly scale: { low: number; high: number };
}

function Reach({ experiment, variant, scale }: CellProps) {
  const { primary } = experiment;
  const { mean, interval } = variant.metrics[primary]!;
  if (variant.users === 0) return <span class="faint">nobody yet</span>;
  if (interval === null)
    return (
      <span class="faint" title="It takes 30 persons who are not all alike, and twenty who bring much of it.">
        too early
      </span>
    );
  const kind = kindOf(experiment, primary);
  const shown = (value: number): string => valueOf(kind, value);
  const reach = RATES.has(kind) ? formatShares(interval) : `${shown(interval.low)} to ${shown(interval.high)}`;
  return (
    <div class="lift">
      <Whisker value={mean} {...interval} scale={scale} label={`${variant.name}: ${shown(mean)}, ${reach}`} />
      <span class="faint small num">{reach}</span>
    </div>
  );
}

function VariantName({ variant }: { variant: ExperimentVariant }) {
  const { name, control, share, stopped } = variant;
  return (
    <div class="row wrap">
      <strong class="breaks">{name}</strong>
      {control ? <Chip>control</Chip> : null}
      {stopped === null ? <span class="faint wide-inline">{formatShare(share)} of the people</span> : null}
      {stopped === null ? null : (
        <Chip tone="warn" title={harmOf(stopped)}>
          stopped
        </Chip>
      )}
    </div>
  );
}

function Lift({ experiment, variant, scale }: CellProps) {
  const { name, control, interval, lift } = variant;
  if (control) return <span class="faint">–</span>;
  const { primary } = experiment;
  if (interval === null) return <Difference experiment={experiment} name={primary} of={variant.metrics[primary]!} />;
  const words = `${formatLift(interval.low)} to ${formatLift(interval.high)}`;
  const tone = verdictOf(experiment, variant);
  return (
    <div class="lift">
      <Whisker value={lift} {...interval} scale={scale} mark={0} tone={tone} label={`Lift of ${name}: ${words}`} />
      <span class="small verdict" data-tone={tone}>
        {formatLift(lift ?? 0)} <span class="faint">({words})</span>
      </span>
    </div>
  );
}
