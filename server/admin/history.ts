// What the console plots: ten minutes of one project's figures in memory, a point every five seconds.
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Logger } from "pino";
import { Histogram, round, STEP_MS, type Timing, type Timings } from "../http/timings.ts";
import type { Intake } from "../intake/intake.ts";
import type { Project } from "../ports.ts";
import { residentBytes } from "./resident-memory.ts";

const POINTS_MAX = 120;
const SEGMENTS_MAX = 64;
const INTAKE_ROUTE = "POST /v1/events";
const RECOMMEND_ROUTES = ["GET /v1/recommendations", "POST /v1/recommendations"];

const COLUMNS = [
  "accepted_per_s",
  "rejected_per_s",
  "marked_per_s",
  "requests_per_s",
  "intake_p50_ms",
  "intake_p99_ms",
  "commit_p50_ms",
  "commit_p99_ms",
  "recommend_p50_ms",
  "recommend_p99_ms",
  "queue_bytes",
  "checkpoint_age_s",
  "event_loop_p99_ms",
  "rss_bytes",
] as const;
type Column = (typeof COLUMNS)[number];
type CountColumn = "accepted_per_s" | "rejected_per_s" | "marked_per_s";
type Counts = { accepted: number; rejected: number; marked: number };

/** One point of a series; null where nothing was measured. */
export type Point = Record<Column, number | null>;

export interface Series extends Record<Column, (number | null)[]> {
  step_s: number;
  at: string[];
  segments: Record<string, (number | null)[]>;
}

/** What the whole process measured in one step; the same for every project. */
interface ProcessStep {
  requests: number;
  intake: Histogram;
  recommend: Histogram;
  eventLoopP99Ms: number;
  rssBytes: number;
}

class ProjectHistory {
  readonly points: { at: string; point: Point; segments: ReadonlyMap<string, number> }[] = [];
  #last = { accepted: 0, rejected: 0, marked: 0 };

  add(at: string, counts: Counts, rest: Omit<Point, CountColumn>, segments: ReadonlyMap<string, number>): void {
    const perS = (now: number, before: number): number => round((now - before) / (STEP_MS / 1_000));
    const point: Point = {
      accepted_per_s: perS(counts.accepted, this.#last.accepted),
      rejected_per_s: perS(counts.rejected, this.#last.rejected),
      marked_per_s: perS(counts.marked, this.#last.marked),
      ...rest,
    };
    this.#last = counts;
    this.points.push({ at, point, segments });
    if (this.points.length > POINTS_MAX) this.points.shift();
  }

  series(): Series {
    const columns = Object.fromEntries(COLUMNS.map((name) => [name, this.points.map(({ point }) => point[name])]));
    const names = [...(this.points.at(-1)?.segments.keys() ?? [])];
    return {
      step_s: STEP_MS / 1_000,
      at: this.points.map(({ at }) => at),
      ...(columns as Record<Column, (number | null)[]>),
      segments: Object.fromEntries(
        names.map((name) => [name, this.points.map(({ segments }) => segments.get(name) ?? null)]),
      ),
    };
  }
}

export interface History {
  /** Begins to keep a project's history. */
  watch(project: Project): void;
  series(project: Project): Series;
  /** p99 of the event loop's delay in the last step. */
  readonly eventLoopP99Ms: number;
  /** CPU of the process in the last step, in cores. */
  readonly cpuShare: number;
  close(): void;
}

export function createHistory(options: {
  timings: Timings;
  commitTiming: (project: Project) => Timing;
  intake: Intake;
  logger: Logger;
  now: () => number;
}): History {
  const { timings, intake } = options;
  const histories = new Map<Project, ProjectHistory>();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let cpu = process.cpuUsage();
  let cpuShare = 0;
  let eventLoopP99Ms = 0;

  function step(): void {
    const used = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    cpuShare = round((used.user + used.system) / 1_000 / STEP_MS);
    // The monitor measures its own 10 ms timer: what is beyond that is delay.
    eventLoopP99Ms = round(Math.max(0, delay.percentile(99) / 1e6 - 10));
    delay.reset();
    const measured: ProcessStep = {
      requests: 0,
      intake: new Histogram(),
      recommend: new Histogram(),
      eventLoopP99Ms,
      rssBytes: residentBytes(),
    };
    const commits = new Map<string, Histogram>();
    for (const [name, timing] of timings.byName) {
      const done = timing.step();
      if (name.startsWith("commit ")) commits.set(name, done);
      else measured.requests += done.count;
      if (name === INTAKE_ROUTE) measured.intake.add(done);
      if (RECOMMEND_ROUTES.includes(name)) measured.recommend.add(done);
    }
    for (const [project, history] of histories) {
      record(project, history, measured, commits.get(commitName(project))).catch((error: unknown) => {
        options.logger.warn({ err: error, project: project.name }, "a point of the history was not recorded");
      });
    }
  }

  async function record(
    project: Project,
    history: ProjectHistory,
    measured: ProcessStep,
    commit: Histogram | undefined,
  ): Promise<void> {
    const at = new Date(options.now()).toISOString();
    const { accepted, rejected, marked } = intake.counts(project);
    const { queuedBytes, checkpointAgeMs } = project.stats();
    const segments = (await project.segments()).slice(0, SEGMENTS_MAX);
    const rest = {
      requests_per_s: round(measured.requests / (STEP_MS / 1_000)),
      intake_p50_ms: measured.intake.quantileMs(0.5),
      intake_p99_ms: measured.intake.quantileMs(0.99),
      commit_p50_ms: commit?.quantileMs(0.5) ?? null,
      commit_p99_ms: commit?.quantileMs(0.99) ?? null,
      recommend_p50_ms: measured.recommend.quantileMs(0.5),
      recommend_p99_ms: measured.recommend.quantileMs(0.99),
      queue_bytes: queuedBytes,
      checkpoint_age_s: round(checkpointAgeMs / 1_000),
      event_loop_p99_ms: measured.eventLoopP99Ms,
      rss_bytes: measured.rssBytes,
    };
    history.add(at, { accepted, rejected, marked }, rest, new Map(segments.map(({ name, size }) => [name, size])));
  }

  const timer = setInterval(step, STEP_MS);
  timer.unref();
  return {
    watch(project) {
      if (!histories.has(project)) histories.set(project, new ProjectHistory());
    },
    series: (project) => (histories.get(project) ?? new ProjectHistory()).series(),
    get eventLoopP99Ms() {
      return eventLoopP99Ms;
    },
    get cpuShare() {
      return cpuShare;
    },
    close() {
      clearInterval(timer);
      delay.disable();
    },
  };
}

/** The timing of a project's commits: log, fsync and fold of one submission. */
export function commitName(project: Project): string {
  return `commit ${project.name}`;
}
