// How the models do over the last days, whether what they promise comes, and what has changed.
import type { ModelHealth } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { formatCount, formatShare } from "../parts/format.ts";
import { aboutModel } from "../parts/models.ts";
import { Plot } from "../parts/plot.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";

const EVERY_MS = 5000;
const PLOTTED_MAX = 3;
const VERDICTS = {
  worse: ["bad", "surely worse than the one before"],
  good: ["good", "not surely worse than the one before"],
  unknown: [undefined, "not judged yet"],
} as const;

export function ModelsView() {
  const { api } = useConsole();
  const health = useRead(`models ${api.project}`, () => api.models(), EVERY_MS);
  return (
    <>
      <ViewHead title="Models" about="How well each model would have done alone, judged on steps that were ranked before they were learnt." />
      {health.data === undefined ? (
        <div class="card">
          {health.error === undefined ? <Loading rows={8} /> : <Failed what="The models" error={health.error} onRetry={health.reload} />}
        </div>
      ) : (
        <Whole health={health.data} />
      )}
    </>
  );
}

function Whole({ health }: { health: ModelHealth }) {
  const times = health.hours.map((hour) => Date.parse(hour) / 1000);
  const ranked = [...health.models].sort((a, b) => (b.hit_rate ?? -1) - (a.hit_rate ?? -1));
  const shown = [...ranked.filter(({ name }) => name === "served"), ...ranked.filter(({ name }) => name !== "served").slice(0, PLOTTED_MAX)];
  return (
    <div class="grid">
      <div class="stack span-8">
        <Card title="Hit rate at 20" note="by hour: what was served, and the best alone">
          {times.length === 0 ? (
            <Empty icon="models" title="Nothing was judged yet">
              A share of the steps is ranked before it is learnt, as <code>learning</code> in the program says.
            </Empty>
          ) : (
            <Plot
              label="Hit rate at 20 by hour"
              times={times}
              format={formatShare}
              series={shown.map(({ name, series }) => ({ name, values: series }))}
            />
          )}
        </Card>
        <Card title="Calibration" note="the chance that the first candidate was given, and how often it came">
          {times.length === 0 ? (
            <p class="soft">It is shown when steps were judged.</p>
          ) : (
            <Plot
              label="Promised and come by hour"
              times={times}
              format={formatShare}
              series={[
                { name: "promised", values: health.calibration.series.map(({ promised }) => promised), dashed: true },
                { name: "came", values: health.calibration.series.map(({ came }) => came) },
              ]}
            />
          )}
        </Card>
        <Card title="Each model alone" note={`${formatCount(health.steps.reduce((sum, steps) => sum + steps, 0))} judged steps`} flush>
          <Table
            label="Models"
            rows={ranked}
            keyOf={({ name }) => name}
            columns={[
              { head: "Model", cell: ({ name }) => <span title={aboutModel(name)}>{name}</span> },
              { head: "State", width: "80px", cell: ({ state }) => (state === "on" ? <Chip tone="good">on</Chip> : <Chip>off</Chip>) },
              {
                head: "Hit rate",
                width: "96px",
                align: "right",
                cell: ({ hit_rate: rate }) => <strong>{rate === null ? "–" : formatShare(rate)}</strong>,
              },
            ]}
          />
        </Card>
      </div>
      <div class="stack span-4">
        <Background background={health.background} />
        <Card title="Alarms" note="the newest of each" flush>
          {health.alarms.length === 0 ? (
            <p class="soft pad">Nothing has changed.</p>
          ) : (
            <Table
              label="Alarms"
              rows={newestAlarms(health.alarms)}
              keyOf={({ metric }) => metric}
              columns={[
                {
                  head: "What",
                  cell: ({ metric, times }) => (
                    <>
                      {wordsOf(metric)}
                      {times === 1 ? null : <span class="faint small nowrap"> {times} times</span>}
                    </>
                  ),
                },
                { head: "When", width: "96px", cell: ({ at }) => <RelativeTime at={at} /> },
                {
                  head: "Change",
                  width: "128px",
                  align: "right",
                  cell: ({ before, after }) => `${formatShare(before)} → ${formatShare(after)}`,
                },
              ]}
            />
          )}
        </Card>
        <Card title="Watched for drift" flush>
          {health.watched.length === 0 ? (
            <p class="soft pad">Nothing yet: it begins with the first steps that are judged.</p>
          ) : (
            <Table
              label="Watched for drift"
              rows={health.watched}
              keyOf={({ metric }) => metric}
              columns={[
                { head: "What", cell: ({ metric }) => wordsOf(metric) },
                { head: "Mean", width: "72px", align: "right", cell: ({ mean }) => formatShare(mean) },
                { head: "Steps", width: "72px", align: "right", cell: ({ steps }) => formatCount(steps) },
              ]}
            />
          )}
        </Card>
      </div>
    </div>
  );
}

/** The newest alarm of each metric and how often it went off: one that swings does not hide the others. */
function newestAlarms(alarms: ModelHealth["alarms"]): (ModelHealth["alarms"][number] & { times: number })[] {
  const newest = new Map<string, ModelHealth["alarms"][number] & { times: number }>();
  for (const alarm of alarms.toSorted((a, b) => (a.at < b.at ? -1 : 1)))
    newest.set(alarm.metric, { ...alarm, times: (newest.get(alarm.metric)?.times ?? 0) + 1 });
  return [...newest.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
}

const METRICS: Readonly<Record<string, string>> = {
  served: "hits of what is served",
  unproposed: "steps to items that no model proposed",
  new_items: "steps to new items",
};

/** A metric's name as a reader knows it; a share of one event type is named by the type. */
function wordsOf(metric: string): string {
  return METRICS[metric] ?? (metric.startsWith("type:") ? `share of ${metric.slice("type:".length)}` : metric);
}

function Background({ background }: { background: ModelHealth["background"] }) {
  const { since, verdict, now, before } = background;
  const [tone, words] = VERDICTS[verdict];
  const rate = ({ steps, hit_rate: hits }: ModelHealth["background"]["now"]): string =>
    hits === null ? "not judged" : `${formatShare(hits)} of ${formatCount(steps)} steps`;
  return (
    <Card title="Background model" end={since === null ? <Chip>none yet</Chip> : <Chip {...(tone === undefined ? {} : { tone })}>{words}</Chip>}>
      {since === null ? (
        <p class="soft">It is trained aside on the log: once fifty persons are known, then on its schedule and when something has changed.</p>
      ) : (
        <p class="soft">
          Took over <RelativeTime at={since} />: {rate(now)}.
          {before.hit_rate === null ? null : ` The one before: ${rate(before)}. One that does surely worse gives way to it.`}
        </p>
      )}
    </Card>
  );
}
