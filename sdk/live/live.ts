// The live connection: a WebSocket, or server-sent events where WebSockets do not get through. It reconnects by itself
// and then subscribes again; the server answers each subscription with the state as it is, so nothing is missed.
import type { Clock, Random } from "../host.ts";
import { backoffMs } from "../queue/backoff.ts";
import type { Subscription } from "../types.ts";

/** Sockets that failed before they opened, after which server-sent events get a try. */
const SOCKET_FAILURES_MAX = 2;

/** Who is subscribed, to what. */
export interface LiveSubscription extends Subscription {
  user_id?: string;
  anonymous_id?: string;
}

export interface LiveMessage {
  type: string;
  [field: string]: unknown;
}

export interface ConnectionEvents {
  onOpen(): void;
  onMessage(text: string): void;
  onClose(): void;
}

export interface Connection {
  /** Undefined for a connection that only receives. */
  send?(text: string): void;
  close(): void;
}

export type Connect = (subscription: LiveSubscription, events: ConnectionEvents) => Connection;

export type LiveState = "off" | "connecting" | "open" | "waiting";

export interface LiveOptions {
  clock: Clock;
  random: Random;
  socket: Connect;
  stream: Connect;
  onMessage: (message: LiveMessage) => void;
  onState: (state: LiveState, transport: "websocket" | "sse") => void;
}

export interface Live {
  /** Opens the connection, or changes what the open one is subscribed to. */
  subscribe(subscription: LiveSubscription): void;
  /** The network is back, or the page is shown again: connects now. */
  wake(): void;
  /** Closes until the next `wake`, e.g. while the page is in the back-forward cache. */
  sleep(): void;
  stop(): void;
}

export function createLive({ clock, random, socket, stream, onMessage, onState }: LiveOptions): Live {
  let wanted: LiveSubscription | undefined;
  let connection: Connection | undefined;
  let cancelRetry: (() => void) | undefined;
  let isOpen = false;
  let attempt = 0;
  let socketFailures = 0;
  /** Events of a connection that was given up are not heard. */
  let generation = 0;

  function connect(): void {
    if (!wanted || connection) return;
    cancelRetry?.();
    cancelRetry = undefined;
    const mine = ++generation;
    // After a failed stream the socket gets its turn again: the obstacle may be gone.
    const viaStream = socketFailures >= SOCKET_FAILURES_MAX;
    const transport = viaStream ? "sse" : "websocket";
    onState("connecting", transport);
    connection = (viaStream ? stream : socket)(wanted, {
      onOpen() {
        if (mine !== generation) return;
        isOpen = true;
        attempt = 0;
        if (!viaStream) socketFailures = 0;
        sendSubscription();
        onState("open", transport);
      },
      onMessage(text) {
        if (mine !== generation) return;
        const message = parse(text);
        if (message) onMessage(message);
      },
      onClose() {
        if (mine !== generation) return;
        if (viaStream) socketFailures = 0;
        else if (!isOpen) socketFailures++;
        drop();
        onState("waiting", transport);
        cancelRetry = clock.after(backoffMs(attempt++, random), connect);
      },
    });
  }

  function sendSubscription(): void {
    connection?.send?.(JSON.stringify({ subscribe: wanted }));
  }

  function drop(): void {
    generation++;
    isOpen = false;
    connection?.close();
    connection = undefined;
  }

  return {
    subscribe(subscription) {
      wanted = subscription;
      if (connection?.send) {
        if (isOpen) sendSubscription();
      } else {
        drop(); // a stream is bound to what it was opened for
        connect();
      }
    },
    wake() {
      attempt = 0;
      connect();
    },
    sleep() {
      cancelRetry?.();
      drop();
      if (wanted) onState("waiting", "websocket");
    },
    stop() {
      wanted = undefined;
      cancelRetry?.();
      drop();
      onState("off", "websocket");
    },
  };
}

function parse(text: string): LiveMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof (message as LiveMessage | null)?.type === "string" ? (message as LiveMessage) : undefined;
  } catch {
    return undefined; // not the server's words; the next message may be
  }
}
