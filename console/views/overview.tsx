// How the node is doing, at a glance: rates, latencies, what waits, what is kept.
import { isUnanswered } from "../api/client.ts";
import type { Measured, RouteLatency, Stats } from "../api/types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import {
  bytesOf,
  formatCount,
  formatCounted,
  formatAgo,
  formatDuration,
  formatNumber,
  formatShort,
  latencyOf,
  type Quantity,
} from "../parts/format.ts";
import { Plot } from "../parts/plot.tsx";
import { Stat } from "../parts/stat.tsx";
import { Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";
import { seriesSpanS, seriesTimes, useStats } from "../shell/stats.ts";
import { EventTypes } from "./overview/event-types.tsx";

/** A checkpoint older than this means that the next start replays more than it should. */
const CHECKPOINT_LATE_S = 300;

export function OverviewView() {
  const stats = useStats();
  return (
    <>
      <ViewHead
        title="Overview"
        about={
          stats.data
            ? `Up for ${formatDuration(Math.floor(stats.data.uptime_s) * 1000)}. Plots reach back up to 10 minutes.`
            : "Rates, latencies and what is kept."
        }
        end={stats.data ? <Health stats={stats.data} error={stats.error} /> : null}
      />
      {stats.data ? (
        <Figures stats={stats.data} />
      ) : (
        <div class="card">
          {stats.error === undefined ? (
            <Loading rows={8} />
          ) : (
            <Failed what="The node's figures" error={stats.error} onRetry={stats.reload} />
          )}
        </div>
      )}
    </>
  );
}

function Health({ stats, error }: { stats: Stats; error: unknown }) {
  if (error !== undefined) return <Chip tone="bad">{isUnanswered(error) ? "no answer" : "not known"}</Chip>;
  if (stats.storage_full) return <Chip tone="bad">disk full: new events are refused until there is space</Chip>;
  if (!stats.ready) return <Chip tone="warn">starting: replaying the log</Chip>;
  return <Chip tone="good">ready</Chip>;
}

function Figures({ stats }: { stats: Stats }) {
  const times = seriesTimes(stats);
  const spanS = seriesSpanS(times);
  const { series } = stats;
  const ms = (value: number): string => joined(latencyOf(value));
  const bytes = (value: number): string => joined(bytesOf(value));
  return (
    <div class="stack">
      <Numbers stats={stats} />
      <div class="grid stretch">
        <Card title="Events" note="per second" className="span-6">
          <Plot
            label="Events per second over the last ten minutes"
            times={times}
            spanS={spanS}
            series={[
              { name: "accepted", values: series.accepted_per_s, filled: true },
              { name: "rejected", values: series.rejected_per_s, colour: 4 },
              { name: "bots, suspicious", values: series.marked_per_s, colour: 2 },
            ]}
          />
        </Card>
        <Card title="Taking events in" note="request to durable answer" className="span-6">
          <Plot
            label="Latency of event intake over the last ten minutes"
            times={times}
            spanS={spanS}
            format={ms}
            series={[
              { name: "p50", values: series.intake_p50_ms, filled: true },
              { name: "p99", values: series.intake_p99_ms, colour: 2 },
            ]}
          />
        </Card>
        <Card title="Recommendations" note="request to answer" className="span-6">
          <Plot
            label="Latency of recommendations over the last ten minutes"
            times={times}
            spanS={spanS}
            format={ms}
            series={[
              { name: "p50", values: series.recommend_p50_ms, filled: true },
              { name: "p99", values: series.recommend_p99_ms, colour: 2 },
            ]}
          />
        </Card>
        <Card title="Committing" note="log, sync to disk, fold" className="span-6">
          <Plot
            label="Latency of a commit over the last ten minutes"
            times={times}
            spanS={spanS}
            format={ms}
            series={[
              { name: "p50", values: series.commit_p50_ms, filled: true },
              { name: "p99", values: series.commit_p99_ms, colour: 2 },
            ]}
          />
        </Card>
        <Card title="Queue" note="bytes waiting for the disk" className="span-4 half">
          <Plot
            label="Queue over the last ten minutes"
            times={times}
            spanS={spanS}
            format={bytes}
            binary
            height={120}
            series={[{ name: "waiting", values: series.queue_bytes, filled: true }]}
          />
        </Card>
        <Card title="Checkpoint age" note="what a restart replays" className="span-4 half">
          <Plot
            label="Age of the checkpoint over the last ten minutes"
            times={times}
            spanS={spanS}
            height={120}
            format={(value) => `${formatShort(value)} s`}
            series={[{ name: "age", values: series.checkpoint_age_s, filled: true }]}
          />
        </Card>
        <Card title="Memory" className="span-4">
          <Plot
            label="Memory over the last ten minutes"
            times={times}
            spanS={spanS}
            height={120}
            format={bytes}
            binary
            series={[{ name: "resident memory", values: series.rss_bytes, filled: true }]}
          />
        </Card>
        <EventTypes />
        <Card title="Requests" note="last 60 s" className="span-8" flush>
          <Routes routes={stats.latency} />
        </Card>
      </div>
    </div>
  );
}

function Numbers({ stats }: { stats: Stats }) {
  const { links } = useConsole();
  const { totals, queue, process } = stats;
  const intake = latencyOf(lastKnown(stats.series.intake_p99_ms));
  const recommend = latencyOf(lastKnown(stats.series.recommend_p99_ms));
  const log = bytesOf(stats.log.size_bytes);
  const waiting = bytesOf(queue.bytes);
  const memory = bytesOf(process.rss_bytes);
  const [age, ...ageUnit] = formatAgo(0, stats.checkpoint.age_s * 1000).split(" ");
  const behind = Math.max(0, stats.log.position - stats.checkpoint.position);
  return (
    <dl class="stats">
      <Stat
        name="Events"
        value={formatNumber(lastKnown(stats.series.accepted_per_s))}
        unit="/s"
        note={`${formatCount(totals.accepted)} since start`}
      />
      <Stat
        name="Requests"
        value={formatNumber(stats.rates.requests_per_s)}
        unit="/s"
        note={`${Math.round(process.cpu_share * 100)} % CPU`}
      />
      <Stat
        name="Intake p99"
        value={intake.value}
        unit={intake.unit}
        note={`pauses p99 ${joined(latencyOf(process.event_loop_p99_ms))}`}
      />
      <Stat
        name="Recommend p99"
        value={recommend.value}
        unit={recommend.unit}
        note={formatCounted(stats.live.sockets + stats.live.streams, "live connection")}
      />
      <Stat
        name="Persons"
        value={formatCount(totals.persons)}
        note={`${formatCount(totals.persons_cached)} in memory`}
      />
      <Stat name="Items" value={formatCount(totals.items)} note="in the catalogue" />
      <Stat name="Log" value={log.value} unit={log.unit} note="on disk" />
      <Stat
        name="Queue"
        value={waiting.value}
        unit={waiting.unit}
        note={`of ${joined(bytesOf(queue.bytes_max))}, ${formatCounted(queue.events, "event")}`}
        {...(queue.bytes > queue.bytes_max * 0.8 ? { tone: "bad" as const } : {})}
      />
      <Stat
        name="Checkpoint"
        value={age!}
        unit={ageUnit.join(" ")}
        note={behind === 0 ? "holds the whole log" : `${joined(bytesOf(behind))} of log after it`}
        {...(behind > 0 && stats.checkpoint.age_s > CHECKPOINT_LATE_S ? { tone: "warn" as const } : {})}
      />
      <Stat
        name="Dead letters"
        value={formatCount(totals.dead_letters)}
        note={<a href={links.view(["dead-letters"])}>{formatCount(totals.rejected)} rejected since start</a>}
      />
      <Stat
        name="Memory"
        value={memory.value}
        unit={memory.unit}
        note={`${joined(bytesOf(process.heap_used_bytes))} heap`}
      />
      <Stat
        name="Webhooks"
        value={formatCount(stats.webhooks.delivered)}
        unit="delivered"
        note={`${stats.webhooks.queued} queued, ${stats.webhooks.failed} failed`}
        {...(stats.webhooks.failed > 0 ? { tone: "warn" as const } : {})}
      />
    </dl>
  );
}

function Routes({ routes }: { routes: readonly RouteLatency[] }) {
  const time = (value: number | null) => {
    if (value === null) return <span class="faint">–</span>;
    const { value: text, unit } = latencyOf(value);
    return (
      <>
        {text}
        <span class="unit"> {unit}</span>
      </>
    );
  };
  return (
    <Table
      label="Requests by route"
      rows={[...routes].sort((a, b) => b.count - a.count)}
      keyOf={(row) => row.route}
      columns={[
        { head: "Route", cell: (row) => <span class="id">{row.route}</span> },
        { head: "Count", align: "right", wideOnly: true, cell: (row) => formatCount(row.count) },
        {
          head: "Rate",
          align: "right",
          cell: (row) => (
            <>
              {formatNumber(row.per_s)}
              <span class="unit"> /s</span>
            </>
          ),
        },
        { head: "p50", align: "right", cell: (row) => time(row.p50_ms) },
        { head: "p99", align: "right", cell: (row) => time(row.p99_ms) },
        { head: "Max", align: "right", wideOnly: true, cell: (row) => time(row.max_ms) },
      ]}
    />
  );
}

function joined({ value, unit }: Quantity): string {
  return unit === "" ? value : `${value} ${unit}`;
}

function lastKnown(values: Measured): number {
  return values.findLast((value) => value !== null) ?? NaN;
}
