// The bytes of what a program decides: windows, features and sequences. Each entry names itself by the hash of its key.
import { readValue, writeValue } from "../wire/value.ts";
import {
  readDistances,
  readTime,
  readTimes,
  writeDistances,
  writeTime,
  writeTimes,
  type In,
  type Out,
} from "./codec-times.ts";
import { DISTINCT_MAX, measureOf, type FeatureState } from "./features.ts";
import type { FeaturePlan } from "./plan.ts";
import { SEQUENCE_TIMES_MAX } from "./fold.ts";
import { emptySeries, EXACT_MAX, PANES, type Measure, type Series } from "./series.ts";
import { BUILT_IN_WINDOWS_MS, type PersonState } from "./state.ts";

/** More windows, features or sequences than a program may have. */
const PLANNED_MAX = 4096;

type Sequence = PersonState["sequences"][number];

/** Only what is not empty, each with the hash of its key: by that it is found again under any program. */
export function writePlanned(out: Out, state: PersonState): void {
  for (const series of state.rates) writeSeries(out, series);
  const { layout } = state;
  writeEach(out, layout.windowHashes, state.windows, hasEvents, writeSeries);
  writeEach(out, layout.featureHashes, state.features, (feature) => featureFlags(feature) !== 0, writeFeature);
  writeEach(out, layout.sequenceHashes, state.sequences, hasTimes, writeSequence);
}

/** What `writePlanned` wrote; what the plan does not have is read past. */
export function readPlanned(from: In, state: PersonState): void {
  const { layout } = state;
  const { windows, features } = layout.plan;
  for (let i = 0; i < BUILT_IN_WINDOWS_MS.length; i++) readSeries(from, state.rates[i]!, "count");
  readEach(from, layout.windowHashes, (index) => {
    readSeries(from, state.windows[index] ?? emptySeries(), windows[index]?.measure ?? "count");
  });
  readEach(from, layout.featureHashes, (index) => readFeature(from, state.features[index], features[index]));
  readEach(from, layout.sequenceHashes, (index) => {
    readTimes(from, state.sequences[index]?.first ?? [], SEQUENCE_TIMES_MAX);
    readTimes(from, state.sequences[index]?.second ?? [], SEQUENCE_TIMES_MAX);
  });
}

function hasEvents(series: Series): boolean {
  return series.newestMs >= 0;
}

function hasTimes({ first, second }: Sequence): boolean {
  return first.length + second.length > 0;
}

function writeSequence(out: Out, { first, second }: Sequence): void {
  writeTimes(out, first);
  writeTimes(out, second);
}

function writeEach<T>(
  out: Out,
  hashes: readonly number[],
  entries: readonly T[],
  isSet: (entry: T) => boolean,
  write: (out: Out, entry: T) => void,
): void {
  let count = 0;
  for (const entry of entries) if (isSet(entry)) count++;
  out.writer.varint(count);
  for (let i = 0; i < entries.length; i++) {
    if (!isSet(entries[i]!)) continue;
    out.writer.uint32(hashes[i]!);
    write(out, entries[i]!);
  }
}

// `read` gets -1 for an entry that the plan does not have: it reads past it.
function readEach(from: In, hashes: readonly number[], read: (index: number) => void): void {
  const count = from.reader.count(PLANNED_MAX);
  for (let i = 0; i < count; i++) read(hashes.indexOf(from.reader.uint32()));
}

const HAS_VALUES = 1;
const HAS_PANES = 2;
const HAS_PANE_VALUES = 4;

function writeSeries(out: Out, series: Series): void {
  const { times, values, panes, paneCounts, paneValues } = series;
  let flags = panes.length > 0 ? HAS_PANES : 0;
  for (const value of values) if (value !== 1) flags |= HAS_VALUES;
  for (let i = 0; i < paneValues.length; i++) if (paneValues[i] !== paneCounts[i]) flags |= HAS_PANE_VALUES;
  out.writer.varint(times.length * 8 + flags);
  writeDistances(out, times);
  if ((flags & HAS_VALUES) !== 0) for (const value of values) out.writer.number(value);
  if ((flags & HAS_PANES) === 0) return;
  out.writer.varint(panes.length);
  for (let i = 0; i < panes.length; i++) {
    out.writer.varint(panes[i]! - (i === 0 ? 0 : panes[i - 1]!));
    out.writer.varint(paneCounts[i]!);
    if ((flags & HAS_PANE_VALUES) !== 0) out.writer.number(paneValues[i]!);
  }
}

