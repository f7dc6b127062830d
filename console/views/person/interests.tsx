// Interests: their shares now, and how their strength rose with each interaction and decays between them.
import { useMemo, useState } from "preact/hooks";
import { useItems } from "../../api/use-items.ts";
import type { Profile } from "../../api/types.ts";
import { Bars } from "../../parts/bars.tsx";
import { Card } from "../../parts/card.tsx";
import { durationMs, formatNumber, formatShare, formatSpan, timeOf } from "../../parts/format.ts";
import { Plot } from "../../parts/plot.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { plotTimes, strengthAt, type HistoryInput } from "./interest-history.ts";

const PLOTTED_MAX = 6;
const LISTED_MAX = 9;
const STEPS = 120;
/** The profile lists so many interactions; older ones are not in it. */
const RECENT_MAX = 50;
const MINUTE_MS = 60_000;
const SPANS: Readonly<Record<string, number>> = {
  "10 min": 10 * MINUTE_MS,
  "1 day": 1440 * MINUTE_MS,
  "30 days": 43_200 * MINUTE_MS,
};
/** Where the program does not say; core/program has the same. */
const HALF_LIFE_DEFAULT = "7d";

interface InterestsProps {
  readonly profile: Profile;
  readonly readAtMs: number;
  readonly halfLife: string | undefined;
  /** What an interaction of each type is worth, as the program says. */
  readonly weights: Readonly<Record<string, { weight: number }>>;
}

export function Interests({ profile, readAtMs, halfLife = HALF_LIFE_DEFAULT, weights }: InterestsProps) {
  const [span, setSpan] = useState(() => spanThatShows(profile.recent[0]?.timestamp, readAtMs));
  const [by, setBy] = useState<"categories" | "tags">("categories");
  const items = useItems(profile.recent.map((one) => one.item_id));
  const shares = (by === "categories" ? profile.interests : profile.interest_tags) ?? {};
  const strongest = Object.entries(shares).sort(([, a], [, b]) => b - a);
  const plotted = useSteadyColours(strongest.slice(0, PLOTTED_MAX).map(([name]) => name));

  const input: HistoryInput = {
    shares,
    engagement: Number(profile.features["engagement"] ?? 0),
    halfLifeMs: durationMs(halfLife) ?? 7 * SPANS["1 day"]!,
    nowMs: readAtMs,
    knownSinceMs: profile.recent.length < RECENT_MAX ? -Infinity : timeOf(profile.recent.at(-1)!.timestamp),
    firstSeenMs: firstSeenMs(profile),
    interactions: profile.recent.map((one) => ({
      timeMs: timeOf(one.timestamp),
      categories: items.get(one.item_id)?.[by] ?? [],
      weight: weights[one.event_type]?.weight ?? 0,
    })),
  };
  const { times, series } = useMemo(() => {
    const atMs = plotTimes(input, { spanMs: SPANS[span]!, steps: STEPS });
    return {
      times: atMs.map((time) => time / 1000),
      series: plotted.map((name, colour) => ({
        name,
        colour,
        values: atMs.map((time) => strengthAt(input, name, time)),
      })),
    };
  }, [profile, readAtMs, span, by, items.size, plotted.join("\n")]);

  return (
    <Card
      title="Interests"
      note={`half-life ${formatSpan(halfLife)}`}
      end={
        <>
          <Tabs
            label="Interests by"
            names={["categories", "tags"]}
            titles={{ categories: "Categories", tags: "Tags" }}
            chosen={by}
            onChoose={(name) => setBy(name as typeof by)}
          />
          <Tabs label="Time shown" names={Object.keys(SPANS)} chosen={span} onChoose={setSpan} />
        </>
      }
    >
      {strongest.length === 0 ? (
        <p class="soft">None yet. They grow with every view, click, cart or purchase of an item that has {by}.</p>
      ) : (
        <div class="interests">
          <div>
            <Plot
              label="Strength of interests over time"
              times={times}
              series={series}
              height={208}
              spanS={times.at(-1)! - times[0]!}
              format={formatNumber}
            />
            <p class="faint small">
              Strength in points of engagement, worked out from{" "}
              {profile.recent.length === 1 ? "one interaction with an item" : `the last ${profile.recent.length} interactions with items`}
              .
            </p>
          </div>
          <Bars
            bars={strongest.slice(0, LISTED_MAX).map(([name, share]) => {
              const colour = plotted.indexOf(name);
              return { name, value: share, text: formatShare(share), ...(colour < 0 ? {} : { series: colour }) };
            })}
          />
        </div>
      )}
    </Card>
  );
}

/** The oldest that the profile tells of: its oldest interaction, or the first of the days that it counts. */
function firstSeenMs({ recent, activity = [] }: Profile): number {
  const known = [recent.at(-1)?.timestamp, activity[0]?.date].map(timeOf).filter(Number.isFinite);
  return known.length === 0 ? -Infinity : Math.min(...known);
}

/** A name keeps its place, and so its colour, as long as it is among the strongest. */
function useSteadyColours(strongest: readonly string[]): readonly string[] {
  const [shown, setShown] = useState<readonly string[]>(strongest);
  const fresh = strongest.filter((name) => !shown.includes(name));
  const kept = shown
    .map((name) => (strongest.includes(name) ? name : fresh.shift()))
    .filter((name) => name !== undefined);
  const next = [...kept, ...fresh];
  if (next.join("\n") !== shown.join("\n")) setShown(next);
  return next;
}

/** The shortest span with something in it: somebody who was here yesterday has nothing to show for the last ten minutes. */
function spanThatShows(newest: string | number | undefined, nowMs: number): string {
  const ageMs = nowMs - timeOf(newest);
  return Object.keys(SPANS).find((name) => ageMs < SPANS[name]! * 0.9) ?? (newest === undefined ? "10 min" : "30 days");
}
