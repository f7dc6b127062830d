// Segment memberships of one person: evaluated when something a rule reads has changed, and on time without an event.
//
// Time goes in checks. Each evaluation yields the next instant at which one of the rules could change by itself; the
// earliest is the person's `nextCheckMs`. Whoever brings the person on steps from check to check, each at its own time,
// so how often a host looks makes no difference to what happens.
import { dropEntry, putEntry, type PersonState } from "../profile/state.ts";
import type { CompiledProgram } from "../program/compiled.ts";
import { type SegmentIndices, touchIndexOf } from "./touch.ts";

export interface MembershipChanges {
  entered: string[];
  left: string[];
}

/**
 * Evaluates segments over the program's scope, which is set up for `person`, and notes what changed. Returns the next
 * time at which one of them could change by itself, or `checkMs` where that is earlier: the check that is due anyway.
 */
export function evaluateSegments(
  person: PersonState,
  program: CompiledProgram,
  indices: SegmentIndices,
  checkMs: number,
  changes: MembershipChanges,
): number {
  const { scope, segments } = program;
  const { nowMs } = scope;
  let nextMs = checkMs;
  for (let i = 0; i < indices.length; i++) {
    const { name, rule } = segments[indices[i]!]!;
    let holds: boolean;
    if (rule.reads.time) {
      scope.horizonMs = nextMs;
      nextMs = Math.min(nextMs, rule.nextChangeMs(scope));
      holds = scope.verdict === true;
    } else holds = rule.holds(scope);
    if (holds !== person.memberships.has(name)) {
      if (holds) {
        putEntry(person, "memberships", name, nowMs);
        changes.entered.push(name);
      } else {
        dropEntry(person, "memberships", name);
        changes.left.push(name);
      }
    }
  }
  // A check at its own time would be none.
  return Math.max(nextMs, nowMs + 1);
}

/** Steps through the checks that fall due up to `untilMs`, each at its due time. */
export function runChecks(
  person: PersonState,
  program: CompiledProgram,
  untilMs: number,
  changes: MembershipChanges,
): void {
  while (person.nextCheckMs <= untilMs) {
    const before = changes.entered.length + changes.left.length;
    program.scope.begin(person, person.nextCheckMs);
    person.nextCheckMs = evaluateSegments(person, program, touchIndexOf(program).timed, Infinity, changes);
    if (changes.entered.length + changes.left.length > before) person.version++;
  }
}
