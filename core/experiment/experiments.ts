// All experiments of a project: a fold of decisions, impressions and events. Who is in which variant, what he did
// within the window after he first saw it, and the sums by variant.
import type { LoggedEvent } from "../event/event.ts";
import type { CompiledExperiment, CompiledProgram } from "../program/compiled.ts";
import type { Assignment, ExperimentStop } from "../record.ts";
import { addPerson, changeOutcome, dropPerson } from "../stats/moments.ts";
import { DirtyRows, type WholeTable } from "../wire/dirty-rows.ts";
import { rowTable } from "../wire/row-table.ts";
import { hashedVariant, takesPart } from "./assignment.ts";
import { alphaOf, compare, harmfulVariants } from "./compare.ts";
import { firstValue, measured, nextValue, unitedValue } from "./metrics.ts";
import {
  addPoint,
  decodeRun,
  emptyRun,
  encodeRun,
  isPointDue,
  isStopped,
  stopVariant,
  watchShares,
  type Run,
} from "./run.ts";
import { Units, type Unit, type UnitRows } from "./units.ts";

/**
 * Runs kept, those of earlier definitions included: a definition that comes back goes on. The one that changed longest
 * ago goes.
 */
const RUNS_MAX = 64;
/** Persons of a run that is kept no more, forgotten with each record. */
const SWEPT_A_RECORD = 16;
const SWEEPING = "sweeping/";

/** The part of an experiment that a decision carries out. */
export interface CarriedOut {
  readonly name: string;
  readonly run: string;
  /** What the person is to see; empty where an earlier release wrote it, and where lists are mixed. */
  readonly variant: string;
}

export class Experiments {
  readonly table: WholeTable<string>;
  readonly #units: Units;
  readonly #runs = new Map<string, Run>();
  readonly #sweeping = new Set<string>();
  readonly #dirty = new DirtyRows<string>((key) => this.#encode(key));
  #current: readonly CompiledExperiment[] = [];

