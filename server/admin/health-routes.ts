// Liveness, readiness with each part's state, and Prometheus text.
import { Counter, Gauge, Registry, type Metric } from "prom-client";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import type { Histogram } from "../http/timings.ts";
import type { HostStats, Project } from "../ports.ts";
import { residentBytes } from "./resident-memory.ts";
import type { StatsSources } from "./stats-routes.ts";

const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function healthRoutes(sources: StatsSources & { projects: (name: string) => Project | undefined }): Route[] {
  const registry = createRegistry(sources, openProjects);
  return [
    { method: "GET", path: "/healthz", access: "public", handle: () => ok({ status: "ok" }) },
    { method: "GET", path: "/readyz", access: "public", handle: readiness },
    { method: "GET", path: "/metrics", access: "read", handle: metrics },
  ];

  function openProjects(): Project[] {
    return sources.projectNames().flatMap((name) => sources.projects(name) ?? []);
  }

  function readiness(_call: Call): Answer {
    const parts: Record<string, { ready: boolean; [figure: string]: unknown }> = {};
    let ready = true;
    for (const project of openProjects()) {
      const host = project.stats();
      const part = (parts[`project:${project.name}`] = partOf(host));
      ready &&= part.ready;
      // What the host can do without for a while: a balancer that took every server out would make it worse.
      for (const [name, figures] of Object.entries(host.parts ?? {})) parts[`${name}:${project.name}`] = figures;
    }
    return { status: ready ? 200 : 503, json: { status: ready ? "ready" : "not_ready", parts } };
  }

  async function metrics(): Promise<Answer> {
    return { status: 200, bytes: await registry.metrics(), headers: { "content-type": registry.contentType } };
  }
}

/** A log that takes nothing refuses new events, but everything else answers: the part is not ready and says why. */
function partOf(host: HostStats): { ready: boolean; [figure: string]: unknown } {
  return {
    ready: host.ready && !host.storageFull,
    log: host.storageFailed ? "failed: restart the node when the disk is well" : host.storageFull ? "disk full" : "ok",
    checkpoint_age_s: Math.round(host.checkpointAgeMs / 1_000),
    queued_events: host.queuedEvents,
    ...(host.clockAheadMs > 0 && { clock_ahead_s: Math.round(host.clockAheadMs / 1_000) }),
  };
}

