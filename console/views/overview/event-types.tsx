// Events by type, as the live stream shows them.
import { useEffect, useState } from "preact/hooks";
import { useStream } from "../../api/stream.ts";
import type { StreamedEvent } from "../../api/types.ts";
import { Bars } from "../../parts/bars.tsx";
import { Card } from "../../parts/card.tsx";
import { formatCount } from "../../parts/format.ts";
import { Loading } from "../../parts/state.tsx";
import { useConsole } from "../../shell/context.ts";

const TYPES_SPAN_MS = 60_000;
const TYPES_EVERY_MS = 1000;
const TYPES_MAX = 12;

/** What came in by type, counted from the live stream in the last minute. */
export function EventTypes() {
  const { api, links } = useConsole();
  const [arrived] = useState<{ type: string; timeMs: number }[]>([]);
  const [counts, setCounts] = useState<readonly [string, number][] | undefined>(undefined);
  useStream(api.streamUrl("/v1/events/stream", {}), {
    event: (event: StreamedEvent) => void arrived.push({ type: event.event_type, timeMs: Date.now() }),
  });
  useEffect(() => {
    const timer = setInterval(() => {
      const since = Date.now() - TYPES_SPAN_MS;
      while (arrived.length > 0 && arrived[0]!.timeMs < since) arrived.shift();
      setCounts(countedByType(arrived));
    }, TYPES_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Card title="Events by type" note="last 60 s of the live stream" className="span-4">
      {counts === undefined ? (
        <Loading rows={3} />
      ) : counts.length === 0 ? (
        <p class="soft">
          Nothing has come in since this page was opened. Send an event to <code>POST /v1/events</code>, and its type is
          counted here.
        </p>
      ) : (
        <Bars
          bars={counts.map(([name, count]) => ({
            name,
            value: count,
            text: formatCount(count),
            href: links.view(["events"], { type: name }),
          }))}
        />
      )}
    </Card>
  );
}

function countedByType(events: readonly { type: string }[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .sort(([, a], [, b]) => b - a)
    .slice(0, TYPES_MAX);
}
