// `WS /v1/live`: subscriptions and events in, changes out.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer, type WebSocket } from "ws";
import { formatTimestamp } from "../../core/event/time.ts";
import { isObject, parseJson } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { readBatch } from "../intake/batch.ts";
import type { Enricher } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { HostError, type Project } from "../ports.ts";
import type { Hub } from "./hub.ts";
import { messageId, readClientMessage, type LiveMessage } from "./messages.ts";
import type { Outlet } from "./subscriber.ts";

export const MESSAGE_BYTES_MAX = 256 * 1024;
export const SOCKETS_MAX = 10_000;
export const HEARTBEAT_S = 15;
/** Messages of one socket that wait for the log; more and the socket is not read on. */
const TAKING_MAX = 8;
/** "Try again later" (RFC 6455 registry): the reader was too slow. */
const CLOSE_TRY_AGAIN = 1013;
const CLOSE_GOING_AWAY = 1001;

export interface SocketServerOptions {
  hubOf: (project: Project) => Hub;
  /** @throws Problem (unknown_project). */
  projectOf: (request: IncomingMessage) => Project;
  addressOf: (request: IncomingMessage) => string;
  intake: Intake;
  enricher: Enricher;
  logger: Logger;
  now: () => number;
}

export interface SocketServer {
  readonly open: number;
  /** @throws Problem (too_many_connections, unknown_project). */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { intake, logger } = options;
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false });
  const alive = new WeakSet<WebSocket>();

  const heartbeat = setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.has(socket)) {
        socket.terminate();
        continue;
      }
      alive.delete(socket);
      socket.ping();
    }
  }, HEARTBEAT_S * 1_000);
  heartbeat.unref();

  function connect(socket: WebSocket, request: IncomingMessage, project: Project): void {
    const hub = options.hubOf(project);
    const outlet = socketOutlet(socket, () => hub.drained(subscriber));
    const subscriber = hub.join(outlet);
    const sender = options.enricher.sender({
      address: options.addressOf(request),
      userAgent: request.headers["user-agent"],
      gpc: request.headers["sec-gpc"],
    });
    let taking = 0;
    alive.add(socket);
    socket.on("pong", () => alive.add(socket));
    socket.on("error", () => socket.terminate()); // a broken frame or a lost peer: `close` follows
    socket.on("close", () => hub.leave(subscriber));
    socket.on("message", (data: Buffer) => {
      alive.add(socket);
      void receive(data);
    });
    outlet.send({ type: "hello", project: project.name, heartbeat_s: HEARTBEAT_S, at: at() });

    async function receive(data: Buffer): Promise<void> {
      let id: string | undefined;
      try {
        const value = parseJson(data);
        id = isObject(value) ? messageId(value) : undefined;
        const message = readClientMessage(value);
        const echoed = id === undefined ? {} : { id };
        if (message.kind === "unsubscribe") {
          hub.unsubscribe(subscriber);
          outlet.send({ type: "ack", ...echoed, unsubscribed: true, at: at() });
        } else if (message.kind === "subscribe") {
          const { ref, requests } = message.subscription;
          const placements = requests.map(({ placement }) => placement);
          outlet.send({ type: "ack", ...echoed, subscribed: { ...ref, placements }, at: at() });
          hub.subscribe(subscriber, message.subscription);
        } else {
          if (++taking >= TAKING_MAX) socket.pause();
          try {
            const answer = await intake.take(project, readBatch(message.body), {
              sender,
              sizeBytes: data.length,
              source: "live",
              keepRejected: true,
            });
            outlet.send({ type: "ack", ...echoed, ...answer, at: at() });
          } finally {
            if (--taking < TAKING_MAX) socket.resume();
          }
        }
      } catch (error) {
        outlet.send({ type: "error", ...(id !== undefined && { id }), ...faultOf(error), at: at() });
      }
    }
  }

  function faultOf(error: unknown): { code: Problem["code"]; detail: string } {
    if (error instanceof Problem || error instanceof HostError) return { code: error.code, detail: error.message };
    logger.error({ err: error }, "a live message failed");
    return { code: "internal", detail: "The server failed; its log says more." };
  }

  function at(): string {
    return formatTimestamp(options.now());
  }

  return {
    get open() {
      return server.clients.size;
    },
    take(request, socket, head) {
      if (server.clients.size >= SOCKETS_MAX) {
        throw new Problem("too_many_connections", `${SOCKETS_MAX} live connections are open.`, { retryAfterS: 10 });
      }
      const project = options.projectOf(request);
      server.handleUpgrade(request, socket, head, (open) => connect(open, request, project));
    },
    close() {
      clearInterval(heartbeat);
      for (const socket of server.clients) {
        socket.close(CLOSE_GOING_AWAY, "the server is going down");
        setTimeout(() => socket.terminate(), 1_000).unref();
      }
    },
  };
}

function socketOutlet(socket: WebSocket, drained: () => void): Outlet {
  return {
    get unreadBytes() {
      return socket.bufferedAmount;
    },
    send(message: LiveMessage) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(JSON.stringify(message), { binary: false }, drained);
    },
    cut() {
      socket.close(CLOSE_TRY_AGAIN, "the reader is too slow");
      // A peer that does not read will not answer the close either.
      setTimeout(() => socket.terminate(), 1_000).unref();
    },
  };
}
