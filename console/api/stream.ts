// Server-sent events with a state that a view can show. EventSource reconnects a lost connection by itself, but gives up
// where the node refuses one (while it starts, or sheds load): then it is asked again after a pause.
import { useEffect, useRef, useState } from "preact/hooks";

const REFUSED_PAUSE_MS = 3000;

export type StreamState = "connecting" | "open" | "lost";

/** Follows `url` (none: closed) and hands each named event's parsed data to its handler. */
export function useStream(
  url: string | undefined,
  handlers: Readonly<Record<string, (message: never) => void>>,
): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const latest = useRef(handlers);
  latest.current = handlers;
  const names = Object.keys(handlers).sort().join(" ");

  useEffect(() => {
    if (url === undefined) return undefined;
    setState("connecting");
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    const connect = (): void => {
      source = new EventSource(url);
      source.onopen = () => setState("open");
      source.onerror = () => {
        setState("lost");
        if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, REFUSED_PAUSE_MS);
      };
      for (const name of names.split(" ")) {
        source.addEventListener(name, (event) =>
          latest.current[name]?.(JSON.parse((event as MessageEvent<string>).data) as never),
        );
      }
    };
    connect();
    return () => {
      clearTimeout(again);
      source.close();
    };
  }, [url, names]);
  return state;
}
