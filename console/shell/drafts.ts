// What was written and not saved outlives its view: whoever looks something up elsewhere in the console finds it again. The
// browser asks before the page itself goes.
import { useLayoutEffect, useState } from "preact/hooks";

const kept = new Map<string, unknown>();

/**
 * A state that is still there when the view comes back, while `isChanged` tells that it differs from what is saved.
 * @param key - what the draft is of, the project included.
 */
export function useDraft<Draft>(
  key: string,
  saved: Draft,
  isChanged: (draft: Draft) => boolean,
): [Draft, (draft: Draft) => void] {
  const [state, setState] = useState<{ key: string; draft: Draft } | undefined>(undefined);
  const draft = state?.key === key ? state.draft : kept.has(key) ? (kept.get(key) as Draft) : saved;
  const changed = isChanged(draft);
  // As it is drawn, not after: a view that goes at once takes what it would do later with it.
  useLayoutEffect(() => {
    if (changed) kept.set(key, draft);
    else kept.delete(key);
    if (kept.size > 0) window.addEventListener("beforeunload", ask);
    else window.removeEventListener("beforeunload", ask);
  }, [key, draft, changed]);
  return [draft, (next) => setState({ key, draft: next })];
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
