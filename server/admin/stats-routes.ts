// Figures for the console: totals, rates, percentiles of the last minute, and the history behind the plots.
import { getHeapStatistics } from "node:v8";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { round, type Timing, type Timings } from "../http/timings.ts";
import type { Intake } from "../intake/intake.ts";
import type { Project } from "../ports.ts";
import type { WebhookStats } from "../webhooks/sender.ts";
import { commitName, type History } from "./history.ts";
import { residentBytes } from "./resident-memory.ts";

const MINUTE_S = 60;
/** Rates "now" are the mean of the last two closed steps of five seconds. */
const RATE_STEPS = 2;

export interface LiveStats {
  sockets: number;
  streams: number;
  subscriptions: number;
  sent: number;
  /** Readers that are behind and told nothing until they have read. */
  paused: number;
  /** Readers cut because they stayed behind. */
  dropped: number;
}

export interface StatsSources {
  timings: Timings;
  intake: Intake;
  history: History;
  live: (project: Project) => LiveStats;
  webhooks: () => WebhookStats;
  projectNames: () => readonly string[];
  queueBytesMax: number;
  now: () => number;
}

export function statsRoutes(sources: StatsSources): Route[] {
  const startedAtMs = sources.now();
  const startedMs = performance.now();
  return [
    { method: "GET", path: "/v1/stats", access: "read", handle: readStats },
    { method: "GET", path: "/v1/projects", access: "read", handle: readProjects },
  ];

  /** Those that the reader may open. */
  function readProjects({ principal }: Call): Answer {
    const names = sources.projectNames().filter((name) => (principal.project ?? name) === name);
    return ok({ projects: names });
  }

  function readStats({ project, nowMs }: Call): Answer {
    const { intake, history } = sources;
    const host = project.stats();
    const counts = intake.counts(project);
    const series = history.series(project);
    return ok({
      project: project.name,
      at: new Date(nowMs).toISOString(),
      started_at: new Date(startedAtMs).toISOString(),
      uptime_s: round((performance.now() - startedMs) / 1_000),
      ready: host.ready,
      storage_full: host.storageFull,
      totals: {
        accepted: host.acceptedTotal,
        duplicates: host.duplicatesTotal,
        rejected: counts.rejected,
        dead_letters: host.deadLettersTotal,
        dead_letters_dropped: counts.quota.dropped,
        marked_traffic: host.markedTrafficTotal,
        persons: host.personsTotal,
        persons_cached: host.personsCached,
        items: host.itemsTotal,
      },
      rates: {
        accepted_per_s: meanOfLast(series.accepted_per_s),
        requests_per_s: meanOfLast(series.requests_per_s),
      },
      queue: {
        events: host.queuedEvents,
        bytes: host.queuedBytes,
        waiting_bytes: intake.admission.waitingBytes,
        bytes_max: sources.queueBytesMax,
      },
      log: { position: host.logPosition, size_bytes: host.logSizeBytes },
      checkpoint: { position: host.checkpointPosition, age_s: round(host.checkpointAgeMs / 1_000) },
      live: sources.live(project),
      webhooks: sources.webhooks(),
      process: {
        rss_bytes: residentBytes(),
        heap_used_bytes: getHeapStatistics().used_heap_size,
        cpu_share: history.cpuShare,
        event_loop_p99_ms: history.eventLoopP99Ms,
      },
      latency: latencyRows(sources.timings, project),
      series,
    });
  }
}

/** Routes that were asked in the last minute, and this project's commits. */
function latencyRows(timings: Timings, project: Project): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (const [name, timing] of timings.byName) {
    const isCommit = name.startsWith("commit ");
    if (isCommit && name !== commitName(project)) continue;
    const row = latencyRow(isCommit ? "commit" : name, timing);
    if (row.count > 0) rows.push(row);
  }
  return rows;
}

function latencyRow(route: string, timing: Timing) {
  const minute = timing.lastMinute();
  return {
    route,
    count: minute.count,
    per_s: round(minute.count / MINUTE_S),
    p50_ms: minute.quantileMs(0.5),
    p99_ms: minute.quantileMs(0.99),
    max_ms: round(minute.maxMs),
  };
}

function meanOfLast(values: readonly (number | null)[]): number {
  const last = values.slice(-RATE_STEPS).filter((value) => value !== null);
  return last.length === 0 ? 0 : round(last.reduce((sum, value) => sum + value, 0) / last.length);
}
