// Decisions that may still be shown or bring something: joined with later events by their id. Bounded; the oldest go
// first.
import { DirtyRows, type WholeTable } from "../wire/dirty-rows.ts";
import { ByteReader } from "../wire/reader.ts";
import { rowTable } from "../wire/row-table.ts";
import { ByteWriter } from "../wire/writer.ts";
import type { CarriedOut } from "../experiment/experiments.ts";
import type { ShownChoice } from "./learner.ts";

/** About 400 bytes each. */
const OPEN_MAX = 50_000;
/** Of one person, looked through with each that is shown or rewarded. */
const OWN_MAX = 1_000;
/** Closed with each record where their time is over. */
const CLOSED_A_RECORD = 8;
/** Key of the row of figures; no decision has it. */
const FIGURES = "";

export interface OpenDecision {
  /** Order of arrival. */
  readonly serial: number;
  readonly id: string;
  /** Whose it is now: a visitor's goes with him when he logs in. */
  personKey: string;
  /** Processing time after which nothing counts for it any more; later once it was shown late. */
  deadlineMs: number;
  /** Event time of the first sign that it was seen; -1 before. */
  shownMs: number;
  /** Of the slot that learns from it; null where none does, or knows no more that it was shown. */
  choice: (ShownChoice & { readonly slot: string; readonly rewardKey: string }) | null;
  /** What it has brought so far: the sum of weights, not cut. */
  earned: number;
  readonly experiments: readonly CarriedOut[];
  /** Of an interleaved list; null also where it counts for nothing. */
  lists: { readonly run: string; readonly teams: string; readonly items: readonly string[] } | null;
  readonly clicks: [a: number, b: number];
}

export class OpenDecisions {
  readonly table: WholeTable<string>;
  /** Decisions that were closed before their time because there were too many. */
  closedEarly = 0;
  #byId = new Map<string, OpenDecision>();
  /** Ids by person: a login must not look through all. */
  readonly #ofPerson = new Map<string, Set<string>>();
  #nextSerial = 0;
  #isSorted = true;
  readonly #max: number;
  readonly #dirty = new DirtyRows<string>((id) => this.#encode(id));

