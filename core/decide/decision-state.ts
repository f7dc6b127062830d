// Everything that follows from decisions: what slots have learnt, what experiments have shown, and the decisions that
// wait to be shown or rewarded. A fold of the log: decision records, the events that carry their ids, program changes
// and links.
import type { LoggedEvent } from "../event/event.ts";
import { anonymousKeyOf, userKeyOf } from "../identity/identity.ts";
import { Experiments } from "../experiment/experiments.ts";
import type { UnitRows } from "../experiment/units.ts";
import { hash32 } from "../math/hash.ts";
import type { CompiledBandit, CompiledProgram } from "../program/compiled.ts";
import type { DecisionRecord, ExperimentStop } from "../record.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { SlotLearning } from "./learning.ts";
import { OpenDecisions, type OpenDecision } from "./open-decisions.ts";
import type { VisitChoice } from "./learner.ts";
import { IN_SHADOW, visitAt } from "./slot.ts";
import { SourceShares } from "./source-shares.ts";

/** An answer that was not shown by then is not shown any more. */
const SHOWN_WITHIN_MS = 3_600_000;
/** Events arrive a little after they happened. */
const LATE_MS = 300_000;
/** Before a run's id: the name of the lists that it has mixed, as its id is that of its persons. */
const LISTS = "lists ";

export class DecisionState {
  readonly slots = new SlotLearning();
  readonly experiments: Experiments;
  readonly open = new OpenDecisions();
  readonly shares = new SourceShares();
  readonly tables: readonly WholeTable<string>[];
  #program: CompiledProgram | undefined;

  /** @param units - the table that holds the persons of experiments. */
  constructor(units: UnitRows) {
    this.experiments = new Experiments(units);
    this.tables = [this.slots.table, this.experiments.table, this.open.table, this.shares.table];
  }

  /** Everything that is held in memory as bytes, each under a name: two states are equal where these are. */
  *rows(): Generator<[name: string, bytes: Uint8Array]> {
    for (const [slot, bytes] of this.slots.rows()) yield [`slot ${slot}`, bytes];
    for (const [run, bytes] of this.experiments.rows()) yield [`experiment run ${run}`, bytes];
    for (const [id, bytes] of this.open.rows()) yield [`open decision ${id}`, bytes];
    for (const [name, bytes] of this.shares.rows()) yield [`senders of ${name}`, bytes];
  }

  /** The program in force, whose consequences the stored tables hold already. */
  adopt(program: CompiledProgram): void {
    this.#program = program;
    this.experiments.adopt(program);
  }

  /** A new program is in force from `atMs` on. */
  configure(program: CompiledProgram, atMs: number): void {
    this.#program = program;
    this.open.unlearn(this.slots.configure(program));
    this.experiments.configure(program, atMs);
    const learning = new Set([...program.slots.values()].flatMap((slot) => (slot.bandit === null ? [] : [ofSlot(slot.name, slot.bandit)])));
    this.shares.keep((name) => learning.has(name) || this.experiments.holds(name.replace(LISTS, "")));
  }

