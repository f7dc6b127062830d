// Reading from the node inside a view: first load, refresh while the tab is seen, and the last good answer kept when one fails.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem } from "./client.ts";

/** A node that was away, or had too much to do, is asked again after this pause. */
export const AGAIN_MS = 3000;
const PASSING: ReadonlySet<number> = new Set([0, 429, 503]);

/** Whether what stood in the way of an answer passes by itself. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiProblem && PASSING.has(error.status);
}

export interface Reading<Answer> {
  /** The last good answer; undefined before the first. */
  readonly data: Answer | undefined;
  /** Why the newest attempt failed; undefined when it did not. */
  readonly error: unknown;
  readonly reload: () => void;
}

/**
 * Runs `read` at once, again whenever `key` changes, and each `everyMs` while the tab is seen; without `everyMs` again
 * when what stood in the way passes. Answers that arrive after the key has changed, or after a newer one, are dropped: a
 * node that takes longer than `everyMs` is read all the same. While a new key loads, `data` is undefined.
 */
export function useRead<Answer>(key: string, read: () => Promise<Answer>, everyMs?: number): Reading<Answer> {
  const [state, setState] = useState<{ key: string; data: Answer | undefined; error: unknown }>({
    key,
    data: undefined,
    error: undefined,
  });
  const latest = useRef(read);
  latest.current = read;
  const asked = useRef(0);
  /** What was asked up to here is answered, or its answer is not wanted any more. */
  const settled = useRef(0);

  const attempt = useCallback(async (): Promise<void> => {
    const mine = ++asked.current;
    const isNews = (): boolean => {
      if (mine <= settled.current) return false;
      settled.current = mine;
      return true;
    };
    try {
      const data = await latest.current();
      if (isNews()) setState({ key, data, error: undefined });
    } catch (error) {
      if (isNews()) setState((before) => ({ key, data: before.key === key ? before.data : undefined, error }));
    }
  }, [key]);

  useEffect(() => {
    void attempt();
    const poll = (): void => {
      if (!document.hidden) void attempt();
    };
    const timer = everyMs === undefined ? undefined : setInterval(poll, everyMs);
    return () => {
      settled.current = asked.current;
      clearInterval(timer);
    };
  }, [attempt, everyMs]);

  const current = state.key === key;
  const isAgain = everyMs === undefined && current && isPassing(state.error);
  useEffect(() => {
    if (!isAgain) return undefined;
    const timer = setTimeout(() => void attempt(), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  return {
    data: current ? state.data : undefined,
    error: current ? state.error : undefined,
    reload: () => void attempt(),
  };
}
