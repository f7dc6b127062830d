// The parts of Flink's REST interface that `cluster` needs: upload, run, stop with a savepoint, look.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";

const ASK_TIMEOUT_MS = 30_000;
const SAVEPOINT_PATIENCE_MS = 300_000;
const POLL_MS = 200;

/** Flink refused, or does not answer; the message is Flink's own where it gave one. */
export class FlinkError extends Error {
  override readonly name = "FlinkError";
}

export interface JobOverview {
  readonly jid: string;
  readonly name: string;
  readonly state: string;
  readonly "start-time": number;
  readonly tasks: { readonly total: number; readonly running: number };
}

/** States in which a job runs or will run again by itself. */
const LIVING = new Set(["INITIALIZING", "CREATED", "RUNNING", "RESTARTING", "RECONCILING", "FAILING", "SUSPENDED"]);

export const isLiving = ({ state }: JobOverview): boolean => LIVING.has(state);

export interface RunOptions {
  /** 32 hexadecimal digits, never used before; without, Flink chooses. */
  jobId?: string;
  /** Without, the jar's own. */
  entryClass?: string;
  args: readonly string[];
  parallelism: number;
  /** A savepoint or a retained checkpoint to go on from. */
  from?: { path: string; isOurs: boolean };
  /** Flink settings of this job. */
  settings?: Readonly<Record<string, string>>;
}

export interface CheckpointFigures {
  completed: number;
  /** None before the first that had begun. */
  failed: number;
  restored: number;
  inProgress: number;
  lastDurationMs: number | undefined;
  lastSizeBytes: number | undefined;
  lastAtMs: number | undefined;
  /** When the newest whole one began. */
  lastTriggeredMs: number | undefined;
}

