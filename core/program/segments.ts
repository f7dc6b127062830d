// Segments may read each other: they are put in an order in which each comes after those it reads.
import type { CompiledSegment } from "./compiled.ts";
import { at, type Faults } from "./faults.ts";
import type { ReadSet } from "./rule.ts";

/**
 * Orders segments and widens what each reads by what those read. A segment that reads itself, over whatever detour, is
 * a fault: which of them comes first would decide the outcome.
 */
export function orderSegments(segments: readonly CompiledSegment[], faults: Faults): CompiledSegment[] {
  const byName = new Map(segments.map((segment) => [segment.name, segment]));
  const ordered = new Map<string, CompiledSegment>();
  const open: string[] = [];
  const visit = (segment: CompiledSegment): void => {
    if (ordered.has(segment.name)) return;
    const start = open.indexOf(segment.name);
    if (start >= 0) {
      const circle = [...open.slice(start), segment.name].join(" → ");
      faults.add(
        `${at("/segments", segment.name)}/when`,
        "cyclic_segments",
        `the segment reads itself: ${circle}; remove one of these in_segment()`,
      );
      return;
    }
    open.push(segment.name);
    for (const name of segment.rule.reads.segments) {
      const read = byName.get(name);
      if (read !== undefined) visit(read);
    }
    open.pop();
    const readSegments = [...segment.rule.reads.segments].flatMap((name) => ordered.get(name) ?? []);
    ordered.set(segment.name, {
      ...segment,
      reads: unite([segment.rule.reads, ...readSegments.map(({ reads }) => reads)]),
    });
  };
  for (const segment of segments) visit(segment);
  return [...ordered.values()];
}

function unite(sets: readonly ReadSet[]): ReadSet {
  return {
    eventTypes: new Set(sets.flatMap((set) => [...set.eventTypes])),
    segments: new Set(sets.flatMap((set) => [...set.segments])),
    anyEvent: sets.some((set) => set.anyEvent),
    interests: sets.some((set) => set.interests),
    attributes: sets.some((set) => set.attributes),
    context: sets.some((set) => set.context),
    time: sets.some((set) => set.time),
  };
}
