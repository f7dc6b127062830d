// What the operator knows of one project: its programs, and which events may teach the blend.
import type { LoggedEvent } from "../../core/event/event.ts";
import { assert } from "../../core/assert.ts";
import { keepsDecisions } from "../../core/decide/decision-state.ts";
import { learningConfig } from "../../core/model/config.ts";
import { createSampler, type Sampler } from "../../core/model/sampler.ts";
import { compileProgram } from "../../core/program/compile.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import { FOR_EVER, type PersonAges } from "../../server/privacy/retention.ts";

export interface OperatorProject {
  readonly programs: ProgramTimeline;
  /** Log time from which on a program has kept decisions, which outlive it; Infinity where none has. */
  decidesFromMs: number;
  /** Version → which events lie within the program's learning share. */
  readonly samplers: Map<number, Sampler>;
  /** Anonymous records up to this log time were passed on by an earlier job. */
  readonly passOnAfterMs: number;
  /** Key → log time up to which everything of it was erased; of keys that the host has met. */
  readonly erasedAt: Map<string, number>;
  /** For how long persons are kept after they were last seen. */
  ages: PersonAges;
}

export function createProject(passOnAfterMs: number): OperatorProject {
  const programs = new ProgramTimeline();
  return { programs, decidesFromMs: Infinity, samplers: new Map(), passOnAfterMs, erasedAt: new Map(), ages: FOR_EVER };
}

/** Puts a program in force; one that is known already is left alone. Throws where it does not compile. */
export function addProgram(
  project: OperatorProject,
  { version, atMs, document }: { version: number; atMs: number; document: unknown },
): void {
  const { programs, samplers } = project;
  if (programs.at(version) !== undefined) return;
  const outcome = compileProgram(document, version);
  if ("faults" in outcome) {
    const [fault] = outcome.faults;
    throw new Error(`program version ${version} does not compile: ${fault!.path} ${fault!.message}`);
  }
  // The first is in force for times before it too.
  if (keepsDecisions(outcome.program)) {
    project.decidesFromMs = Math.min(project.decidesFromMs, programs.entries.length === 0 ? -Infinity : atMs);
  }
  programs.append(version, atMs, outcome.program);
  samplers.set(version, createSampler(learningConfig(outcome.program.learning)));
}

/** True where the models may sample this event, whatever they know: its step must carry the history. */
export function mayBeSampled({ samplers }: OperatorProject, version: number, event: LoggedEvent): boolean {
  const sampler = samplers.get(version);
  assert(sampler !== undefined, "each program has its sampler");
  return sampler.picks(event.event_id, event.timestamp, 0);
}

/** Everything of `key` up to log time `atMs` counts as never written; an earlier erasure changes nothing. */
export function addErasure({ erasedAt }: OperatorProject, key: string, atMs: number): void {
  erasedAt.set(key, Math.max(atMs, erasedAt.get(key) ?? 0));
}
