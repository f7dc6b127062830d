// A time as people say it, with the exact one on hover. One clock ticks for the whole page.
import { useEffect, useState } from "preact/hooks";
import { nodeNowMs } from "../api/node-clock.ts";
import { formatAgo, formatExact, timeOf } from "./format.ts";

const TICK_MS = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time of the page's clock, once a second; stands still while the tab is hidden. */
function useNow(): number {
  const [now, setNow] = useState(nodeNowMs);
  useEffect(() => {
    const tick = (): void => setNow(nodeNowMs());
    listeners.add(tick);
    timer ??= setInterval(() => {
      if (!document.hidden) for (const listener of listeners) listener();
    }, TICK_MS);
    return () => {
      listeners.delete(tick);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}

export function RelativeTime({ at }: { at: string | number | null | undefined }) {
  const now = useNow();
  const timeMs = timeOf(at);
  if (!Number.isFinite(timeMs)) return <span class="faint">–</span>;
  return (
    <time class="nowrap num" dateTime={new Date(timeMs).toISOString()} title={formatExact(timeMs)}>
      {formatAgo(timeMs, now)}
    </time>
  );
}