  /**
   * Folds a decision; one that nothing waits for leaves no trace. `expiredMs`: what was over by then is closed, for a host
   * whose events may come later than its decisions.
   */
  decided(decision: DecisionRecord, personKey: string, atMs: number, expiredMs = atMs): void {
    this.open.expire(expiredMs);
    const { choice, experiments = {}, teams, items, decision_id: id } = decision;
    const names = Object.entries(experiments);
    if (choice === undefined && names.length === 0) return;
    for (const [name, assignment] of names) this.experiments.assigned(name, assignment, personKey, atMs);
    const bandit = choice === undefined ? undefined : this.#banditOf(choice.slot);
    const [variant] = items;
    const interleaved = names.find(([name]) => this.#experiment(name)?.interleave != null);
    const windowMs = Math.max(SHOWN_WITHIN_MS, bandit?.reward.windowMs ?? 0);
    this.open.add({
      id,
      personKey,
      deadlineMs: atMs + windowMs + LATE_MS,
      shownMs: -1,
      choice:
        choice === undefined || bandit === undefined || variant === undefined
          ? null
          : {
              slot: choice.slot,
              rewardKey: bandit.reward.key,
              variant,
              propensity: decision.propensity,
              isShadow: decision.strategy.startsWith(IN_SHADOW),
              features: choice.features ?? [],
              expected: 0,
              learntMs: -1,
            },
      earned: 0,
      experiments: names.map(([name, { run, variant: given }]) => ({ name, run, variant: given })),
      lists: teams === undefined || interleaved === undefined ? null : { run: interleaved[1].run, teams, items },
      clicks: [0, 0],
    });
  }

  /** Folds what a person did. `weight` is what the program says the event is worth. */
  acted(event: LoggedEvent, personKey: string, weight: number): void {
    const id = event.context?.decision_id;
    if (id !== undefined) {
      const open = this.open.change(id, event.received_at);
      if (open !== undefined && isOwn(open, event, personKey)) this.#joined(open, event, personKey);
    }
    this.experiments.acted(event, personKey, weight);
  }

  /** Two persons have become one: parts in experiments and decisions that wait go over. */
  relink(fromKey: string, toKey: string, atMs: number): void {
    this.open.relink(fromKey, toKey);
    this.experiments.relink(fromKey, toKey, atMs);
  }

  /** A person goes: his parts in experiments, and decisions of his that wait. What was learnt from them stays. */
  forget(personKey: string): void {
    this.experiments.forget(personKey);
    this.open.forget(personKey);
  }

  stopped(stop: ExperimentStop, atMs: number): void {
    this.experiments.stopped(stop, atMs);
  }

  /** An event that names the decision: the first one says that it was shown, others what it brought. */
  #joined(open: OpenDecision, event: LoggedEvent, personKey: string): void {
    const bandit = open.choice === null ? undefined : this.#banditOf(open.choice.slot);
    // A decision under another reward teaches nothing about this one.
    const learns = bandit !== undefined && bandit.reward.key === open.choice!.rewardKey;
    if (open.shownMs < 0) {
      open.shownMs = event.timestamp;
      if (learns) {
        // The window begins here, however long the answer had waited to be shown.
        open.deadlineMs = Math.max(open.deadlineMs, event.received_at + bandit.reward.windowMs + LATE_MS);
      }
      const atMs = event.received_at;
      const isLearnt =
        learns &&
        this.#hasRoom(ofSlot(open.choice!.slot, bandit), event) &&
        this.slots.shown(open.choice!.slot, open.choice!, bandit, { atMs, visit: this.#visitOf(open, bandit, atMs) });
      // Shown while the program had no such variant: one that comes back must not earn by it.
      if (!isLearnt) open.choice = null;
      for (const part of open.experiments) this.experiments.exposed(part, personKey, event, () => this.#hasRoom(part.run, event));
      if (open.lists !== null && !this.#hasRoom(LISTS + open.lists.run, event)) open.lists = null;
      if (open.lists !== null) this.experiments.interleaved(open.lists.run, null, open.clicks, event.received_at);
    }
    if (event.event_type === "impression") return;
    if (learns && open.choice !== null) this.#earn(open, event, bandit);
    if (open.lists !== null && event.event_type === "click") this.#click(open, open.lists, event);
  }

  #earn(open: OpenDecision, event: LoggedEvent, bandit: CompiledBandit): void {
    const { weights, when, max, windowMs } = bandit.reward;
    const weight = weights.get(event.event_type);
    if (weight === undefined || event.timestamp - open.shownMs > windowMs || when?.(event) === false) return;
    const before = rewardOf(open.earned, max);
    open.earned += weight;
    const after = rewardOf(open.earned, max);
    if (before === after) return;
    const { slot, learntMs } = open.choice!;
    this.slots.rewarded(slot, open.choice!, { before, after, visit: this.#visitOf(open, bandit, learntMs) }, bandit);
  }

  /** The slot's other choices that one lot decided for the person, which were learnt within the same half an hour. */
  #visitOf(open: OpenDecision, { reward }: CompiledBandit, learntMs: number): VisitChoice[] {
    const { slot, rewardKey } = open.choice!;
    const isOfVisit = (choice: OpenDecision["choice"]): choice is NonNullable<typeof choice> =>
      choice?.slot === slot &&
      choice.rewardKey === rewardKey &&
      choice.learntMs >= 0 &&
      visitAt(choice.learntMs) === visitAt(learntMs);
    return this.open
      .othersOf(open)
      .flatMap(({ choice, earned }) => (isOfVisit(choice) ? [{ choice, reward: rewardOf(earned, reward.max) }] : []));
  }

  #click(open: OpenDecision, lists: NonNullable<OpenDecision["lists"]>, event: LoggedEvent): void {
    const place = event.item_id === undefined ? -1 : lists.items.indexOf(event.item_id);
    const team = lists.teams[place];
    if (team !== "a" && team !== "b") return;
    const before: [number, number] = [...open.clicks];
    open.clicks[team === "a" ? 0 : 1]++;
    this.experiments.interleaved(lists.run, before, open.clicks, event.received_at);
  }

  /** Whether the event's sender holds no more than his share of what is counted under this name. */
  #hasRoom(name: string, { source }: LoggedEvent): boolean {
    return this.shares.take(name, source, this.#program?.models?.crowd?.max_share ?? 1);
  }

  #banditOf(slot: string): CompiledBandit | undefined {
    return this.#program?.slots.get(slot)?.bandit ?? undefined;
  }

  #experiment(name: string) {
    return this.#program?.experiments.find((one) => one.name === name);
  }
}

/** The name of what a slot has learnt of one reward; no run's. */
export const ofSlot = (slot: string, { reward }: CompiledBandit): string => `slot ${slot} ${hash32(reward.key)}`;

/** What a decision counts as that has earned so much. */
function rewardOf(earned: number, max: number): number {
  return Math.min(max, Math.max(0, earned));
}

/**
 * Whether what a person did may change a state under this program, whoever he is. `hasDecided`: this program or one before
 * it keeps decisions, which outlive their program.
 */
export function mayConcern(
  { context, event_type }: LoggedEvent,
  { program, hasDecided }: { program: CompiledProgram; hasDecided: boolean },
): boolean {
  if (context?.decision_id !== undefined) return hasDecided;
  return program.experiments.length > 0 && event_type !== "impression";
}

/** Whether decisions under this program wait for what comes of them. */
export function keepsDecisions({ experiments, slots }: CompiledProgram): boolean {
  return experiments.length > 0 || [...slots.values()].some(({ bandit }) => bandit !== null);
}

/** The decision was made for this person, under whichever of his ids: nobody can vote on another's. */
function isOwn({ personKey }: OpenDecision, { user_id, anonymous_id }: LoggedEvent, key: string): boolean {
  if (personKey === key) return true;
  if (user_id !== undefined && personKey === userKeyOf(user_id)) return true;
  return anonymous_id !== undefined && personKey === anonymousKeyOf(anonymous_id);
}
