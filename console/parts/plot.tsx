// A live plot over time (uPlot). The legend above it is the reading: the newest values, or those under the pointer.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import { nodeNowMs } from "../api/node-clock.ts";
import { useTheme } from "../shell/theme.ts";
import { formatClock, formatShort } from "./format.ts";

export interface PlotSeries {
  readonly name: string;
  /** Same length as `times`; null where nothing was measured. */
  readonly values: readonly (number | null | undefined)[];
  /** With it the series is a band, shaded from `values` up to these; same length, null at the same places. */
  readonly highs?: readonly (number | null | undefined)[];
  /** Index of the colour; the order of the series where not given. */
  readonly colour?: number;
  readonly dashed?: boolean;
  readonly filled?: boolean;
}

interface PlotProps {
  readonly label: string;
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** Byte axes step by powers of two. */
  readonly binary?: boolean;
  /** Counts of whole things: the axis has no fractions. */
  readonly whole?: boolean;
  /** Seconds shown; the right edge is the newest time. */
  readonly spanS?: number;
}

const AXIS_FONT = "11px system-ui, sans-serif";
const LETTER_PX = 6.5;
const HOUR_S = 3600;
/** From one time label to the next: `14:03:20` and a gap. */
const LABEL_ROOM_PX = 60;
/** Half a time label, and what is free beside the plot at its right. */
const LABEL_HALF_PX = 26;
const RIGHT_FREE_PX = 8;
const MINUTE_S = 60;
const DAY_S = 86_400;
/** As uPlot's own, and two minutes: of the last ten minutes every fifth one alone would be named. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_S),
  ...[1, 2, 3, 4, 6, 8, 12].map((hours) => hours * HOUR_S),
  ...[1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 90, 120, 180].map((days) => days * DAY_S),
  ...[1, 2, 5, 10].map((years) => years * 365 * DAY_S),
];
const BINARY_STEPS = Array.from({ length: 40 }, (_, power) => 2 ** power);
const BYTES_TOP_MIN = 1024;
const WHOLE_STEPS = Array.from({ length: 12 }, (_, zeros) => [1, 2, 5].map((first) => Number(`${first}e${zeros}`))).flat();

export function Plot({ label, times, series, format = formatShort, height = 160, binary, whole, spanS }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | undefined>(undefined);
  const [hovered, setHovered] = useState<number | undefined>(undefined);
  const theme = useTheme().shown;
  const formatRef = useRef(format);
  formatRef.current = format;
  const latest = useRef({ times, series, spanS });
  latest.current = { times, series, spanS };
  const shape = series
    .map((one, index) => `${one.name}|${one.colour ?? index}|${one.dashed ?? ""}|${one.filled ?? ""}|${one.highs !== undefined}`)
    .join("\n");

  useLayoutEffect(() => {
    const element = place.current!;
    const plot = new UPlot(optionsOf(), dataOf(), element);
    chart.current = plot;
    const sized = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
    });
    sized.observe(element);
    return () => {
      sized.disconnect();
      plot.destroy();
      chart.current = undefined;
    };

    function optionsOf(): UPlot.Options {
      const style = getComputedStyle(document.documentElement);
      const colour = (name: string): string => style.getPropertyValue(name).trim();
      const axis = {
        stroke: colour("--text-faint"),
        font: AXIS_FONT,
        ticks: { show: false },
        grid: { stroke: colour("--line"), width: 1 },
      };
      return {
        width: Math.max(element.clientWidth, 120),
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        hooks: {
          setCursor: [(self) => setHovered(self.cursor.idx ?? undefined)],
          drawAxes: [(self) => drawZero(self, colour("--text-faint"))],
        },
        scales: {
          x: { time: true, range: (_, low, high) => timeRange(low, high, latest.current.spanS) },
          y: { range: (_, low, high) => rangeOf(low, high, binary === true ? BYTES_TOP_MIN : 0) },
        },
        axes: [
          {
            ...axis,
            size: 20,
            space: LABEL_ROOM_PX,
            incrs: TIME_STEPS,
            grid: { show: false },
            values: timeTicks,
          },
          {
            ...axis,
            size: (_, labels) => axisWidth(labels),
            space: 32,
            gap: 8,
            ...(binary === true ? { incrs: BINARY_STEPS } : whole === true ? { incrs: WHOLE_STEPS } : {}),
            values: (_, splits) => splits.map((split) => withoutZeros(formatRef.current(split))),
          },
        ],
        series: [
          {},
          ...latest.current.series.flatMap((one, index) => {
            const stroke = strokeOf(one, index);
            const line: UPlot.Series = {
              label: one.name,
              stroke,
              width: 1.5,
              spanGaps: false,
              points: {
                show: true,
                size: 4,
                fill: stroke,
                width: 0,
                filter: (self: UPlot, index: number) => alone(self.data[index]!),
              },
              ...(one.dashed === true ? { dash: [4, 4] } : {}),
              ...(one.filled === true ? { fill: `color-mix(in srgb, ${stroke} 12%, transparent)` } : {}),
            };
            return one.highs === undefined ? [line] : [line, line];
          }),
        ],
        bands: bandsOf(),
      };

      function strokeOf(one: PlotSeries, index: number): string {
        return colour(`--series-${((one.colour ?? index) % 6) + 1}`);
      }

      function bandsOf(): UPlot.Band[] {
        // uPlot counts lines from 1, the times being 0.
        let line = 1;
        return latest.current.series.flatMap((one, index): UPlot.Band[] => {
          const low = line;
          line += one.highs === undefined ? 1 : 2;
          if (one.highs === undefined) return [];
          return [{ series: [low + 1, low], fill: `color-mix(in srgb, ${strokeOf(one, index)} 16%, transparent)` }];
        });
      }
    }
  }, [shape, theme, height]);

  useEffect(() => chart.current?.setData(dataOf()), [times, series]);

  function dataOf(): UPlot.AlignedData {
    const lines = latest.current.series.flatMap(({ values, highs }) => (highs === undefined ? [values] : [values, highs]));
    return [latest.current.times as number[], ...(lines as (number | null)[][])];
  }

  const shownAt = hovered !== undefined && hovered < times.length ? hovered : times.length - 1;
  const read = (one: PlotSeries): string => {
    const shown = (values: PlotSeries["values"]): string => {
      const value = hovered === undefined ? lastKnown(values) : values[shownAt];
      return value === null || value === undefined ? "–" : format(value);
    };
    return one.highs === undefined ? shown(one.values) : `${shown(one.values)} to ${shown(one.highs)}`;
  };
  return (
    <figure class="plot" aria-label={label}>
      <figcaption class="plot-legend">
        {series.map((one, index) => (
          <span key={one.name}>
            <i class="key" data-series={(one.colour ?? index) % 6} /> <span class="breaks">{one.name}</span> <b>{read(one)}</b>
          </span>
        ))}
        <span class="when">
          {hovered !== undefined && times[shownAt] !== undefined ? hoverTime(times[shownAt] * 1000, spanS ?? times.at(-1)! - times[0]!) : ""}
        </span>
      </figcaption>
      <div ref={place} style={{ height: `${height}px` }} aria-hidden="true" />
      <ul class="sr">
        {series.map((one) => (
          <li key={one.name}>{courseInWords(one, { times, format, spanS: spanS ?? (times.at(-1) ?? 0) - (times[0] ?? 0) })}</li>
        ))}
      </ul>
      {series.every((one) => lastKnown(one.values) === undefined) ? (
        <p class="plot-empty small">Nothing measured yet; a point comes every few seconds.</p>
      ) : null}
    </figure>
  );
}

interface Scale {
  readonly times: readonly number[];
  readonly format: (value: number) => string;
  readonly spanS: number;
}

/** What the line shows, for those who do not see it: where it begins and ends, its least and its most, and when. */
function courseInWords({ name, values, highs }: PlotSeries, { times, format, spanS }: Scale): string {
  const known = values.flatMap((low, index) => {
    const high = highs === undefined ? low : highs[index];
    return typeof low === "number" && typeof high === "number" ? [{ low, high, timeS: times[index]! }] : [];
  });
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return `${name}: nothing measured yet`;
  const said = ({ low, high }: typeof first): string => (highs === undefined ? format(low) : `${format(low)} to ${format(high)}`);
  const when = ({ timeS }: typeof first): string => hoverTime(timeS * 1000, spanS);
  if (known.length === 1) return `${name}: ${said(first)} at ${when(first)}`;
  const least = known.reduce((one, next) => (next.low < one.low ? next : one));
  const most = known.reduce((one, next) => (next.high > one.high ? next : one));
  return (
    `${name}: ${said(first)} at ${when(first)}, ${said(last)} at ${when(last)}; ` +
    `least ${format(least.low)} at ${when(least)}, most ${format(most.high)} at ${when(most)}`
  );
}

