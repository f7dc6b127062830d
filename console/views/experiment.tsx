// One experiment: what each variant brings, how sure that is, and whether the numbers can be trusted.
import { useState } from "preact/hooks";
import type { Experiment, ExperimentVariant, MetricResult } from "../api/types.ts";
import { ApiProblem } from "../api/client.ts";
import { nodeNowMs } from "../api/node-clock.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { Confirm } from "../parts/confirm.tsx";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatExact,
  formatLift,
  formatNumber,
  formatShare,
  formatShares,
  timeOf,
} from "../parts/format.ts";
import { Plot, type PlotSeries } from "../parts/plot.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Stat } from "../parts/stat.tsx";
import { adviceOn, Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { scaleOf, Whisker } from "../parts/whisker.tsx";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { betterRanking } from "./experiments/better-ranking.ts";
import { withNow } from "./experiments/lift-history.ts";
import { leaderOf, verdictOf } from "./experiments/so-far.ts";
import { beganMs, listsOf, States } from "./experiments.tsx";
import { documentText } from "./program.tsx";

const EVERY_MS = 3000;
/** Wider intervals of the lift are not drawn: four times control's mean. */
const SPAN_MAX = 4;
const RATES: ReadonlySet<string> = new Set(["conversion", "bounce", "retention"]);
/** Persons whom a rate counts. */
const HITS: Readonly<Record<string, string>> = { conversion: "Conversions", bounce: "Bounced", retention: "Came back" };
const TOO_EARLY = "Each variant needs 30 persons, and a rate ten who did and ten who did not.";

export function ExperimentView({ name }: { name: string }) {
  const { api, links } = useConsole();
  const reading = useRead(`experiment ${api.project} ${name}`, () => api.experiment(name), EVERY_MS);
  const experiment = reading.data;
  const isGone = reading.error instanceof ApiProblem && reading.error.status === 404;
  return (
    <>
      <ViewHead
        title={name}
        about={experiment === undefined ? "Experiment" : aboutOf(experiment)}
        end={
          <>
            {experiment === undefined ? null : (
              <>
                <End name={name} />
                <a class="btn" href={links.program(["experiments", name])}>
                  Edit in the program
                </a>
              </>
            )}
            <a class="btn" href={links.view(["experiments"])}>
              All experiments
            </a>
          </>
        }
      />
      {experiment !== undefined ? (
        <Whole experiment={experiment} />
      ) : (
        <div class="card">
          {reading.error === undefined ? (
            <Loading rows={6} />
          ) : isGone ? (
            <Empty
              icon="experiments"
              title="The current program has no such experiment"
              action={
                <a class="btn" href={links.view(["program"])}>
                  Versions of the program
                </a>
              }
            >
              It may have been renamed or have ended; a definition that comes back goes on where it was.
            </Empty>
          ) : (
            <Failed what="The experiment" error={reading.error} onRetry={reading.reload} />
          )}
        </div>
      )}
    </>
  );
}

/** Takes it out of the program, after a question. */
function End({ name }: { name: string }) {
  const { api, links, notify } = useConsole();
  const [asking, setAsking] = useState(false);
  const [ending, setEnding] = useState(false);
  const end = async (): Promise<void> => {
    setEnding(true);
    try {
      const { tag, ...program } = await api.program();
      const others = Object.entries(program.experiments ?? {}).filter(([other]) => other !== name);
      const { version } = await api.putProgram(documentText({ ...program, experiments: Object.fromEntries(others) }), tag);
      notify(`Version ${version} is saved: ${name} has ended. Version ${program.version} of the program brings it back.`);
      go(links.view(["experiments"]));
    } catch (fault) {
      notify(`Nothing was changed. ${adviceOn(fault)}`, "bad");
      setEnding(false);
    }
  };
  return (
    <>
      <button type="button" class="btn" disabled={ending} onClick={() => setAsking(true)}>
        {ending ? "Ending …" : "End …"}
      </button>
      {asking ? (
        <Confirm title={`End ${name}?`} action="End it" onConfirm={() => void end()} onClose={() => setAsking(false)}>
          <p>
            It is taken out of the program: from the next page on everybody sees what the program says without it. Its
            numbers are no longer shown, and are kept: put back as it is, it goes on where it was.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function aboutOf({ holdout, interleave, primary, window_s, control }: Experiment): string {
  if (interleave !== null) return `Lists of ${interleave} mix two rankings; what is clicked decides.`;
  const measured = `Decided by ${primary}, within ${formatDuration(window_s * 1000)} after a person's first exposure`;
  return holdout ? `What everything personal is worth. ${measured}.` : `${measured}; compared with ${control}.`;
}

function Whole({ experiment }: { experiment: Experiment }) {
  const { interleaving } = experiment;
  return (
    <div class="stack">
      <Trust experiment={experiment} />
      {interleaving === null ? (
        <>
          <Variants experiment={experiment} />
          <div class="grid">
            <div class="stack span-8">
              <LiftOverTime experiment={experiment} />
              <Metrics experiment={experiment} />
            </div>
            <div class="stack span-4">
              <Guards experiment={experiment} />
              <Everybody experiment={experiment} />
            </div>
          </div>
        </>
      ) : (
        <Interleaving experiment={experiment} interleaving={interleaving} />
      )}
    </div>
  );
}

function Trust({ experiment }: { experiment: Experiment }) {
  const { users, sample_ratio, primary, variants, covariate, confidence, mixed, interleaving } = experiment;
  const running = (
    <Stat
      name="Running"
      value={formatDuration(nodeNowMs() - beganMs(experiment))}
      note={<>began {formatExact(beganMs(experiment)).slice(0, 16)}</>}
    />
  );
  const sure = <Stat name="Confidence" value={formatShare(confidence)} note="at every moment at once" />;
  if (interleaving !== null) {
    // Lists are compared with themselves: nobody is in a variant, and no metric is measured.
    const won = listsOf(interleaving) - interleaving.ties;
    return (
      <dl class="stats few">
        <Stat name="Lists seen" value={formatCount(listsOf(interleaving))} note={`${formatCount(won)} with a winner`} />
        {running}
        {sure}
      </dl>
    );
  }
  const exposures = variants.reduce((sum, variant) => sum + variant.exposures, 0);
  const explained = variants[0]?.metrics[primary]?.explained ?? 0;
  const ratio = sample_ratio.p_value < 0.001 ? "p < 0.001" : `p = ${formatNumber(sample_ratio.p_value)}`;
  return (
    <dl class="stats">
      <SoFar experiment={experiment} />
      <Stat
        name="Persons"
        value={formatCount(users)}
        note={mixed === 0 ? formatCounted(exposures, "exposure") : `${formatCounted(mixed, "person")} of two variants`}
      />
      {running}
      <Stat
        name="Sample ratio"
        value={users === 0 ? "–" : sample_ratio.ok ? "as promised" : "off"}
        note={users === 0 ? "nobody yet" : sample_ratio.ok ? ratio : `${ratio}: do not trust the rest`}
        {...(sample_ratio.ok ? {} : { tone: "bad" as const })}
      />
      <Stat name="Confidence" value={formatShare(confidence)} note="at every moment at once" />
      <Stat name="Adjusted for" value={covariate} note={`explains ${formatShare(explained)}`} />
    </dl>
  );
}

const WORDS = { good: "better", bad: "worse" };

/** The answer before what it rests on; where the ratio is off there is none. */
function SoFar({ experiment }: { experiment: Experiment }) {
  const leader = leaderOf(experiment);
  const { primary, sample_ratio, users, variants } = experiment;
  const said = (value: string, note: string) => <Stat name="So far" value={value} note={<span title={note}>{note}</span>} />;
  if (!sample_ratio.ok) return said("not known", "the sample ratio is off");
  if (variants.every(({ control, stopped }) => control || stopped !== null)) return said("stopped", "everybody sees control");
  if (leader === undefined) return said(users === 0 ? "–" : "too early", `no interval of ${primary} yet`);
  const { variant, verdict } = leader;
  const { low, high } = variant.interval!;
  return said(verdict === undefined ? "undecided" : WORDS[verdict], `${variant.name} ${formatLift(low)} to ${formatLift(high)}`);
}

function Variants({ experiment }: { experiment: Experiment }) {
  const { variants, primary, metrics } = experiment;
  const kind = metrics.find(({ name }) => name === primary)?.kind ?? "";
  const isRate = RATES.has(kind);
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
            head: isRate ? "Rate" : "A person",
            width: "72px",
            align: "right",
            cell: (variant) =>
              variant.users === 0 ? <Unseen /> : <strong>{shown(variant.metrics[primary]!.mean)}</strong>,
          },
          {
            head: "With its interval",
            width: "22%",
            wideOnly: true,
            cell: (variant) => {
              const { mean, interval } = variant.metrics[primary]!;
              if (variant.users === 0) return <span class="faint">nobody yet</span>;
              if (interval === null)
                return (
                  <span class="faint" title="It takes 30 persons who are not all alike, and twenty who bring much of it.">
                    too early
                  </span>
                );
              const reach = isRate ? formatShares(interval) : `${shown(interval.low)} to ${shown(interval.high)}`;
              const label = `${variant.name}: ${shown(mean)}, ${reach}`;
              return (
                <div class="lift">
                  <Whisker value={mean} {...interval} scale={means} label={label} />
                  <span class="faint small num">{reach}</span>
                </div>
              );
            },
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

function VariantName({ variant }: { variant: ExperimentVariant }) {
  const { name, control, share, stopped } = variant;
  return (
    <div class="row wrap">
      <strong class="breaks">{name}</strong>
      {control ? <Chip>control</Chip> : null}
      {stopped === null ? <span class="faint wide-inline">{formatShare(share)} of the people</span> : null}
      {stopped === null ? null : (
        <Chip
          tone="warn"
          title={harmOf(stopped)}
        >
          stopped
        </Chip>
      )}
    </div>
  );
}

function harmOf({ metric, interval }: NonNullable<ExperimentVariant["stopped"]>): string {
  if (interval === null) return `${metric} surely worse, while control's is too near zero for a lift`;
  return `${metric} ${formatLift(interval.low)} to ${formatLift(interval.high)}`;
}

function Lift({
  experiment,
  variant,
  scale,
}: {
  experiment: Experiment;
  variant: ExperimentVariant;
  scale: { low: number; high: number };
}) {
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

function LiftOverTime({ experiment }: { experiment: Experiment }) {
  const { variants, primary } = experiment;
  const history = withNow(experiment);
  const times = history.map(({ at }) => timeOf(at) / 1000);
  const compared = variants.map((variant, index) => ({ variant, index })).filter(({ variant }) => !variant.control);
  const ends = (index: number) =>
    history.map(({ lows, highs }) => {
      const [low, high] = [lows[index], highs[index]];
      // The first intervals are so wide that nothing else could be seen beside them.
      return low == null || high == null || high - low > SPAN_MAX ? null : { low: low * 100, high: high * 100 };
    });
  const series = compared.map(
    ({ variant: { name }, index }, colour): PlotSeries => ({
      name,
      colour,
      values: ends(index).map((one) => one?.low ?? null),
      highs: ends(index).map((one) => one?.high ?? null),
    }),
  );
  const isKnown = series.some(({ values }) => values.some((value) => value !== null));
  const isSoon = compared.some(({ variant: { interval } }) => interval !== null && interval.high - interval.low <= SPAN_MAX);
  return (
    <Card title="Lift over time" note={`${primary}, from low to high of its interval`}>
      {isKnown ? (
        <Plot
          label={`Interval of the lift in ${primary}`}
          times={times}
          series={series}
          format={(percent) => (percent === 0 ? "0 %" : formatLift(percent / 100))}
          height={200}
        />
      ) : (
        <p class="soft">
          {isSoon
            ? "Its first point comes with the next person; points are a minute apart at first."
            : `${TOO_EARLY} A lift is a share of control's mean: it is drawn when that mean is surely above zero.`}
        </p>
      )}
    </Card>
  );
}

function Metrics({ experiment }: { experiment: Experiment }) {
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
              <div class="row wrap">
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

/** A variant that nobody has seen has no mean: 0 would be a result. */
function Unseen() {
  return <span class="faint">–</span>;
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

/** Where no lift can be told: how far apart the two are, with its interval, or that it is too early for that too. */
function Difference({ experiment, name, of }: { experiment: Experiment; name: string; of: MetricResult }) {
  const { difference, difference_interval: interval } = of;
  if (difference === null || interval === null)
    return (
      <span class="faint" title={TOO_EARLY}>
        too early
      </span>
    );
  const kind = experiment.metrics.find((metric) => metric.name === name)?.kind ?? "";
  const isRate = RATES.has(kind);
  // The difference of two shares is in points, not in per cent of either.
  const unit = isRate ? " points" : kind === "time_on_site" ? " s" : "";
  const size = (value: number): string => formatNumber(Math.abs(isRate ? value * 100 : value));
  const signed = (value: number): string => `${value < 0 ? "−" : "+"}${size(value)}`;
  return (
    <span class="verdict lift" title="The difference to control, whose mean is not surely above zero: no lift yet.">
      {`${signed(difference)}${unit}`}
      <span class="faint small">
        ({signed(interval.low)} to {signed(interval.high)})
      </span>
    </span>
  );
}

/** A person's mean with its unit: shares in per cent, time in seconds. */
function valueOf(kind: string, value: number): string {
  if (RATES.has(kind)) return formatShare(value);
  return kind === "time_on_site" ? `${formatNumber(value)} s` : formatNumber(value);
}

function Guards({ experiment }: { experiment: Experiment }) {
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

/** Off-policy: the same question as the table above, asked of the log of assignments. */
function Everybody({ experiment }: { experiment: Experiment }) {
  const { variants, primary, metrics } = experiment;
  const kind = metrics.find(({ name }) => name === primary)?.kind ?? "";
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

function Interleaving({
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
