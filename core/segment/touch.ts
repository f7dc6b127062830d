// Which segments a change can have touched, worked out once per program and kind of change: the others keep their
// value without being evaluated.
import type { LoggedEvent } from "../event/event.ts";
import type { CompiledProgram, CompiledTrigger } from "../program/compiled.ts";

/** Indices into the program's segments, in their order. */
export type SegmentIndices = readonly number[];

export class TouchIndex {
  readonly all: SegmentIndices;
  /** Those that time alone can change. */
  readonly timed: SegmentIndices;
  readonly attributes: SegmentIndices;
  readonly #program: CompiledProgram;
  readonly #byEvent = new Map<string, SegmentIndices>();
  readonly #triggers = new Map<string, readonly CompiledTrigger[]>();

  constructor(program: CompiledProgram) {
    this.#program = program;
    this.all = program.segments.map((_, i) => i);
    this.timed = this.all.filter((i) => program.segments[i]!.reads.time);
    this.attributes = this.all.filter((i) => program.segments[i]!.reads.attributes);
  }

  /** Segments that a folded event of this kind can have changed. */
  byEvent(event: LoggedEvent): SegmentIndices {
    const weighty = event.item !== undefined && (this.#program.plan.weights.get(event.event_type) ?? 0) !== 0;
    const key = `${weighty ? "i" : ""}${event.context === undefined ? "" : "c"}|${event.event_type}`;
    const known = this.#byEvent.get(key);
    if (known !== undefined) return known;
    const touched = this.all.filter((i) => {
      const { reads } = this.#program.segments[i]!;
      return reads.anyEvent || reads.eventTypes.has(event.event_type) || (reads.interests && weighty)
        || (reads.context && event.context !== undefined);
    });
    // Only types that the program knows are kept: whoever sends others must not fill the memory.
    if (this.#program.eventTypes.has(event.event_type)) this.#byEvent.set(key, touched);
    return touched;
  }

  /** Triggers that an event of this type can set off. */
  triggersOf(eventType: string): readonly CompiledTrigger[] {
    const known = this.#triggers.get(eventType);
    if (known !== undefined) return known;
    const triggers = this.#program.triggers.filter(({ eventTypes }) => eventTypes === null || eventTypes.has(eventType));
    if (this.#program.eventTypes.has(eventType)) this.#triggers.set(eventType, triggers);
    return triggers;
  }
}

const indices = new WeakMap<CompiledProgram, TouchIndex>();

export function touchIndexOf(program: CompiledProgram): TouchIndex {
  let index = indices.get(program);
  if (index === undefined) {
    index = new TouchIndex(program);
    indices.set(program, index);
  }
  return index;
}
