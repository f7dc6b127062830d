// Server-sent events with a state that a view can show. EventSource reconnects by itself.
import { useEffect, useRef, useState } from "preact/hooks";

export type StreamState = "connecting" | "open" | "lost";

/** Follows `url` (none: closed) and hands each named event's parsed data to its handler. */
export function useStream(url: string | undefined, handlers: Readonly<Record<string, (message: never) => void>>): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const latest = useRef(handlers);
  latest.current = handlers;
  const names = Object.keys(handlers).sort().join(" ");

  useEffect(() => {
    if (url === undefined) return undefined;
    setState("connecting");
    const source = new EventSource(url);
    source.onopen = () => setState("open");
    source.onerror = () => setState("lost");
    for (const name of names.split(" ")) {
      source.addEventListener(name, (event) => latest.current[name]?.(JSON.parse((event as MessageEvent<string>).data) as never));
    }
    return () => source.close();
  }, [url, names]);
  return state;
}
