// The browser's two kinds of live connection.
import type { HttpClient } from "../browser-host.ts";
import type { Connect } from "./live.ts";

const PATH = "/v1/live";

export function socketConnect(client: HttpClient): Connect {
  return (_subscription, { onOpen, onMessage, onClose }) => {
    const socket = new WebSocket(client.url(PATH, "ws"));
    socket.onopen = onOpen;
    socket.onmessage = ({ data }) => onMessage(String(data));
    // A socket that the page's policy forbids has an error, and is never closed.
    socket.onerror = socket.onclose = onClose;
    return { send: (text) => socket.send(text), close: () => socket.close() };
  };
}

/** Messages that a page hears by their type. */
export const LIVE_NAMES: ReadonlySet<string> = new Set(["profile", "segments", "trigger", "recommendations"]);

export function streamConnect(client: HttpClient): Connect {
  return (subscription, { onOpen, onMessage, onClose }) => {
    const query = new URLSearchParams();
    // The stream takes one name: the user's where he is known.
    const { anonymous_id, ...rest } = subscription;
    for (const [name, value] of Object.entries(rest.user_id ? rest : { ...rest, anonymous_id })) {
      if (value !== undefined) query.set(name, value === true ? "1" : String(value));
    }
    const source = new EventSource(client.url(`${PATH}?${query}`));
    source.onopen = onOpen;
    // Event names are the messages' types; `error` is the browser's own event when it carries no data.
    for (const name of [...LIVE_NAMES, "error"]) {
      source.addEventListener(name, (event) => {
        const { data } = event as MessageEvent<string>;
        if (typeof data === "string") onMessage(data);
        else if (name === "error") onClose();
      });
    }
    return { close: () => source.close() };
  };
}
