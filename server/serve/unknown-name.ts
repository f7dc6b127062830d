// A name that the program does not have: which one was asked for, and which may have been meant.
import { didYouMean } from "../../core/program/cel/names.ts";
import { Problem, type ProblemExtras } from "../http/problem.ts";
import type { Project } from "../ports.ts";

const PARTS = {
  unknown_placement: ["placement", "placements"],
  unknown_slot: ["slot", "slots"],
  unknown_segment: ["segment", "segments"],
  unknown_experiment: ["experiment", "experiments"],
} as const;

/** Only a near name is told, not all: who asks may be a page. */
export async function unknownName(
  project: Project,
  code: keyof typeof PARTS,
  name: string,
  extras: ProblemExtras,
): Promise<Problem> {
  const [kind, part] = PARTS[code];
  const names = Object.keys((await project.program())?.document[part] ?? {});
  return new Problem(code, `The program has no ${kind} \`${name}\`${didYouMean(name, names) || "."}`, extras);
}
