// Asking now and then, for figures that nothing waits for.

/** Asks now and every `everyMs`, never twice at a time; who gets no answer asks again the next time. Returns what ends it. */
export function lookEvery(everyMs: number, ask: () => Promise<void>): () => void {
  let isAsking = false;
  const look = (): void => {
    if (isAsking) return;
    isAsking = true;
    void ask().catch(() => undefined).finally(() => (isAsking = false));
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  look();
  return () => clearInterval(timer);
}
