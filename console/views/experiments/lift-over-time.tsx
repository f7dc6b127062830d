// How the interval of each lift has narrowed.
import type { Experiment } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { formatLift, timeOf } from "../../parts/format.ts";
import { Plot, type PlotSeries } from "../../parts/plot.tsx";
import { TOO_EARLY } from "./figures.tsx";
import { withNow } from "./lift-history.ts";

/** Wider intervals of the lift are not drawn: four times control's mean. */
const SPAN_MAX = 4;

export function LiftOverTime({ experiment }: { experiment: Experiment }) {
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
