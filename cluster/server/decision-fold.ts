// What follows from decisions, as the cluster's servers know it: the core's fold of decisions, outcomes, program changes
// and stops, taken in the order of log time. The embedded host folds the same in the order of its log.
import { DecisionState } from "../../core/decide/decision-state.ts";
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import type { DecisionRecord, ExperimentStop } from "../../core/record.ts";
import type { WholeTable } from "../../core/wire/dirty-rows.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { OutcomeValue } from "../wire/outcome.ts";
import { UnitTable } from "./unit-table.ts";

export type DecisionInput =
  | { readonly kind: "decision"; readonly timeMs: number; readonly key: string; readonly decision: DecisionRecord }
  | { readonly kind: "outcome"; readonly timeMs: number; readonly key: string; readonly outcome: OutcomeValue };

export interface TimedStop {
  readonly at: number;
  readonly stop: ExperimentStop;
}

/** Visitors who became users: a server that does not know it yet may still decide for the visitor. */
const RELINKED_MAX = 10_000;

export class DecisionFold {
  readonly units = new UnitTable();
  readonly state = new DecisionState(this.units);
  readonly tables: readonly WholeTable<string>[] = [...this.state.tables, this.units];
  readonly #programs: ProgramTimeline;
  readonly #stops: readonly TimedStop[];
  readonly #relinked = new RecentMap<string>(RELINKED_MAX);
  /** Version of the program that was put in force last. */
  #version: number;
  #stopsTaken = 0;
  /** Log time of the newest outcome: nothing later has come to an open decision yet. */
  #outcomeMs = 0;

  /**
   * Both lists grow; `version` is what the rows that are loaded stand under (0: there are none).
   */
  constructor(programs: ProgramTimeline, stops: readonly TimedStop[], version = 0) {
    this.#programs = programs;
    this.#stops = stops;
    this.#version = version;
    const program = programs.at(version);
    if (program !== undefined) this.state.adopt(program);
  }

  get version(): number {
    return this.#version;
  }

  apply(input: DecisionInput): void {
    this.advance(input.timeMs);
    if (input.kind === "decision") {
      const key = this.#relinked.get(input.key) ?? input.key;
      this.state.decided(input.decision, key, input.timeMs, Math.min(input.timeMs, this.#outcomeMs));
      return;
    }
    const { outcome } = input;
    this.#outcomeMs = Math.max(this.#outcomeMs, input.timeMs);
    if (outcome.kind === "acted") return this.state.acted(outcome.event, input.key, outcome.weight);
    if (outcome.kind === "forget") return this.state.forget(input.key);
    this.#relinked.set(outcome.from, outcome.to);
    this.state.relink(outcome.from, outcome.to, outcome.at);
  }

  /** Log time has come so far: programs and stops of before are in force. A stop that is known already changes nothing. */
  advance(timeMs: number): void {
    for (;;) {
      const program = this.#programs.after(this.#version);
      const stop = this.#stops[this.#stopsTaken];
      const isProgramDue = program !== undefined && program.at <= timeMs;
      const isStopDue = stop !== undefined && stop.at <= timeMs;
      if (isProgramDue && (!isStopDue || program.at <= stop.at)) {
        this.#version = program.version;
        this.state.configure(program.program, program.at);
      } else if (isStopDue) {
        this.#stopsTaken++;
        this.state.stopped(stop.stop, stop.at);
      } else return;
    }
  }
}
