// Segments as the API lists them. Groups that no training has found are left out: nobody is in them.
import type { CompiledProgram } from "../../core/program/compiled.ts";
import { formatTimestamp } from "../../core/event/time.ts";
import type { SegmentSummary } from "../ports.ts";

export function segmentSummaries({ segments }: CompiledProgram, sizeOf: (name: string) => number): SegmentSummary[] {
  return segments.flatMap(({ name, when, description, family, number }): SegmentSummary[] => {
    const summary = { name, when, ...(description === undefined ? {} : { description }), size: sizeOf(name) };
    if (family === undefined) return [summary];
    const { learned, method } = family;
    const group = learned?.groups.find((one) => one.number === number);
    if (number !== 0 && group === undefined) return [];
    return [
      {
        ...summary,
        learned: {
          family: family.name,
          method,
          trained_at: learned === undefined ? null : formatTimestamp(learned.trained_at),
          persons: group?.size ?? learned?.persons ?? 0,
          distinctions: group?.distinctions ?? [],
        },
      },
    ];
  });
}
