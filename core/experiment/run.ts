// One run of an experiment: what its variants have brought so far, as sums, and how that looked over time.
import type { CompiledExperiment } from "../program/compiled.ts";
import type { ExperimentStop } from "../record.ts";
import { emptyMoments, type Moments } from "../stats/moments.ts";
import { ratioMismatch } from "../stats/sample-ratio.ts";
import { ByteReader } from "../wire/reader.ts";
import { ByteWriter } from "../wire/writer.ts";

export interface VariantSums {
  /** Persons whose first decision gave them the variant, whether they saw it or not. */
  assigned: number;
  /** Persons who saw it. */
  users: number;
  /** How often it was seen. */
  exposures: number;
  /** By metric, over the persons who saw it. */
  readonly moments: Moments[];
}

/** The primary metric at one moment, by variant. */
export interface HistoryPoint {
  atMs: number;
  users: number[];
  means: number[];
  /** Of the lift over control; NaN for control and where there is none yet. */
  lows: number[];
  highs: number[];
}

export interface Run {
  readonly id: string;
  readonly experiment: string;
  startedMs: number;
  /** Processing time of the last change. */
  changedMs: number;
  readonly variants: VariantSums[];
  /** Persons who turned out to be one, with two variants. */
  mixed: number;
  /** ln of the highest odds against the promised shares so far. */
  mismatch: number;
  readonly stops: { variant: number; atMs: number; metric: string; low: number; high: number }[];
  /** Interleaved lists that `a`, `b` and nobody won. */
  readonly wins: [a: number, b: number, ties: number];
  history: HistoryPoint[];
  /** Time between two points of the history. */
  stepMs: number;
}

const FIRST_STEP_MS = 60_000;
/** With one more, every second point goes and the step doubles. */
const HISTORY_MAX = 128;

export function emptyRun({ name, run, variants, metrics }: CompiledExperiment, atMs: number): Run {
  return {
    id: run,
    experiment: name,
    startedMs: atMs,
    changedMs: atMs,
    variants: variants.map(() => ({ assigned: 0, users: 0, exposures: 0, moments: metrics.map(emptyMoments) })),
    mixed: 0,
    mismatch: -Infinity,
    stops: [],
    wins: [0, 0, 0],
    history: [],
    stepMs: FIRST_STEP_MS,
  };
}

export function isStopped(run: Run | undefined, variant: number): boolean {
  return run !== undefined && run.stops.some((stop) => stop.variant === variant);
}

export function stopVariant(run: Run, variant: number, { metric, low, high }: ExperimentStop, atMs: number): void {
  if (isStopped(run, variant)) return;
  run.stops.push({ variant, atMs, metric, low, high });
}

/**
 * Looks at the shares of people after one more. Those of a stopped variant come no more, so from then on it is the others
 * among themselves; what was seen before holds on, since the numbers of before stand there too.
 */
export function watchShares(run: Run, { variants }: CompiledExperiment): void {
  const open = variants.map((_, i) => i).filter((i) => !isStopped(run, i));
  if (open.length < 2) return;
  const total = open.reduce((sum, i) => sum + variants[i]!.share, 0);
  const counts = open.map((i) => run.variants[i]!.users);
  run.mismatch = Math.max(
    run.mismatch,
    ratioMismatch(
      counts,
      open.map((i) => variants[i]!.share / total),
    ),
  );
}

/** True where the history wants a point. */
export function isPointDue({ history, stepMs }: Run, atMs: number): boolean {
  const last = history.at(-1);
  return last === undefined || atMs - last.atMs >= stepMs;
}

export function addPoint(run: Run, point: HistoryPoint): void {
  run.history.push(point);
  if (run.history.length <= HISTORY_MAX) return;
  run.history = run.history.filter((_, i) => i % 2 === 0);
  run.stepMs *= 2;
}

const VERSION = 1;
const LIST_MAX = 1_024;
const MOMENTS = ["count", "x", "xx", "y", "yy", "xy"] as const satisfies readonly (keyof Moments)[];

export function encodeRun(run: Run): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.string(run.experiment);
  for (const value of [run.startedMs, run.changedMs, run.mixed, run.mismatch, ...run.wins, run.stepMs])
    writer.number(value);
  writer.varint(run.variants.length);
  for (const { assigned, users, exposures, moments } of run.variants) {
    for (const value of [assigned, users, exposures]) writer.number(value);
    writer.varint(moments.length);
    for (const sums of moments) for (const name of MOMENTS) writer.number(sums[name]);
  }
  writer.varint(run.stops.length);
  for (const { variant, atMs, metric, low, high } of run.stops) {
    writer.varint(variant);
    writer.string(metric);
    for (const value of [atMs, low, high]) writer.number(value);
  }
  writer.varint(run.history.length);
  for (const { atMs, users, means, lows, highs } of run.history) {
    writer.number(atMs);
    for (const list of [users, means, lows, highs]) for (const value of list) writer.number(value);
  }
  return writer.take();
}

/** @throws CorruptBytesError */
export function decodeRun(id: string, bytes: Uint8Array): Run {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw reader.corrupt("a run of another version");
  const experiment = reader.string();
  const [startedMs, changedMs, mixed, mismatch] = numbers(reader, 4) as [number, number, number, number];
  const wins = numbers(reader, 3) as [number, number, number];
  const stepMs = reader.number();
  const variants = list(reader, (): VariantSums => {
    const [assigned, users, exposures] = numbers(reader, 3) as [number, number, number];
    const moments = list(reader, () => {
      const sums = emptyMoments();
      for (const name of MOMENTS) sums[name] = reader.number();
      return sums;
    });
    return { assigned, users, exposures, moments };
  });
  const stops = list(reader, () => {
    const [variant, metric] = [reader.varint(), reader.string()];
    const [atMs, low, high] = numbers(reader, 3) as [number, number, number];
    return { variant, atMs, metric, low, high };
  });
  const size = variants.length;
  const history = list(reader, (): HistoryPoint => {
    const atMs = reader.number();
    const [users, means, lows, highs] = Array.from({ length: 4 }, () => numbers(reader, size)) as [
      number[],
      number[],
      number[],
      number[],
    ];
    return { atMs, users, means, lows, highs };
  });
  reader.end();
  return { id, experiment, startedMs, changedMs, variants, mixed, mismatch, stops, wins, history, stepMs };
}

function numbers(reader: ByteReader, count: number): number[] {
  return Array.from({ length: count }, () => reader.number());
}

function list<T>(reader: ByteReader, read: () => T): T[] {
  return Array.from({ length: reader.count(LIST_MAX) }, read);
}