  constructor(max = OPEN_MAX) {
    this.#max = max;
    this.table = rowTable("open", {
      rows: this.#dirty,
      load: (id, bytes) => this.#load(id, bytes),
      keys: () => [FIGURES, ...this.#byId.keys()],
    });
  }

  /** Each decision's bytes, by its id. */
  *rows(): Generator<[id: string, bytes: Uint8Array]> {
    for (const [id, open] of this.#byId) yield [id, encodeOpen(open)];
  }

  get size(): number {
    return this.#byId.size;
  }

  add(decision: Omit<OpenDecision, "serial">): void {
    if (this.#byId.has(decision.id)) return;
    this.#sort();
    if (this.#byId.size >= this.#max) {
      this.#dirty.touch(FIGURES);
      this.#close(this.#byId.keys().next().value!);
      this.closedEarly++;
    }
    this.#dirty.touch(FIGURES);
    this.#dirty.touch(decision.id);
    this.#put({ ...decision, serial: this.#nextSerial++ });
  }

  /** The decision, to be changed; undefined where there is none, or its time is over. */
  change(id: string, atMs: number): OpenDecision | undefined {
    const open = this.#byId.get(id);
    if (open === undefined || atMs > open.deadlineMs) return undefined;
    this.#dirty.touch(id);
    return open;
  }

  /** The person's others, in the order of arrival; none where they are so many that nobody can have seen them. */
  othersOf({ id, personKey }: OpenDecision): OpenDecision[] {
    const own = this.#ofPerson.get(personKey)!;
    if (own.size > OWN_MAX) return [];
    const others = [...own].filter((one) => one !== id).map((one) => this.#byId.get(one)!);
    return others.sort((a, b) => a.serial - b.serial);
  }

  /** Persons for whom decisions are open. */
  people(): Set<string> {
    return new Set(this.#ofPerson.keys());
  }

  /** Two persons have become one: what was decided for one of them is the other's. */
  relink(fromKey: string, toKey: string): void {
    for (const id of this.#ofPerson.get(fromKey) ?? []) {
      this.#dirty.touch(id);
      const open = this.#byId.get(id)!;
      open.personKey = toKey;
      this.#put(open);
    }
    this.#ofPerson.delete(fromKey);
  }

  /**
   * Slots have forgotten these variants: a reward to come would be learnt without the showing that it belongs to. One that
   * nobody has seen yet may still teach both.
   */
  unlearn(gone: ReadonlyMap<string, ReadonlySet<string>>): void {
    if (gone.size === 0) return;
    for (const [id, open] of this.#byId) {
      const { choice, shownMs } = open;
      if (choice === null || shownMs < 0 || gone.get(choice.slot)?.has(choice.variant) !== true) continue;
      this.#dirty.touch(id);
      open.choice = null;
    }
  }

  /** Closes all of a person's. */
  forget(personKey: string): void {
    for (const id of this.#ofPerson.get(personKey) ?? []) this.#close(id);
  }

  /** Closes what is over; bounded work, to be called with each record. */
  expire(atMs: number): void {
    if (this.#byId.size === 0) return;
    this.#sort();
    let left = CLOSED_A_RECORD;
    for (const [id, { deadlineMs }] of this.#byId) {
      // Windows differ: one behind may be over too, and waits for its turn.
      if (deadlineMs >= atMs || left-- === 0) return;
      this.#close(id);
    }
  }

  #put(open: OpenDecision): void {
    this.#byId.set(open.id, open);
    const own = this.#ofPerson.get(open.personKey);
    if (own === undefined) this.#ofPerson.set(open.personKey, new Set([open.id]));
    else own.add(open.id);
  }

  #close(id: string): void {
    this.#dirty.touch(id);
    const { personKey } = this.#byId.get(id)!;
    this.#byId.delete(id);
    const own = this.#ofPerson.get(personKey)!;
    own.delete(id);
    if (own.size === 0) this.#ofPerson.delete(personKey);
  }

  #encode(id: string): Uint8Array | null {
    if (id !== FIGURES) {
      const open = this.#byId.get(id);
      return open === undefined ? null : encodeOpen(open);
    }
    writer.varint(this.#nextSerial);
    writer.varint(this.closedEarly);
    return writer.take();
  }

  #load(id: string, bytes: Uint8Array): void {
    if (id === FIGURES) {
      const reader = new ByteReader(bytes);
      this.#nextSerial = reader.varint();
      this.closedEarly = reader.varint();
      return;
    }
    this.#put(decodeOpen(id, bytes));
    this.#isSorted = false;
  }

  /** Rows are loaded in the order of their ids. */
  #sort(): void {
    if (this.#isSorted) return;
    this.#isSorted = true;
    this.#byId = new Map([...this.#byId].sort(([, a], [, b]) => a.serial - b.serial));
  }
}

const VERSION = 2;
/** Without the variants of experiments, and without the time at which a showing was learnt. */
const VERSION_BEFORE = 1;
const ITEMS_MAX = 1_000;
/** In the place of 1 where there is a choice. */
const SHADOW = 2;
const writer = new ByteWriter();

function encodeOpen(open: OpenDecision): Uint8Array {
  const { choice, lists } = open;
  writer.byte(VERSION);
  writer.string(open.personKey);
  for (const value of [open.serial, open.deadlineMs, open.shownMs, open.earned, ...open.clicks]) writer.number(value);
  writer.varint(open.experiments.length);
  for (const { name, run, variant } of open.experiments) for (const text of [name, run, variant]) writer.string(text);
  writer.byte(choice === null ? 0 : choice.isShadow ? SHADOW : 1);
  if (choice !== null) {
    for (const text of [choice.slot, choice.rewardKey, choice.variant]) writer.string(text);
    for (const value of [choice.propensity, choice.expected, choice.learntMs]) writer.number(value);
    writer.varint(choice.features.length);
    for (const place of choice.features) writer.zigzag(place);
  }
  writer.byte(lists === null ? 0 : 1);
  if (lists !== null) {
    for (const text of [lists.run, lists.teams]) writer.string(text);
    writer.varint(lists.items.length);
    for (const item of lists.items) writer.string(item);
  }
  return writer.take();
}

function decodeOpen(id: string, bytes: Uint8Array): OpenDecision {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== VERSION && version !== VERSION_BEFORE) throw reader.corrupt("an open decision of another version");
  const personKey = reader.string();
  const [serial, deadlineMs, shownMs, earned] = [reader.number(), reader.number(), reader.number(), reader.number()];
  const clicks: [number, number] = [reader.number(), reader.number()];
  const listOf = <T>(read: () => T): T[] => Array.from({ length: reader.count(ITEMS_MAX) }, read);
  const variantOf = (): string => (version === VERSION_BEFORE ? "" : reader.string());
  const experiments = listOf((): CarriedOut => ({ name: reader.string(), run: reader.string(), variant: variantOf() }));
  let choice: OpenDecision["choice"] = null;
  const kind = reader.byte();
  if (kind > SHADOW) throw reader.corrupt("a choice of another kind");
  if (kind > 0) {
    const [slot, rewardKey, variant] = [reader.string(), reader.string(), reader.string()];
    const [propensity, expected] = [reader.number(), reader.number()];
    const learntMs = version === VERSION_BEFORE ? shownMs : reader.number();
    const features = listOf(() => reader.zigzag());
    choice = { slot, rewardKey, variant, propensity, isShadow: kind === SHADOW, expected, learntMs, features };
  }
  let lists: OpenDecision["lists"] = null;
  if (reader.byte() === 1) {
    const [run, teams] = [reader.string(), reader.string()];
    lists = { run, teams, items: listOf(() => reader.string()) };
  }
  reader.end();
  return { serial, id, personKey, deadlineMs, shownMs, choice, earned, experiments, lists, clicks };
}
