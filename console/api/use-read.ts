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
 * when what stood in the way passes. Answers that arrive after the key has changed are dropped; while a new key loads,
 * `data` is undefined.
 */
export function useRead<Answer>(key: string, read: () => Promise<Answer>, everyMs?: number): Reading<Answer> {
  const [state, setState] = useState<{ key: string; data: Answer | undefined; error: unknown }>({
    key,
    data: undefined,
    error: undefined,
  });
  const latest = useRef(read);
  latest.current = read;
  const turn = useRef(0);

  const attempt = useCallback(async (): Promise<void> => {
    const mine = ++turn.current;
    try {
      const data = await latest.current();
      if (mine === turn.current) setState({ key, data, error: undefined });
    } catch (error) {
      if (mine === turn.current)
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, error }));
    }
  }, [key]);

  useEffect(() => {
    void attempt();
    if (everyMs === undefined) return () => void turn.current++;
    const timer = setInterval(() => {
      if (!document.hidden) void attempt();
    }, everyMs);
    return () => {
      turn.current++;
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
