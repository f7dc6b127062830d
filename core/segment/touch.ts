// Which segments a change can have touched, worked out once per program and kind of change: the others keep their
// value without being evaluated.
import type { LoggedEvent } from "../event/event.ts";
import type { CompiledProgram, CompiledTrigger } from "../program/compiled.ts";

/** Indices into the program's segments, in their order. */
export type SegmentIndices = readonly number[];

/** What events of one type can touch. */
export interface TypeTouch {
  /** Segments that a folded event of this type can have changed, by what the event carries: bits of CARRIES. */
  readonly segments: readonly SegmentIndices[];
  /** Triggers that it can set off. */
  readonly triggers: readonly CompiledTrigger[];
  /** The type moves interests. */
  readonly weighty: boolean;
}

const CARRIES = { context: 1, interests: 2 } as const;

export class TouchIndex {
  readonly all: SegmentIndices;
  /** Those that time alone can change. */
  readonly timed: SegmentIndices;
  readonly attributes: SegmentIndices;
  readonly #program: CompiledProgram;
  readonly #types = new Map<string, TypeTouch>();

  constructor(program: CompiledProgram) {
    this.#program = program;
    this.all = program.segments.map((_, i) => i);
    this.timed = this.all.filter((i) => program.segments[i]!.reads.time);
    this.attributes = this.all.filter((i) => program.segments[i]!.reads.attributes);
  }

  ofType(eventType: string): TypeTouch {
    const known = this.#types.get(eventType);
    if (known !== undefined) return known;
    const { plan, triggers, eventTypes: declared } = this.#program;
    const touch: TypeTouch = {
      segments: [0, 1, 2, 3].map((carries) => this.#segments(eventType, carries)),
      triggers: triggers.filter(({ eventTypes }) => eventTypes === null || eventTypes.has(eventType)),
      weighty: (plan.weights.get(eventType) ?? 0) !== 0,
    };
    // Only types that the program knows are kept: whoever sends others must not fill the memory.
    if (declared.has(eventType)) this.#types.set(eventType, touch);
    return touch;
  }

  #segments(eventType: string, carries: number): SegmentIndices {
    return this.all.filter((i) => {
      const { reads } = this.#program.segments[i]!;
      return (
        reads.anyEvent ||
        reads.eventTypes.has(eventType) ||
        (reads.interests && (carries & CARRIES.interests) !== 0) ||
        (reads.context && (carries & CARRIES.context) !== 0)
      );
    });
  }
}

/** Segments that this folded event can have changed; `touch` is that of its type. */
export function segmentsTouched(touch: TypeTouch, event: LoggedEvent): SegmentIndices {
  const context = event.context === undefined ? 0 : CARRIES.context;
  return touch.segments[event.item !== undefined && touch.weighty ? context + CARRIES.interests : context]!;
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
