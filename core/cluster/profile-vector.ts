// A profile as a vector: shares of interest, and features as they were at the person's last interaction, so that nothing of it
// changes by time alone.
import { log2 } from "../math/exp2.ts";
import { BUILT_IN_FEATURES, builtinValue, featureValue, interestShare, type BuiltInFeature } from "../profile/reading.ts";
import type { PersonState } from "../profile/state.ts";
import type { LearnedColumn } from "./learned.ts";

const INTEREST = "interest:";
const FEATURE = "feature:";

export const interestColumn = (category: string): string => INTEREST + category;
export const featureColumn = (name: string): string => FEATURE + name;

/** Reads one column of a person; NaN where there is no such number. */
export function readColumn(person: PersonState, column: string): number {
  if (column.startsWith(INTEREST)) return interestShare(person, column.slice(INTEREST.length));
  const name = column.slice(FEATURE.length);
  const nowMs = Math.max(0, person.lastInteractionMs);
  if ((BUILT_IN_FEATURES as readonly string[]).includes(name)) {
    return compressed(builtinValue(person, name as BuiltInFeature, nowMs));
  }
  const index = person.layout.plan.features.findIndex((feature) => feature.name === name);
  const value = index < 0 ? NaN : featureValue(person, index, nowMs);
  return typeof value === "number" ? compressed(value) : NaN;
}

/** Sums and counts spread over orders of magnitude; their logarithm says how much more. Keeps the sign. */
function compressed(value: number): number {
  const size = Math.abs(value);
  if (!(size < Infinity)) return 0;
  const logarithm = log2(1 + size);
  return value < 0 ? -logarithm : logarithm;
}

/** Fills `into` with the person's point on the scale of the columns; a number that he lacks is at the mean. */
export function fillPoint(person: PersonState, columns: readonly LearnedColumn[], into: Float64Array): Float64Array {
  for (let i = 0; i < columns.length; i++) {
    const { name, mean, scale } = columns[i]!;
    const value = readColumn(person, name);
    into[i] = value - value === 0 ? (value - mean) * scale : 0;
  }
  return into;
}
