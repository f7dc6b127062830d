// The first of a long list, and a button that brings the rest: what stands below it stays in reach.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { formatCount } from "./format.ts";

interface FirstOfProps<One> {
  readonly all: readonly One[];
  /** How many are shown before somebody asks for all. */
  readonly first: number;
  readonly children: (shown: readonly One[]) => ComponentChildren;
}

/** A rest of one or two is shown at once: the button would take as much room. */
const REST_MIN = 3;

export function FirstOf<One>({ all, first, children }: FirstOfProps<One>) {
  const [isWhole, setWhole] = useState(false);
  const rest = all.length - first;
  if (isWhole || rest < REST_MIN) return <>{children(all)}</>;
  return (
    <>
      {children(all.slice(0, first))}
      <button type="button" class="btn small more" onClick={() => setWhole(true)}>
        Show {formatCount(rest)} more
      </button>
    </>
  );
}