/** Before the first measurement the axis ends now, and not in 1970; one point alone has the hour before it, not years. */
function timeRange(low: number | null, high: number | null, spanS: number | undefined): [number, number] {
  const end = high ?? nodeNowMs() / 1000;
  if (low !== null && low === high && !(spanS! > 0)) return [end - HOUR_S, end];
  if (spanS !== undefined) return [end - spanS, end];
  return [low ?? end - 1, end];
}

/** From zero, with a little air above, and below where something lies there; never an empty range. */
function rangeOf(low: number | null, high: number | null, topMin: number): [number, number] {
  const top = Math.max(high ?? 0, topMin);
  const bottom = Math.min(low ?? 0, 0);
  if (top === bottom) return [0, 1];
  const air = (top - bottom) * 0.08;
  return [bottom < 0 ? bottom - air : 0, top + air];
}

/** Where there is something on both sides of zero, zero is the line to look for. */
function drawZero(plot: UPlot, stroke: string): void {
  if ((plot.scales["y"]!.min ?? 0) >= 0) return;
  const { left, width } = plot.bbox;
  const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
  plot.ctx.strokeStyle = stroke;
  plot.ctx.lineWidth = devicePixelRatio;
  plot.ctx.beginPath();
  plot.ctx.moveTo(left, y);
  plot.ctx.lineTo(left + width, y);
  plot.ctx.stroke();
}