/** Host figures by project, read at scrape; the shell's histograms by route. */
function createRegistry(sources: StatsSources, openProjects: () => Project[]): Registry {
  const registry = new Registry();
  const counters: [name: string, help: string, read: (host: HostStats, project: Project) => number][] = [
    ["attune_events_accepted_total", "Events accepted", (host) => host.acceptedTotal],
    ["attune_events_duplicate_total", "Events sent again", (host) => host.duplicatesTotal],
    ["attune_events_rejected_total", "Events rejected", (_, project) => sources.intake.counts(project).rejected],
    ["attune_events_marked_total", "Events marked as bot or suspicious traffic", (host) => host.markedTrafficTotal],
    [
      "attune_dead_letters_dropped_total",
      "Rejected events beyond the quota, not kept",
      (_, project) => sources.intake.counts(project).quota.dropped,
    ],
    [
      "attune_decisions_dropped_total",
      "Choices that were shown and could not be logged: experiments and slots do not learn from them",
      (host) => host.decisionsDroppedTotal,
    ],
    ["attune_live_messages_total", "Messages pushed to live connections", (_, project) => sources.live(project).sent],
    [
      "attune_live_cut_total",
      "Live connections cut because they did not read",
      (_, project) => sources.live(project).dropped,
    ],
  ];
  const gauges: typeof counters = [
    ["attune_dead_letters", "Dead letters kept", (host) => host.deadLettersTotal],
    ["attune_queue_events", "Events that wait for the log", (host) => host.queuedEvents],
    ["attune_queue_bytes", "Bytes that wait for the log", (host) => host.queuedBytes],
    ["attune_log_position", "Position of the log's end", (host) => host.logPosition],
    ["attune_log_bytes", "Size of the log", (host) => host.logSizeBytes],
    ["attune_checkpoint_position", "Log position of the last checkpoint", (host) => host.checkpointPosition],
    ["attune_checkpoint_age_seconds", "Age of the last checkpoint", (host) => host.checkpointAgeMs / 1_000],
    ["attune_persons", "Persons known", (host) => host.personsTotal],
    ["attune_persons_cached", "Persons in memory", (host) => host.personsCached],
    [
      "attune_clock_ahead_seconds",
      "How far the data's time is ahead of the machine's clock: it stands still meanwhile",
      (host) => host.clockAheadMs / 1_000,
    ],
    ["attune_items", "Items known", (host) => host.itemsTotal],
    ["attune_storage_full", "1 while the disk is full", (host) => Number(host.storageFull)],
    ["attune_storage_failed", "1 when the log cannot be written any more, until a restart", (host) => Number(host.storageFailed)],
    [
      "attune_live_subscriptions",
      "Persons watched by live connections",
      (_, project) => sources.live(project).subscriptions,
    ],
  ];
  for (const [name, help, read] of counters) {
    new Counter({
      name,
      help,
      labelNames: ["project"],
      registers: [registry],
      collect() {
        this.reset();
        for (const project of openProjects()) this.inc({ project: project.name }, read(project.stats(), project));
      },
    });
  }
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ["project"],
      registers: [registry],
      collect() {
        for (const project of openProjects()) this.set({ project: project.name }, read(project.stats(), project));
      },
    });
  }
  new Gauge({
    name: "attune_part",
    help: "What the host depends on: each part's figures",
    labelNames: ["project", "part", "figure"],
    registers: [registry],
    collect() {
      for (const { name: project, ...host } of openProjects().map((one) => ({ name: one.name, ...one.stats() }))) {
        for (const [part, figures] of Object.entries(host.parts ?? {})) {
          for (const [figure, value] of Object.entries(figures)) this.set({ project, part, figure }, Number(value));
        }
      }
    },
  });
  new Gauge({
    name: "attune_model_hit_rate",
    help: "Share of judged steps whose item was among the model's first 20, over three days; `served` is what visitors got",
    labelNames: ["project", "model"],
    registers: [registry],
    async collect() {
      // A model that nobody has judged for three days has no rate: the last one does not stay.
      this.reset();
      for (const project of openProjects()) {
        const { models } = await project.models();
        for (const { name: model, hit_rate: rate } of models) if (rate !== null) this.set({ project: project.name, model }, rate);
      }
    },
  });
  new Gauge({
    name: "attune_model_last_alarm_timestamp_seconds",
    help: "When what is watched last changed, in event time, by what changed",
    labelNames: ["project", "metric"],
    registers: [registry],
    async collect() {
      for (const project of openProjects()) {
        for (const { metric, at } of (await project.models()).alarms) this.set({ project: project.name, metric }, Date.parse(at) / 1_000);
      }
    },
  });
  new Gauge({
    name: "attune_background_worse",
    help: "1 while the background model does surely worse than the one before it did",
    labelNames: ["project"],
    registers: [registry],
    async collect() {
      for (const project of openProjects()) {
        this.set({ project: project.name }, Number((await project.models()).background.verdict === "worse"));
      }
    },
  });
  new Counter({
    name: "attune_webhooks_total",
    help: "Webhook deliveries by outcome",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      const { delivered, retried, failed } = sources.webhooks();
      for (const [outcome, count] of Object.entries({ delivered, retried, failed })) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: "attune_resident_memory_bytes",
    help: "Resident memory of the process",
    registers: [registry],
    collect() {
      this.set(residentBytes());
    },
  });
  new Gauge({
    name: "attune_event_loop_delay_p99_seconds",
    help: "Delay of the event loop, p99 of the last step",
    registers: [registry],
    collect() {
      this.set(sources.history.eventLoopP99Ms / 1_000);
    },
  });
  registerDurations(registry, sources);
  return registry;
}

/**
 * The shell's histograms as a metric of the registry: prom-client's own `observe` costs more than the routing of a
 * request, and its registry asks a metric only for its name and its rows.
 */
function registerDurations(registry: Registry, sources: StatsSources): void {
  const name = "attune_duration_seconds";
  const help = "Time from a whole request to its answer, by route; `commit`: log, sync and fold of one submission";
  const rows = (): unknown[] =>
    [...sources.timings.byName].flatMap(([route, timing]) => durationRows(name, route, timing.allTime()));
  const metric = {
    name,
    help,
    type: "histogram",
    get: async () => ({ name, help, type: "histogram", values: rows() }),
  };
  registry.registerMetric(metric as unknown as Metric);
}

function durationRows(name: string, route: string, histogram: Histogram): unknown[] {
  if (histogram.count === 0) return [];
  const bucket = (le: number | "+Inf", value: number) => ({
    metricName: `${name}_bucket`,
    labels: { route, le },
    value,
  });
  return [
    ...BOUNDS_S.map((bound) => bucket(bound, histogram.countUpTo(bound * 1_000))),
    bucket("+Inf", histogram.count),
    { metricName: `${name}_sum`, labels: { route }, value: histogram.sumMs / 1_000 },
    { metricName: `${name}_count`, labels: { route }, value: histogram.count },
  ];
}
