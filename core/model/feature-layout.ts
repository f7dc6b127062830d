// Where a feature's number lies in a row of numbers by feature, now and in rows of releases with fewer models and features:
// the models' features come first, then the general ones, and new ones are added behind those of their kind.
import type { RowReader, RowWriter } from "./row-bytes.ts";
import { GENERAL, PER_MODEL } from "./union.ts";

export interface FeatureLayout {
  readonly width: number;
  /** Writes what `read` needs to know of this release. */
  write(out: RowWriter): void;
  /** `general` is given where rows do not say how many general features they hold. */
  read(input: RowReader, general?: number): StoredLayout;
}

export interface StoredLayout {
  readonly width: number;
  /** Where what lay at `place` lies now. */
  placeOf(place: number): number;
}

export function featureLayout(modelCount: number): FeatureLayout {
  return {
    width: modelCount * PER_MODEL + GENERAL,
    write(out) {
      out.i32(modelCount);
      out.i32(GENERAL);
    },
    read(input, given) {
      const models = input.i32();
      const general = given ?? input.i32();
      const shift = (modelCount - models) * PER_MODEL;
      return {
        width: models * PER_MODEL + general,
        placeOf: (place) => (place < models * PER_MODEL ? place : place + shift),
      };
    },
  };
}
