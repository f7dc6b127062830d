// Interests as they rise with each event and decay between them, recorded while the page is open.
import { useEffect, useRef, useState } from "preact/hooks";
import { Bars } from "../../parts/bars.tsx";
import { Card } from "../../parts/card.tsx";
import { formatClock, formatNumber } from "../../parts/format.ts";
import { Plot } from "../../parts/plot.tsx";

const PLOTTED_MAX = 6;
const LISTED_MAX = 10;
const POINTS_MAX = 600;
const SPAN_MIN_S = 60;
const SPAN_MAX_S = 600;

interface Course {
  readonly times: readonly number[];
  readonly points: readonly Readonly<Record<string, number>>[];
  /** Name by colour; a name keeps its colour while it is among the strongest. */
  readonly plotted: readonly string[];
}

export function Interests({ interests, readAtMs, halfLife }: { interests: Record<string, number>; readAtMs: number; halfLife: string | undefined }) {
  const startedAt = useRef(Date.now());
  const [course, setCourse] = useState<Course>({ times: [], points: [], plotted: [] });
  useEffect(() => setCourse((before) => extended(before, readAtMs / 1000, interests)), [interests, readAtMs]);

  const strongest = Object.entries(interests).sort(([, a], [, b]) => b - a);
  const newest = course.times.at(-1) ?? 0;
  const watched = newest - (course.times[0] ?? 0);
  return (
    <Card title="Interests" note={halfLife === undefined ? undefined : `half-life ${halfLife}`} end={<span class="faint small">recording since {formatClock(startedAt.current)}</span>}>
      {strongest.length === 0 ? <p class="soft">None yet. They grow with every view, click, cart or purchase of an item that has categories or tags.</p> : (
        <div class="interests">
          <Plot
            label="Interests over time" times={course.times} height={216} spanS={Math.min(SPAN_MAX_S, Math.max(SPAN_MIN_S, watched))} format={formatNumber}
            series={course.plotted.map((name, colour) => ({ name, colour, values: course.points.map((point) => point[name] ?? null) }))}
          />
          <Bars bars={strongest.slice(0, LISTED_MAX).map(([name, value]) => {
            const series = course.plotted.indexOf(name);
            return { name, value, ...(series < 0 ? {} : { series }) };
          })} />
        </div>
      )}
    </Card>
  );
}

function extended(before: Course, time: number, interests: Readonly<Record<string, number>>): Course {
  const last = before.times.at(-1);
  if (last !== undefined && time <= last) return before;
  return {
    times: [...before.times, time].slice(-POINTS_MAX),
    points: [...before.points, interests].slice(-POINTS_MAX),
    plotted: stillPlotted(before.plotted, interests),
  };
}

function stillPlotted(before: readonly string[], interests: Readonly<Record<string, number>>): string[] {
  const strongest = Object.entries(interests).sort(([, a], [, b]) => b - a).slice(0, PLOTTED_MAX).map(([name]) => name);
  const kept = before.map((name) => (strongest.includes(name) ? name : undefined));
  const fresh = strongest.filter((name) => !before.includes(name));
  return Array.from({ length: strongest.length }, (_, index) => kept[index] ?? fresh.shift()).filter((name) => name !== undefined);
}
