// Conditions over an event: which events a feature, a reward or a metric counts.
import type { Parts } from "./parts.ts";
import type { EventPredicate } from "./compiled.ts";

/** The condition at `path` as a predicate; null where there is none, or it has faults. */
export function readEventFilter(where: unknown, path: string, { cel, scope }: Parts): EventPredicate | null {
  if (where === undefined) return null;
  const compiled = cel(where, path, "where");
  if (compiled === undefined) return null;
  const { rule } = compiled;
  return (event) => {
    const own = scope();
    own.begin(undefined, event.timestamp);
    own.event = event;
    own.context = event.context ?? null;
    return rule.holds(own);
  };
}