  constructor(rows: UnitRows) {
    this.#units = new Units(rows);
    this.table = rowTable("runs", {
      rows: this.#dirty,
      load: (key, bytes) => this.#load(key, bytes),
      keys: () => [...this.#runs.keys(), ...[...this.#sweeping].map((id) => SWEEPING + id)],
    });
  }

  /** The program's experiments, whose runs are there already. */
  adopt({ experiments }: CompiledProgram): void {
    this.#current = experiments;
  }

  /** Takes the program's experiments over; each definition that is new starts a run. */
  configure(program: CompiledProgram, atMs: number): void {
    this.adopt(program);
    for (const experiment of this.#current) {
      if (!this.#runs.has(experiment.run)) this.#begin(experiment, atMs);
    }
  }

  #begin(experiment: CompiledExperiment, atMs: number): Run {
    const run = emptyRun(experiment, atMs);
    this.#dirty.touch(run.id);
    this.#runs.set(run.id, run);
    if (this.#runs.size > RUNS_MAX) this.#forgetOldest();
    return run;
  }

  /** Each run's bytes, by its id. */
  *rows(): Generator<[run: string, bytes: Uint8Array]> {
    for (const [id, run] of this.#runs) yield [id, encodeRun(run)];
  }

  /** A run with this id is kept. */
  holds(run: string): boolean {
    return this.#runs.has(run);
  }

  runOf({ run }: CompiledExperiment): Run | undefined {
    return this.#runs.get(run);
  }

  /**
   * The variant that a person sees: the one he was given before, else the hash's where `holds` says that he is meant. A
   * stopped variant gives way to control. Undefined where he takes no part; `counts` is false where he sees it without
   * being counted.
   */
  variantOf(
    experiment: CompiledExperiment,
    personKey: string,
    holds: () => boolean,
  ): { variant: number; counts: boolean } | undefined {
    const unit = this.#units.get(experiment.run, personKey);
    if (unit === undefined && !(takesPart(experiment, personKey) && holds())) return undefined;
    const variant = unit?.variant ?? hashedVariant(experiment, personKey);
    if (isStopped(this.runOf(experiment), variant)) return { variant: experiment.control, counts: false };
    return { variant, counts: unit?.isMixed !== true };
  }

  /** A decision carried the assignment out: from now on the person keeps it. */
  assigned(name: string, { run: id, variant: variantName, x }: Assignment, personKey: string, atMs: number): void {
    const experiment = this.#current.find((one) => one.name === name && one.run === id);
    const variant = experiment?.variants.findIndex((one) => one.name === variantName) ?? -1;
    if (experiment === undefined || variant < 0 || this.#units.get(id, personKey) !== undefined) return;
    this.#units.put(id, personKey, { variant, exposedMs: -1, lastMs: -1, x, isMixed: false, values: [] });
    // An earlier release may have known the run under another id.
    const run = this.#runs.get(id) ?? this.#begin(experiment, atMs);
    this.#change(run, atMs).variants[variant]!.assigned++;
  }

  /**
   * The decision was really shown. One that was made for a visitor may be shown when he is a user already who was given
   * another variant: then he has seen this one first, or it is no exposure of his. `mayJoin` is asked where he would count as
   * one more: whoever may not is in no figure, whatever he does, which is alike for all variants.
   */
  exposed({ name, run: id, variant }: CarriedOut, personKey: string, event: LoggedEvent, mayJoin: () => boolean): void {
    const found = this.#find(name, id);
    const unit = this.#units.get(id, personKey);
    if (found === undefined || unit === undefined || unit.isMixed) return;
    const { experiment } = found;
    const seen = experiment.variants.findIndex((one) => one.name === variant);
    if (seen >= 0 && seen !== unit.variant) {
      if (unit.exposedMs >= 0) return;
      unit.variant = seen;
      this.#units.put(id, personKey, unit);
    }
    if (isStopped(found.run, unit.variant) || (unit.exposedMs < 0 && !mayJoin())) return;
    const run = this.#change(found.run, event.received_at);
    const sums = run.variants[unit.variant]!;
    sums.exposures++;
    if (unit.exposedMs >= 0) return;
    unit.exposedMs = event.timestamp;
    unit.values = experiment.metrics.map(firstValue);
    this.#units.put(id, personKey, unit);
    sums.users++;
    addUnit(sums, experiment, unit);
    watchShares(run, experiment);
    this.#notePoint(run, experiment, event.timestamp);
  }

  /** A list that mixed two rankings: what was clicked on it moves from one outcome to another. */
  interleaved(
    id: string,
    before: readonly [number, number] | null,
    after: readonly [number, number],
    atMs: number,
  ): void {
    const known = this.#runs.get(id);
    if (known === undefined) return;
    const run = this.#change(known, atMs);
    if (before !== null) run.wins[winnerOf(before)]--;
    run.wins[winnerOf(after)]++;
  }

  /** Whatever a person does counts for the experiments that he has seen. */
  acted(event: LoggedEvent, personKey: string, weight: number): void {
    if (this.#sweeping.size > 0) this.#sweep();
    if (event.event_type === "impression") return;
    for (const experiment of this.#current) {
      const unit = this.#units.get(experiment.run, personKey);
      if (unit === undefined || unit.exposedMs < 0 || unit.isMixed) continue;
      const sinceMs = event.timestamp - unit.exposedMs;
      if (sinceMs < 0 || sinceMs > experiment.windowMs) continue;
      if (!isStopped(this.runOf(experiment), unit.variant))
        this.#outcome(experiment, unit, { event, personKey, weight });
    }
  }

  #outcome(
    experiment: CompiledExperiment,
    unit: Unit,
    { event, personKey, weight }: { event: LoggedEvent; personKey: string; weight: number },
  ): void {
    const { timestamp } = event;
    const sinceMs = timestamp - unit.exposedMs;
    const gapMs = timestamp - Math.max(unit.lastMs, unit.exposedMs);
    const values = experiment.metrics.map((metric, i) =>
      nextValue(metric, unit.values[i]!, { event, weight, sinceMs, gapMs }),
    );
    const run = this.#change(this.runOf(experiment)!, event.received_at);
    const { moments } = run.variants[unit.variant]!;
    experiment.metrics.forEach((metric, i) => {
      const [before, after] = [measured(metric, unit.values[i]!), measured(metric, values[i]!)];
      if (after !== before) changeOutcome(moments[i]!, unit.x, before, after);
    });
    unit.values = values;
    unit.lastMs = Math.max(unit.lastMs, timestamp);
    this.#units.put(experiment.run, personKey, unit);
    this.#notePoint(run, experiment, event.timestamp);
  }

  /** Two persons have become one: a visitor who was given a variant keeps it when he logs in. */
  relink(fromKey: string, toKey: string, atMs: number): void {
    const current = new Map(this.#current.map((experiment) => [experiment.run, experiment]));
    for (const run of this.#held()) {
      const from = this.#units.get(run, fromKey);
      if (from === undefined) continue;
      const into = this.#units.get(run, toKey);
      this.#units.put(run, fromKey, null);
      const experiment = current.get(run);
      const both = into !== undefined && experiment !== undefined ? this.#united(experiment, from, into, atMs) : undefined;
      this.#units.put(run, toKey, both ?? (into === undefined ? from : firstOf(from, into)));
    }
  }

  /** Runs that may have persons: those of experiments that were taken out may come back, or are being forgotten. */
  #held(): Set<string> {
    return new Set([...this.#current.map(({ run }) => run), ...this.#runs.keys(), ...this.#sweeping]);
  }

  /** The person's parts in experiments, those of earlier definitions included, by run. */
  *unitsOf(personKey: string): Generator<[run: string, unit: Unit]> {
    for (const run of this.#held()) {
      const unit = this.#units.get(run, personKey);
      if (unit !== undefined) yield [run, unit];
    }
  }

  /** Nobody knows which variant he saw; what he added to the sums stays. */
  forget(personKey: string): void {
    for (const run of this.#held()) {
      if (this.#units.get(run, personKey) !== undefined) this.#units.put(run, personKey, null);
    }
  }

  /**
   * Whoever saw two variants counts for the one that he saw first: that is the one he was given by chance, with its share.
   * To leave him out would leave out nearly all who have two devices from a small variant, and few of them from a large
   * one; those are the ones who buy most.
   */
  #united(experiment: CompiledExperiment, from: Unit, into: Unit, atMs: number): Unit {
    const run = this.#change(this.runOf(experiment)!, atMs);
    if (from.isMixed || into.isMixed) {
      for (const unit of [from, into]) if (!unit.isMixed) drop(run, experiment, unit);
      return { ...into, isMixed: true };
    }
    if (from.exposedMs < 0 || into.exposedMs < 0) return firstOf(from, into);
    drop(run, experiment, from);
    drop(run, experiment, into);
    if (from.variant !== into.variant) run.mixed++;
    const first = firstOf(from, into);
    const values = experiment.metrics.map((metric, i) => unitedValue(metric, from.values[i]!, into.values[i]!));
    const united = { ...first, lastMs: Math.max(from.lastMs, into.lastMs), values };
    run.variants[first.variant]!.users++;
    addUnit(run.variants[first.variant]!, experiment, united);
    return united;
  }

  /** A guard's stop, as the log says it. */
  stopped(stop: ExperimentStop, atMs: number): void {
    const found = this.#find(stop.experiment, stop.run);
    const variant = found?.experiment.variants.findIndex(({ name }) => name === stop.variant) ?? -1;
    if (found !== undefined && variant >= 0) stopVariant(this.#change(found.run, atMs), variant, stop, atMs);
  }

  /** Stops that the host should write into the log. */
  harmful(): ExperimentStop[] {
    return this.#current.flatMap((experiment) => {
      const run = this.runOf(experiment);
      return run === undefined || experiment.guards.length === 0 ? [] : harmfulVariants(run, experiment);
    });
  }

  #find(name: string, id: string): { experiment: CompiledExperiment; run: Run } | undefined {
    const experiment = this.#current.find((one) => one.name === name && one.run === id);
    const run = this.#runs.get(id);
    return experiment === undefined || run === undefined ? undefined : { experiment, run };
  }

  #change(run: Run, atMs: number): Run {
    this.#dirty.touch(run.id);
    run.changedMs = Math.max(run.changedMs, atMs);
    return run;
  }

  /** In event time, so that an import shows its own days. */
  #notePoint(run: Run, experiment: CompiledExperiment, atMs: number): void {
    if (!isPointDue(run, atMs)) return;
    const { primary: metric } = experiment;
    const alpha = alphaOf(experiment);
    const all = experiment.variants.map((_, variant) => compare(run, experiment, { metric, variant, alpha }));
    const lifts = all.map(({ lift }, i) => (i === experiment.control ? undefined : lift));
    addPoint(run, {
      atMs,
      users: run.variants.map(({ users }) => users),
      means: all.map(({ variant }) => variant.mean),
      lows: lifts.map((lift) => lift?.low ?? NaN),
      highs: lifts.map((lift) => lift?.high ?? NaN),
    });
  }

  #forgetOldest(): void {
    const running = new Set(this.#current.map(({ run }) => run));
    const [oldest] = [...this.#runs.values()]
      .filter(({ id }) => !running.has(id))
      .sort((a, b) => a.changedMs - b.changedMs || (a.id < b.id ? -1 : 1));
    if (oldest === undefined) return;
    this.#dirty.touch(oldest.id);
    this.#runs.delete(oldest.id);
    this.#dirty.touch(SWEEPING + oldest.id);
    this.#sweeping.add(oldest.id);
  }

  #sweep(): void {
    const [run] = [...this.#sweeping].sort();
    if (!this.#units.sweep(run!, SWEPT_A_RECORD)) return;
    this.#dirty.touch(SWEEPING + run);
    this.#sweeping.delete(run!);
  }

  #encode(key: string): Uint8Array | null {
    if (key.startsWith(SWEEPING)) return this.#sweeping.has(key.slice(SWEEPING.length)) ? new Uint8Array(0) : null;
    const run = this.#runs.get(key);
    return run === undefined ? null : encodeRun(run);
  }

  #load(key: string, bytes: Uint8Array): void {
    if (key.startsWith(SWEEPING)) this.#sweeping.add(key.slice(SWEEPING.length));
    else this.#runs.set(key, decodeRun(key, bytes));
  }
}

/**
 * What a person who had been two was shown first. In a run that rests this is all that can be said: what he counts as is
 * the definition's to say, so the sums stay as they are.
 */
function firstOf(from: Unit, into: Unit): Unit {
  if (from.exposedMs < 0 || into.exposedMs < 0) return from.exposedMs < 0 ? into : from;
  return from.exposedMs < into.exposedMs ? from : into;
}

function addUnit({ moments }: Run["variants"][number], { metrics }: CompiledExperiment, { x, values }: Unit): void {
  metrics.forEach((metric, i) => addPerson(moments[i]!, x, measured(metric, values[i]!)));
}

function drop(run: Run, { metrics }: CompiledExperiment, { variant, exposedMs, x, values }: Unit): void {
  if (exposedMs < 0) return;
  const sums = run.variants[variant]!;
  sums.users--;
  metrics.forEach((metric, i) => dropPerson(sums.moments[i]!, x, measured(metric, values[i]!)));
}

/** 0: `a` has more clicks, 1: `b`, 2: neither. */
function winnerOf([a, b]: readonly [number, number]): 0 | 1 | 2 {
  return a > b ? 0 : b > a ? 1 : 2;
}
