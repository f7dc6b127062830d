// How well each ranker does over time, and whether it, or what comes in, has changed. Fed by the progressive holdout: steps that
// were ranked before any ranker learnt them. All of it is part of the models, so a replay has the same figures.
import { createAdwin, type Adwin } from "../stats/adwin.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

const HOUR_MS = 3_600_000;
/** Hours that are kept: three days. */
export const HOURS_MAX = 72;
export const ALARMS_MAX = 32;
const TYPES_WATCHED = 8;
const TOP = 20;
const STATE_ROW = HOURS_MAX;
const JUDGED_MIN = 300; // Steps below which a background model is not judged.
/** Which way is worse. A model that gets better, as a young one does for days, is a change but nothing to wake somebody for. */
const WORSE: ReadonlyMap<string, 1 | -1> = new Map([["served", -1], ["background", -1], ["unproposed", 1], ["new_items", 1]]);
const SURE = 3; // Standard errors by which a new one must be worse.

export interface JudgedStep {
  readonly timeMs: number;
  /** Candidates that each ranker put before the item that came, TOP or more is a miss. */
  readonly ahead: ArrayLike<number>;
  /** The ranker that serves such sessions. */
  readonly served: number;
  /** Chance that the calibrated blend gave its first candidate, and whether that was it. */
  readonly firstChance: number;
  readonly firstHit: boolean;
  /** No model proposed the item. */
  readonly isUnproposed: boolean;
  /** Nobody had had to do with the item. */
  readonly isNew: boolean;
  readonly eventType: string;
}

export interface Alarm {
  readonly metric: string;
  /** Event time, Unix ms. */
  readonly atMs: number;
  readonly before: number;
  readonly after: number;
}

/** Hits of the background model on judged steps since it came. */
export interface BackgroundCount {
  sinceMs: number;
  steps: number;
  hits: number;
}

export interface HealthHour {
  readonly fromMs: number;
  readonly steps: number;
  /** Hits at 20 by ranker; the last one is what was served. */
  readonly hits: readonly number[];
  readonly firstChance: number;
  readonly firstHits: number;
}

export interface Health {
  judged(step: JudgedStep): void;
  /** Another background model has come. */
  backgroundCame(nowMs: number): void;
  /** `worse` where the background model does surely worse than the one before it did. */
  verdict(): "worse" | "good" | "unknown";
  readonly background: { readonly before: BackgroundCount; readonly now: BackgroundCount };
  /** Changes for the worse, and of the share of a type whichever way. Newest last. */
  readonly alarms: readonly Alarm[];
  /** The latest change, for better or worse: event time, 0 for none. */
  readonly changedMs: number;
  /** Current means of what is watched, and how many steps they stand for. */
  watched(): { metric: string; mean: number; steps: number }[];
  /** Of the three days up to the newest judged step, oldest first; hours without one are left out. */
  hours(): HealthHour[];
  readonly tables: readonly WholeTable[];
}

