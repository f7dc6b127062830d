// The head of an experiment: its answer so far, and whether the numbers below can be trusted.
import type { Experiment } from "../../api/types.ts";
import { nodeNowMs } from "../../api/node-clock.ts";
import { formatCount, formatCounted, formatDuration, formatExact, formatLift, formatNumber, formatShare } from "../../parts/format.ts";
import { Stat } from "../../parts/stat.tsx";
import { beganMs, leaderOf, listsOf } from "./so-far.ts";

export function Trust({ experiment }: { experiment: Experiment }) {
  const { users, sample_ratio, primary, variants, covariate, confidence, mixed, left_out, interleaving } = experiment;
  const running = (
    <Stat
      name="Running"
      value={formatDuration(nodeNowMs() - beganMs(experiment))}
      note={<>began {formatExact(beganMs(experiment)).slice(0, 16)}</>}
    />
  );
  const sure = <Stat name="Confidence" value={formatShare(confidence)} note="at every moment" />;
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
  const counted = mixed === 0 ? formatCounted(exposures, "exposure") : `${formatCounted(mixed, "person")} of two variants`;
  const explained = variants[0]?.metrics[primary]?.explained ?? 0;
  const ratio = sample_ratio.p_value < 0.001 ? "p < 0.001" : `p = ${formatNumber(sample_ratio.p_value)}`;
  return (
    <dl class="stats">
      <SoFar experiment={experiment} />
      <Stat
        name="Persons"
        value={formatCount(users)}
        note={left_out === 0 ? counted : <span title="their address had brought more than its share">{formatCounted(left_out, "exposure")} left out</span>}
      />
      {running}
      <Stat
        name="Sample ratio"
        value={users === 0 ? "–" : sample_ratio.ok ? "as promised" : "off"}
        note={users === 0 ? "nobody yet" : sample_ratio.ok ? ratio : `${ratio}: do not trust the rest`}
        {...(sample_ratio.ok ? {} : { tone: "bad" as const })}
      />
      <Stat name="Confidence" value={formatShare(confidence)} note="at every moment" />
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