export class FlinkRest {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, "");
  }

  async jobs(): Promise<JobOverview[]> {
    return (await this.#ask<{ jobs: JobOverview[] }>("/jobs/overview")).jobs;
  }

  async overview(): Promise<{ taskmanagers: number; "slots-total": number; "slots-available": number }> {
    return this.#ask("/overview");
  }

  async taskManagers(): Promise<{ id: string }[]> {
    return (await this.#ask<{ taskmanagers: { id: string }[] }>("/taskmanagers")).taskmanagers;
  }

  /** What the JobManager was started with. */
  async classPath(): Promise<string[]> {
    return (await this.#ask<{ classpath: string[] }>("/jobmanager/environment")).classpath;
  }

  /** Settings of the JobManager's `config.yaml`. */
  async configuration(): Promise<Map<string, string>> {
    const entries = await this.#ask<{ key: string; value: string }[]>("/jobmanager/config");
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  /** Uploads a jar; its id. Flink keeps it until `deleteJar`. */
  async uploadJar(path: string): Promise<string> {
    const form = new FormData();
    const type = "application/x-java-archive";
    form.set("jarfile", new File([await readFile(path)], basename(path), { type }));
    const { filename } = await this.#ask<{ filename: string }>("/jars/upload", { method: "POST", body: form });
    return basename(filename);
  }

  async deleteJar(id: string): Promise<void> {
    await this.#ask(`/jars/${id}`, { method: "DELETE" });
  }

  /** Starts a job; its id. */
  async run(jarId: string, { jobId, entryClass, args, parallelism, from, settings }: RunOptions): Promise<string> {
    const body = {
      ...(jobId === undefined ? {} : { jobId }),
      ...(entryClass === undefined ? {} : { entryClass }),
      programArgsList: args,
      parallelism,
      // What is ours is Flink's to delete once newer checkpoints stand for it; a person's savepoint stays.
      ...(from === undefined ? {} : { savepointPath: from.path, claimMode: from.isOurs ? "CLAIM" : "NO_CLAIM" }),
      ...(settings === undefined ? {} : { flinkConfiguration: settings }),
    };
    return (await this.#ask<{ jobid: string }>(`/jars/${jarId}/run`, json("POST", body))).jobid;
  }

  async cancel(jobId: string): Promise<void> {
    await this.#ask(`/jobs/${jobId}?mode=cancel`, { method: "PATCH" });
  }

  /** Writes a savepoint and ends the job with it; its path. Without draining: a drain would let every timer fire. */
  stop(jobId: string): Promise<string> {
    return this.#savepoint(jobId, "stop", { drain: false });
  }

  /** Writes a savepoint while the job goes on; its path. */
  savepoint(jobId: string, targetDirectory?: string): Promise<string> {
    const target = targetDirectory === undefined ? {} : { "target-directory": targetDirectory };
    return this.#savepoint(jobId, "savepoints", { "cancel-job": false, ...target });
  }

  async checkpoints(jobId: string): Promise<CheckpointFigures> {
    const { counts, latest } = await this.#ask<CheckpointAnswer>(`/jobs/${jobId}/checkpoints`);
    const last = latest.completed;
    return {
      completed: counts.completed,
      // Flink counts those too that it did not begin because not all tasks ran yet, and keeps nothing of them.
      failed: latest.failed === null ? 0 : counts.failed,
      restored: counts.restored,
      inProgress: counts.in_progress,
      lastDurationMs: last?.end_to_end_duration,
      lastSizeBytes: last?.state_size,
      lastAtMs: last?.latest_ack_timestamp,
      lastTriggeredMs: last?.trigger_timestamp,
    };
  }

  /**
   * Where a job can go on from, also one that has ended: the newest of its checkpoints and savepoints that Flink has not
   * deleted. Who stops a job with a savepoint leaves that one alone. Undefined where Flink knows none.
   */
  async startingPoint(jobId: string): Promise<{ path: string; isSavepoint: boolean } | undefined> {
    try {
      const { latest } = await this.#ask<CheckpointAnswer>(`/jobs/${jobId}/checkpoints`);
      const kept = [latest.completed, latest.savepoint].filter((point) => point !== null && !point.discarded).map((point) => point!);
      const newest = kept.sort((a, b) => b.id - a.id)[0];
      return newest?.external_path === undefined ? undefined : { path: pathOf(newest.external_path), isSavepoint: newest.is_savepoint };
    } catch (error) {
      if (error instanceof FlinkError) return undefined;
      throw error;
    }
  }

  async vertices(jobId: string): Promise<{ id: string; name: string; parallelism: number }[]> {
    type Answer = { vertices: { id: string; name: string; parallelism: number }[] };
    return (await this.#ask<Answer>(`/jobs/${jobId}`)).vertices;
  }

  /** Sums of metrics over the subtasks of one vertex; a metric that it has not is absent. */
  async metricSums(jobId: string, vertexId: string, names: readonly string[]): Promise<Map<string, number>> {
    const query = `get=${names.join(",")}&agg=sum`;
    const answer = await this.#ask<{ id: string; sum: number }[]>(
      `/jobs/${jobId}/vertices/${vertexId}/subtasks/metrics?${query}`,
    );
    return new Map(answer.map(({ id, sum }) => [id, sum]));
  }

  /** Names of the metrics of one vertex, over its subtasks. */
  async metricNames(jobId: string, vertexId: string): Promise<string[]> {
    const path = `/jobs/${jobId}/vertices/${vertexId}/subtasks/metrics`;
    return (await this.#ask<{ id: string }[]>(path)).map(({ id }) => id);
  }

  /** When the job last began to run: another moment after each restart. Unix ms; what Flink answers may be 3 s old. */
  async runningSince(jobId: string): Promise<number> {
    return (await this.#ask<{ timestamps: { RUNNING: number } }>(`/jobs/${jobId}`)).timestamps.RUNNING;
  }

  async jobMetric(jobId: string, name: string): Promise<number | undefined> {
    const [metric] = await this.#ask<{ value: string }[]>(`/jobs/${jobId}/metrics?get=${name}`);
    return metric === undefined ? undefined : Number(metric.value);
  }

  /** The newest exception that made the job restart or fail, and when (Unix ms). */
  async lastFailure(jobId: string): Promise<{ stackTrace: string; atMs: number } | undefined> {
    const path = `/jobs/${jobId}/exceptions?maxExceptions=1`;
    const { exceptionHistory } = await this.#ask<{ exceptionHistory: { entries: { stacktrace: string; timestamp: number }[] } }>(path);
    const [last] = exceptionHistory.entries;
    return last && { stackTrace: last.stacktrace, atMs: last.timestamp };
  }

  async #savepoint(jobId: string, operation: "stop" | "savepoints", body: object): Promise<string> {
    const path = `/jobs/${jobId}/${operation}`;
    const { "request-id": request } = await this.#ask<{ "request-id": string }>(path, json("POST", body));
    const deadline = performance.now() + SAVEPOINT_PATIENCE_MS;
    for (;;) {
      const answer = await this.#ask<SavepointAnswer>(`/jobs/${jobId}/savepoints/${request}`);
      if (answer.status.id === "COMPLETED") {
        const { location, "failure-cause": cause } = answer.operation ?? {};
        if (location !== undefined) return pathOf(location);
        const why = cause === undefined ? "no reason given" : faultsOf(cause["stack-trace"]);
        throw new FlinkError(`the savepoint failed: ${why}`);
      }
      if (performance.now() > deadline) throw new FlinkError("the savepoint was not written within five minutes");
      await setTimeout(POLL_MS);
    }
  }

  async #ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    let answer: Response;
    try {
      answer = await fetch(`${this.#url}${path}`, { ...init, signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    } catch (cause) {
      throw new FlinkError(`Flink does not answer at ${this.#url}`, { cause });
    }
    const text = await answer.text();
    if (!answer.ok) throw new FlinkError(`Flink answered ${answer.status} to ${path}: ${faultsOf(text)}`);
    return JSON.parse(text === "" ? "null" : text);
  }
}

interface CompletedCheckpoint {
  id: number;
  is_savepoint: boolean;
  end_to_end_duration: number;
  state_size: number;
  latest_ack_timestamp: number;
  trigger_timestamp: number;
  external_path?: string;
  /** Flink has deleted it. */
  discarded: boolean;
}

interface CheckpointAnswer {
  counts: { completed: number; failed: number; restored: number; in_progress: number };
  latest: { completed: CompletedCheckpoint | null; savepoint: CompletedCheckpoint | null; failed: object | null };
}

interface SavepointAnswer {
  status: { id: string };
  operation?: { location?: string; "failure-cause"?: { class: string; "stack-trace": string } };
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Of a folder on this machine its path, as `--from` takes it. */
const pathOf = (location: string): string => location.replace(/^file:\/*/, "/");

/** Flink answers a fault with the stack traces of its classes: the causes are what helps, each once. */
export function faultsOf(text: string): string {
  const lines = text.replaceAll("\\n", "\n").replaceAll("\\t", "\t").split("\n").map((line) => line.trim());
  const causes = [...new Set(lines.filter((line) => !line.startsWith("at ") && /Caused by|Exception/.test(line)))];
  return (causes.length > 0 ? causes.slice(0, FAULT_LINES_MAX) : lines.slice(0, FAULT_LINES_MAX)).join("\n");
}

const FAULT_LINES_MAX = 12;