function lastKnown(values: readonly (number | null | undefined)[]): number | null | undefined {
  for (let index = values.length - 1; index >= 0; index--) {
    if (values[index] !== null && values[index] !== undefined) return values[index];
  }
  return undefined;
}

/** `5.00 ms` on an axis is `5 ms`. */
function withoutZeros(text: string): string {
  return text.replace(/\.(\d*?)0+(?!\d)/, (_, digits: string) => (digits === "" ? "" : `.${digits}`));
}

/** From here on the same day comes twice on an axis, or nearly. */
const YEAR_SAID_S = 300 * DAY_S;

function dayOf(timeMs: number): string {
  return new Date(timeMs).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

/** `14:03` */
function minuteOf(timeMs: number): string {
  return formatClock(timeMs).slice(0, 5);
}

/** A day's name stands at its beginning only; what lies between is a time of that day. */
function timeTick(timeMs: number, spanS: number, clock: (timeMs: number) => string): string {
  if (spanS > YEAR_SAID_S) return new Date(timeMs).toLocaleDateString("en-GB", { month: "short", year: "numeric" });
  return spanS > DAY_S && minuteOf(timeMs) === "00:00" ? dayOf(timeMs) : clock(timeMs);
}

function hoverTime(timeMs: number, spanS: number): string {
  if (spanS > YEAR_SAID_S)
    return new Date(timeMs).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return spanS > DAY_S / 2 ? `${dayOf(timeMs)} ${minuteOf(timeMs)}` : formatClock(timeMs);
}

/** Wide enough for the longest label; in steps, so that a live plot does not wobble. */
function axisWidth(labels: readonly string[] | null): number {
  const letters = (labels ?? []).reduce((most, label) => Math.max(most, label.length), 3);
  return Math.ceil((letters * LETTER_PX + 16) / 8) * 8;
}

/** Values between two gaps draw no line, so they are drawn as points. */
function alone(values: ArrayLike<number | null | undefined>): number[] {
  const known = (index: number): boolean => values[index] !== null && values[index] !== undefined;
  return Array.from({ length: values.length }, (_, index) => index).filter(
    (index) => known(index) && !known(index - 1) && !known(index + 1),
  );
}

/** A label at the very left would run into those of the other axis, one at the very right would be cut off. */
function timeTicks(plot: UPlot, splits: readonly number[]): string[] {
  const { min, max } = plot.scales["x"]!;
  const [startS, endS] = [min ?? 0, max ?? 0];
  const pxPerS = plot.bbox.width / devicePixelRatio / (endS - startS || 1);
  const fits = (split: number): boolean =>
    (split - startS) * pxPerS >= LABEL_HALF_PX && (endS - split) * pxPerS >= LABEL_HALF_PX - RIGHT_FREE_PX;
  // Where each label is a whole minute, its seconds say nothing.
  const clock = splits.every((split) => split % MINUTE_S === 0) ? minuteOf : formatClock;
  return splits.map((split) => (fits(split) ? timeTick(split * 1000, endS - startS, clock) : ""));
}
