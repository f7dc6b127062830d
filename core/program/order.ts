// JSON's objects have no order, and experiments do: sums are kept by the places of variants and metrics, and control is the first.
// Tools that sort keys must not hand one variant's numbers to another, so a document keeps the order that a run began with.
import type { CompiledExperiment, CompiledProgram } from "./compiled.ts";
import type { ExperimentDocument, ProgramDocument } from "./program.ts";
import type { ProgramTimeline } from "./timeline.ts";

/** The document with the variants and metrics of each experiment in the order of the newest version that had the same run. */
export function inOrderOfRuns(program: CompiledProgram, { entries }: ProgramTimeline): ProgramDocument {
  const { document } = program;
  const experiments = { ...document.experiments };
  for (const { name, run } of program.experiments) {
    const earlier = entries.flatMap((entry) => entry.program.experiments.filter((one) => one.run === run)).at(-1);
    if (earlier !== undefined) experiments[name] = inOrder(experiments[name]!, earlier);
  }
  return document.experiments === undefined ? document : { ...document, experiments };
}

/** The same run has the same names. */
function inOrder(document: ExperimentDocument, run: CompiledExperiment): ExperimentDocument {
  const { variants, metrics } = document;
  const byName = <T>(named: Record<string, T>, order: readonly { name: string }[]): Record<string, T> =>
    Object.fromEntries(order.map(({ name }) => [name, named[name]!]));
  return {
    ...document,
    ...(variants === undefined ? {} : { variants: byName(variants, run.variants) }),
    metrics: byName(metrics, run.metrics),
  };
}