// Values are read past where only the count matters.
function readSeries(from: In, series: Series, measure: Measure): void {
  const { reader } = from;
  const head = reader.varint();
  const count = Math.floor(head / 8);
  if (count > EXACT_MAX) throw reader.corrupt("too many times");
  if (count > 0) {
    series.times = readDistances(from, [], count);
    series.newestMs = series.times[count - 1]!;
    const values: number[] = [];
    if ((head & HAS_VALUES) !== 0) for (let i = 0; i < count; i++) values.push(reader.number());
    else if (measure !== "count") for (let i = 0; i < count; i++) values.push(1);
    if (measure !== "count") series.values = values;
  }
  if ((head & HAS_PANES) === 0) return;
  const panes: number[] = [];
  const paneCounts: number[] = [];
  const paneValues: number[] = [];
  const paneCount = reader.count(PANES + 2);
  let pane = 0;
  for (let i = 0; i < paneCount; i++) {
    panes.push((pane += reader.varint()));
    const inPane = reader.varint();
    paneCounts.push(inPane);
    paneValues.push((head & HAS_PANE_VALUES) !== 0 ? reader.number() : inPane);
  }
  series.panes = panes;
  series.paneCounts = paneCounts;
  if (measure !== "count") series.paneValues = paneValues;
}

const HAS_TOTALS = 1;
const HAS_LAST = 2;
const HAS_SERIES = 4;
const HAS_DISTINCT = 8;
const HAS_DECAYED = 16;

function featureFlags(feature: FeatureState): number {
  return (
    (feature.count > 0 ? HAS_TOTALS : 0) |
    (feature.last !== undefined ? HAS_LAST : 0) |
    (feature.series !== null && feature.series.newestMs >= 0 ? HAS_SERIES : 0) |
    (feature.distinct !== null && feature.distinct.lo.length > 0 ? HAS_DISTINCT : 0) |
    (feature.decayed !== null && feature.decayed.landmark >= 0 ? HAS_DECAYED : 0)
  );
}

function writeFeature(out: Out, feature: FeatureState): void {
  const flags = featureFlags(feature);
  out.writer.byte(flags);
  if ((flags & HAS_TOTALS) !== 0) {
    out.writer.varint(feature.count);
    out.writer.number(feature.sum);
    out.writer.number(feature.max);
  }
  if ((flags & HAS_LAST) !== 0) {
    writeTime(out, feature.lastMs);
    writeValue(out.writer, feature.last);
  }
  if ((flags & HAS_SERIES) !== 0) writeSeries(out, feature.series!);
  if ((flags & HAS_DISTINCT) !== 0) {
    const { hi, lo, lastMs } = feature.distinct!;
    out.writer.varint(lo.length);
    for (let i = 0; i < lo.length; i++) {
      out.writer.uint32(hi[i]!);
      out.writer.uint32(lo[i]!);
      writeTime(out, lastMs[i]!);
    }
  }
  if ((flags & HAS_DECAYED) !== 0) {
    out.writer.varint(feature.decayed!.landmark);
    out.writer.float64(feature.decayed!.scaled);
  }
}

function readFeature(from: In, feature: FeatureState | undefined, plan: FeaturePlan | undefined): void {
  const { reader } = from;
  const flags = reader.byte();
  if ((flags & HAS_TOTALS) !== 0) {
    const count = reader.varint();
    const sum = reader.number();
    const max = reader.number();
    if (feature !== undefined) {
      feature.count = count;
      feature.sum = sum;
      feature.max = max;
    }
  }
  if ((flags & HAS_LAST) !== 0) {
    const lastMs = readTime(from);
    const last = readValue(reader);
    if (typeof last !== "number" && typeof last !== "string") throw reader.corrupt("a last value of another type");
    if (feature !== undefined) {
      feature.lastMs = lastMs;
      feature.last = last;
    }
  }
  if ((flags & HAS_SERIES) !== 0)
    readSeries(from, feature?.series ?? emptySeries(), plan === undefined ? "count" : measureOf(plan));
  if ((flags & HAS_DISTINCT) !== 0) {
    const count = reader.count(DISTINCT_MAX);
    const distinct = feature?.distinct ?? { hi: [], lo: [], lastMs: [] };
    for (let i = 0; i < count; i++) {
      distinct.hi.push(reader.uint32());
      distinct.lo.push(reader.uint32());
      distinct.lastMs.push(readTime(from));
    }
  }
  if ((flags & HAS_DECAYED) !== 0) {
    const decayed = feature?.decayed ?? { landmark: -1, scaled: 0 };
    decayed.landmark = reader.varint();
    decayed.scaled = reader.float64();
  }
}
