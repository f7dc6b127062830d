// What a cluster remembers of its jobs: which ran, from which jar, and where the next one goes on.
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface SubmittedJob {
  readonly jobId: string;
  readonly generation: number;
  /** Of its jar. */
  readonly hash: string;
  /** What the plan said of it; absent where a release submitted it that did not write that down. */
  readonly settings?: JobSettings;
  /** Unix ms. */
  readonly at: number;
  /** The savepoint or checkpoint that it was started from. */
  readonly from?: string;
}

export interface JobSettings {
  readonly parallelism: number;
  /** By name; no secrets, because everybody who may look at Flink sees them. */
  readonly arguments: Readonly<Record<string, string>>;
}

export interface JobState {
  /** The generation that servers read. */
  readonly generation: number;
  /** Newest last; bounded. */
  readonly jobs: readonly SubmittedJob[];
  /** Written when this job was stopped on purpose: its last word. */
  readonly savepoint?: { readonly path: string; readonly jobId: string };
  /** By generation: log time up to which the one before passed anonymous records on. 0 for the first. */
  readonly passOnAfterMs?: Readonly<Record<number, number>>;
}

const JOBS_MAX = 50;
const FIRST: JobState = { generation: 1, jobs: [] };

export async function readJobState(folder: string): Promise<JobState> {
  const path = join(folder, "job.json");
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as JobState) : FIRST;
}

export async function writeJobState(folder: string, state: JobState): Promise<void> {
  const path = join(folder, "job.json");
  const text = JSON.stringify({ ...state, jobs: state.jobs.slice(-JOBS_MAX) }, undefined, 2);
  // Flushed, so that no power cut leaves an empty file: without it the next job would be the first.
  await writeFile(`${path}.tmp`, `${text}\n`, { flush: true });
  await rename(`${path}.tmp`, path);
}

export function lastJob(state: JobState, generation: number): SubmittedJob | undefined {
  return state.jobs.findLast((job) => job.generation === generation);
}
