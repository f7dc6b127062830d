// What changes with each event, slowed down to what an eye can follow.
import { useEffect, useRef, useState } from "preact/hooks";

/** The newest `value`, but never two changes within `paceMs`; the last one always comes. */
export function usePaced<Value>(value: Value, paceMs: number): Value {
  const [shown, setShown] = useState(value);
  const shownAtMs = useRef(-Infinity);
  useEffect(() => {
    if (value === shown) return undefined;
    const show = (): void => {
      shownAtMs.current = performance.now();
      setShown(value);
    };
    const timer = setTimeout(show, Math.max(0, shownAtMs.current + paceMs - performance.now()));
    return () => clearTimeout(timer);
  }, [value, shown, paceMs]);
  return shown;
}

const TYPING_PAUSE_MS = 100;

/** What was typed, once the fingers rest. */
export function usePaused(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}
