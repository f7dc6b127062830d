// The bytes of what a program decides: windows, features and sequences. Each entry names itself by the hash of its key.
import { readValue, writeValue } from "../wire/value.ts";
import type { ByteReader } from "../wire/reader.ts";
import {
  readDistances, readTime, readTimes, writeDistances, writeTime, writeTimes, type In, type Out,
} from "./codec-times.ts";
import { DISTINCT_MAX, DISTINCT_NUMBERS, emptyFeature, measureOf, type FeatureState } from "./features.ts";
import type { FeaturePlan } from "./plan.ts";
import { emptySeries, PANES, type Measure, type Panes, type Series } from "./series.ts";
import { BUILT_IN_WINDOWS_MS, type PersonState, type SequenceTimes } from "./state.ts";
import { TIMES_MAX } from "./times.ts";

/** More windows, features or sequences than a program may have. */
const PLANNED_MAX = 4096;

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
  state.rates = BUILT_IN_WINDOWS_MS.map(() => readSeries(from, "count"));
  readEach(from, layout.windowHashes, state.windows, (i) => readSeries(from, windows[i]?.measure ?? "count"));
  readEach(from, layout.featureHashes, state.features, (i) => readFeature(from, features[i]), layout.earlierFeatureHashes);
  readEach(from, layout.sequenceHashes, state.sequences, () => ({ first: readTimes(from), second: readTimes(from) }));
}

function hasEvents({ times }: Readonly<Series>): boolean {
  return times.length > 0;
}

function hasTimes({ first, second }: SequenceTimes): boolean {
  return first.length + second.length > 0;
}

function writeSequence(out: Out, { first, second }: SequenceTimes): void {
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
function readEach<T>(
  from: In,
  hashes: readonly number[],
  entries: T[],
  read: (index: number) => T,
  earlierHashes: readonly number[] = hashes,
): void {
  const count = from.reader.count(PLANNED_MAX);
  for (let i = 0; i < count; i++) {
    const hash = from.reader.uint32();
    const index = hashes.includes(hash) ? hashes.indexOf(hash) : earlierHashes.indexOf(hash);
    const entry = read(index);
    if (index >= 0) entries[index] = entry;
  }
}

const HAS_VALUES = 1;
const HAS_PANES = 2;
const HAS_PANE_VALUES = 4;

function writeSeries(out: Out, { times, values, panes }: Readonly<Series>): void {
  const { indices, counts, values: paneValues } = panes;
  let flags = indices.length > 0 ? HAS_PANES : 0;
  for (const value of values) if (value !== 1) flags |= HAS_VALUES;
  for (let i = 0; i < paneValues.length; i++) if (paneValues[i] !== counts[i]) flags |= HAS_PANE_VALUES;
  out.writer.varint(times.length * 8 + flags);
  writeDistances(out, times);
  if ((flags & HAS_VALUES) !== 0) for (const value of values) out.writer.number(value);
  if ((flags & HAS_PANES) === 0) return;
  out.writer.varint(indices.length);
  for (let i = 0; i < indices.length; i++) {
    out.writer.varint(indices[i]! - (i === 0 ? 0 : indices[i - 1]!));
    out.writer.varint(counts[i]!);
    if ((flags & HAS_PANE_VALUES) !== 0) out.writer.number(paneValues[i]!);
  }
}

// Values are read past where only the count matters.
function readSeries(from: In, measure: Measure): Series {
  const { reader } = from;
  const series = emptySeries();
  const head = reader.varint();
  const count = Math.floor(head / 8);
  if (count > TIMES_MAX) throw reader.corrupt("too many times");
  series.times = readDistances(from, count);
  if ((head & HAS_VALUES) !== 0 || (measure !== "count" && count > 0)) {
    const values = new Array<number>(count);
    for (let i = 0; i < count; i++) values[i] = (head & HAS_VALUES) !== 0 ? reader.number() : 1;
    if (measure !== "count") series.values = values;
  }
  if ((head & HAS_PANES) !== 0) series.panes = readPanes(reader, (head & HAS_PANE_VALUES) !== 0, measure);
  return series;
}

function readPanes(reader: ByteReader, hasValues: boolean, measure: Measure): Panes {
  const panes: Panes = { indices: [], counts: [], values: [] };
  const count = reader.count(PANES + 2);
  let index = 0;
  for (let i = 0; i < count; i++) {
    panes.indices.push((index += reader.varint()));
    const inPane = reader.varint();
    panes.counts.push(inPane);
    const value = hasValues ? reader.number() : inPane;
    if (measure !== "count") panes.values.push(value);
  }
  return panes;
}

const HAS_TOTALS = 1;
const HAS_LAST = 2;
const HAS_SERIES = 4;
const HAS_DISTINCT = 8;
const HAS_DECAYED = 16;

function featureFlags({ totals, last, series, distinct, decayed }: Readonly<FeatureState>): number {
  return (
    (totals !== null ? HAS_TOTALS : 0) |
    (last !== null ? HAS_LAST : 0) |
    (series !== null && hasEvents(series) ? HAS_SERIES : 0) |
    (distinct !== null ? HAS_DISTINCT : 0) |
    (decayed !== null && decayed.landmark >= 0 ? HAS_DECAYED : 0)
  );
}

function writeFeature(out: Out, feature: Readonly<FeatureState>): void {
  const { totals, last, series, distinct, decayed } = feature;
  const { writer } = out;
  const flags = featureFlags(feature);
  writer.byte(flags);
  if (totals !== null) {
    writer.varint(totals.count);
    writer.number(totals.sum);
    writer.number(totals.max);
  }
  if (last !== null) {
    writeTime(out, last.timeMs);
    writeValue(writer, last.value);
  }
  if ((flags & HAS_SERIES) !== 0) writeSeries(out, series!);
  if (distinct !== null) {
    writer.varint(distinct.length / DISTINCT_NUMBERS);
    for (let at = 0; at < distinct.length; at += DISTINCT_NUMBERS) {
      writer.uint32(distinct[at]!);
      writer.uint32(distinct[at + 1]!);
      writeTime(out, distinct[at + 2]!);
    }
  }
  if ((flags & HAS_DECAYED) !== 0) {
    writer.varint(decayed!.landmark);
    writer.float64(decayed!.scaled);
  }
}

function readFeature(from: In, plan: FeaturePlan | undefined): FeatureState {
  const { reader } = from;
  const feature = emptyFeature();
  const flags = reader.byte();
  if ((flags & HAS_TOTALS) !== 0) feature.totals = { count: reader.varint(), sum: reader.number(), max: reader.number() };
  if ((flags & HAS_LAST) !== 0) {
    const timeMs = readTime(from);
    const value = readValue(reader);
    if (typeof value !== "number" && typeof value !== "string") throw reader.corrupt("a last value of another type");
    feature.last = { value, timeMs };
  }
  if ((flags & HAS_SERIES) !== 0) feature.series = readSeries(from, plan === undefined ? "count" : measureOf(plan));
  if ((flags & HAS_DISTINCT) !== 0) {
    const distinct = new Array<number>(reader.count(DISTINCT_MAX) * DISTINCT_NUMBERS);
    for (let at = 0; at < distinct.length; at += DISTINCT_NUMBERS) {
      distinct[at] = reader.uint32();
      distinct[at + 1] = reader.uint32();
      distinct[at + 2] = readTime(from);
    }
    feature.distinct = distinct;
  }
  if ((flags & HAS_DECAYED) !== 0) feature.decayed = { landmark: reader.varint(), scaled: reader.float64() };
  return feature;
}