/** @param background - place of the background model among the rankers. */
export function createHealth(rankers: number, background: number): Health {
  const served = rankers; // One more place an hour.
  const width = rankers + 1;
  const hourOf = new Float64Array(HOURS_MAX).fill(-1);
  const steps = new Float64Array(HOURS_MAX);
  const chances = new Float64Array(HOURS_MAX);
  const firsts = new Float64Array(HOURS_MAX);
  const hits = new Float64Array(HOURS_MAX * width);
  const watches = new Map<string, Adwin>();
  const types: string[] = [];
  const alarms: Alarm[] = [];
  let changedMs = 0;
  const count = (): BackgroundCount => ({ sinceMs: 0, steps: 0, hits: 0 });
  const both = { before: count(), now: count() };

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(1);
    if (row === STATE_ROW) {
      for (const { sinceMs, steps: judged, hits: good } of [both.before, both.now]) for (const value of [sinceMs, judged, good]) out.f64(value);
      out.i32(alarms.length);
      for (const { metric, atMs, before, after } of alarms) {
        out.text(metric);
        for (const value of [atMs, before, after]) out.f64(value);
      }
      out.i32(watches.size);
      for (const [metric, watch] of watches) {
        const saved = watch.save();
        out.text(metric);
        out.i32(saved.length);
        for (const value of saved) out.f64(value);
      }
      out.f64(changedMs);
      return out.bytes();
    }
    for (const value of [hourOf[row]!, steps[row]!, chances[row]!, firsts[row]!]) out.f64(value);
    for (let i = row * width; i < (row + 1) * width; i++) out.f64(hits[i]!);
    return out.bytes();
  });

  const watch = (metric: string, value: number, atMs: number): void => {
    let adwin = watches.get(metric);
    if (adwin === undefined) watches.set(metric, (adwin = createAdwin()));
    const change = adwin.add(value);
    if (change === undefined) return;
    changedMs = atMs;
    const worse = WORSE.get(metric);
    if (worse !== undefined && (change.after - change.before) * worse < 0) return;
    alarms.push({ metric, atMs, ...change });
    if (alarms.length > ALARMS_MAX) alarms.shift();
  };

  /** Row of an hour; -1 for one that is too old. */
  const rowOf = (timeMs: number): number => {
    const hour = Math.floor(timeMs / HOUR_MS);
    const row = hour % HOURS_MAX;
    if (hourOf[row]! > hour) return -1;
    dirty.touch(row);
    if (hourOf[row]! < hour) {
      hourOf[row] = hour;
      steps[row] = 0;
      chances[row] = 0;
      firsts[row] = 0;
      hits.fill(0, row * width, (row + 1) * width);
    }
    return row;
  };

  const watchTypes = (eventType: string, atMs: number): void => {
    if (!types.includes(eventType) && types.length < TYPES_WATCHED) types.push(eventType);
    for (const type of types) watch(`type:${type}`, type === eventType ? 1 : 0, atMs);
  };

  return {
    alarms,
    get changedMs() {
      return changedMs;
    },
    background: both,
    judged(step) {
      const { timeMs, ahead } = step;
      dirty.touch(STATE_ROW);
      const row = rowOf(timeMs);
      if (row >= 0) {
        steps[row] = steps[row]! + 1;
        chances[row] = chances[row]! + step.firstChance;
        if (step.firstHit) firsts[row] = firsts[row]! + 1;
        for (let r = 0; r < rankers; r++) if (ahead[r]! < TOP) hits[row * width + r] = hits[row * width + r]! + 1;
        if (ahead[step.served]! < TOP) hits[row * width + served] = hits[row * width + served]! + 1;
      }
      both.now.steps++;
      if (ahead[background]! < TOP) both.now.hits++;
      watch("served", ahead[step.served]! < TOP ? 1 : 0, timeMs);
      if (both.now.sinceMs > 0) watch("background", ahead[background]! < TOP ? 1 : 0, timeMs);
      watch("unproposed", step.isUnproposed ? 1 : 0, timeMs);
      watch("new_items", step.isNew ? 1 : 0, timeMs);
      watchTypes(step.eventType, timeMs);
    },
    backgroundCame(nowMs) {
      dirty.touch(STATE_ROW);
      // One that was hardly judged says nothing against the next, and before the first there was none.
      if (both.now.sinceMs !== 0 && both.now.steps >= JUDGED_MIN) both.before = both.now;
      both.now = { sinceMs: nowMs, steps: 0, hits: 0 };
      watches.delete("background");
    },
    verdict() {
      const { before, now } = both;
      if (before.sinceMs === 0 || before.steps < JUDGED_MIN || now.steps < JUDGED_MIN) return "unknown";
      const [was, is] = [before.hits / before.steps, now.hits / now.steps];
      const error = Math.sqrt((was * (1 - was)) / before.steps + (is * (1 - is)) / now.steps);
      return was - is > SURE * error ? "worse" : "good";
    },
    watched: () => [...watches].map(([metric, adwin]) => ({ metric, mean: adwin.mean, steps: adwin.length })),
    hours: () => {
      // A row is overwritten by the hour that needs it: after a pause most rows still hold hours from before it.
      const newest = Math.max(...hourOf);
      return Array.from(hourOf, (hour, row) => ({ hour, row }))
        .filter(({ hour, row }) => hour > newest - HOURS_MAX && hour >= 0 && steps[row]! > 0)
        .sort((a, b) => a.hour - b.hour)
        .map(({ hour, row }) => ({
          fromMs: hour * HOUR_MS,
          steps: steps[row]!,
          hits: [...hits.subarray(row * width, (row + 1) * width)],
          firstChance: chances[row]!,
          firstHits: firsts[row]!,
        }));
    },
    tables: [
      slotTable("health", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        if (row !== STATE_ROW) {
          [hourOf[row], steps[row], chances[row], firsts[row]] = [input.f64(), input.f64(), input.f64(), input.f64()];
          // A later release may have one more ranker.
          const known = input.left() / 8 - 1;
          for (let r = 0; r < known; r++) hits[row * width + r] = input.f64();
          hits[row * width + served] = input.f64();
          return;
        }
        for (const one of [both.before, both.now]) Object.assign(one, { sinceMs: input.f64(), steps: input.f64(), hits: input.f64() });
        for (let left = input.i32(); left > 0; left--) {
          alarms.push({ metric: input.text(), atMs: input.f64(), before: input.f64(), after: input.f64() });
        }
        for (let left = input.i32(); left > 0; left--) {
          const metric = input.text();
          const adwin = createAdwin();
          adwin.load(Array.from({ length: input.i32() }, () => input.f64()));
          watches.set(metric, adwin);
          if (metric.startsWith("type:")) types.push(metric.slice("type:".length));
        }
        changedMs = input.left() >= 8 ? input.f64() : (alarms.at(-1)?.atMs ?? 0); // Earlier releases took every change for an alarm.
      }),
    ],
  };
}
