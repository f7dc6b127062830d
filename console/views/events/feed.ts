// The live stream of events, gathered and shown in beats.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useStream } from "../../api/stream.ts";
import type { StreamedEvent, StreamStatus } from "../../api/types.ts";

export const EVENTS_SHOWN_MAX = 100;
/** Rows are taken in together at this pace, so that a busy stream can be read. */
const SHOW_EVERY_MS = 500;

export interface Rejected {
  code: string;
  path: string;
  message: string;
  at: string;
}

export type Row =
  { kind: "event"; key: string; event: StreamedEvent } | { kind: "rejected"; key: string; rejected: Rejected };

/** Gathers the stream and shows it in beats; the newest row first. */
export function useFeed(url: string, paused: boolean) {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [status, setStatus] = useState<StreamStatus | undefined>(undefined);
  const arrived = useRef<Row[]>([]);
  const count = useRef(0);
  const take = (row: Row): void => {
    arrived.current = [row, ...arrived.current].slice(0, EVENTS_SHOWN_MAX);
    count.current++;
  };

  const state = useStream(url, {
    event: (event: StreamedEvent) => take({ kind: "event", key: event.event_id, event }),
    rejected: (rejected: Rejected) =>
      take({ kind: "rejected", key: `rejected ${rejected.at} ${count.current}`, rejected }),
    status: setStatus,
  });
  useEffect(() => {
    arrived.current = [];
    count.current = 0;
    setRows([]);
    setWaiting(0);
    setStatus(undefined);
  }, [url]);
  useEffect(() => {
    const show = (): void => {
      if (arrived.current.length === 0) return;
      if (paused) {
        setWaiting(count.current);
        return;
      }
      const fresh = arrived.current;
      const known = new Set(fresh.map((row) => row.key));
      arrived.current = [];
      count.current = 0;
      setWaiting(0);
      setRows((shown) => [...fresh, ...shown.filter((row) => !known.has(row.key))].slice(0, EVENTS_SHOWN_MAX));
    };
    show();
    const timer = setInterval(show, SHOW_EVERY_MS);
    return () => clearInterval(timer);
  }, [paused]);

  const types = useMemo(
    () => [...new Set(rows.flatMap((row) => (row.kind === "event" ? [row.event.event_type] : [])))],
    [rows],
  );
  return { rows, waiting, status, state, types };
}
