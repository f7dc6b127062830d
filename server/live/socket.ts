// `WS /v1/live`: subscriptions and events in, changes out.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer, type WebSocket } from "ws";
import { formatTimestamp } from "../../core/event/time.ts";
import { refusal, requireNeed, type Gate } from "../access/gate.ts";
import type { Limits } from "../access/limits.ts";
import { credentialsOf, type Principal } from "../access/principal.ts";
import type { Reader } from "../access/reader.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { isObject, parseJson } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { findProject, isAudited, projectNamed } from "../http/request-call.ts";
import { readBatch } from "../intake/batch.ts";
import type { Enricher } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { HostError, type Project } from "../ports.ts";
import { UNREAD_PAUSE_BYTES, type Hub } from "./hub.ts";
import { messageId, readAuth, readClientMessage, type LiveMessage } from "./messages.ts";
import type { Outlet } from "./subscriber.ts";

export const MESSAGE_BYTES_MAX = 256 * 1024;
const SOCKETS_MAX = 10_000;
export const HEARTBEAT_S = 15;
/** Messages of one socket that wait for the log; more and the socket is not read on. */
const TAKING_MAX = 8;
/** "Try again later" (RFC 6455 registry): the reader was too slow. */
const CLOSE_TRY_AGAIN = 1013;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
/** How long a connection without a key may take to send one. */
const AUTH_WAIT_MS = 10_000;

export interface SocketServerOptions {
  hubOf: (project: Project) => Hub;
  gate: Gate;
  /** A connection and each of its messages count as a request does. */
  limits: Limits;
  projects: (name: string) => Project | undefined;
  /** Whether the page that asks is one of this server's. */
  isOwnPage: (request: IncomingMessage) => boolean;
  audit?: AuditLog | undefined;
  addressOf: (request: IncomingMessage) => string;
  intake: Intake;
  enricher: Enricher;
  logger: Logger;
  now: () => number;
}

export interface SocketServer {
  readonly open: number;
  /** Rejects with a Problem (bad_request, too_many_connections, rate_limited, unknown_project, 401, 403). */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  close(): void;
}

export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { intake, logger } = options;
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false });
  // The library answers a handshake that is none with a page of its own. What is thrown here leaves `take` as its rejection.
  server.on("wsClientError", ({ message }) => {
    throw new Problem("bad_request", `This is no WebSocket handshake: ${message}.`);
  });
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

  /** Who asks is known, or says so in his first message: browsers set no header on a WebSocket. */
  function connect(socket: WebSocket, request: IncomingMessage, known: Principal, named: string | undefined): void {
    alive.add(socket);
    socket.on("pong", () => alive.add(socket));
    socket.on("error", () => socket.terminate()); // a broken frame or a lost peer: `close` follows
    if (known.kind !== "nobody") return begin(socket, request, readerOf(known, named));
    const refuse = (error: unknown): void => {
      socket.send(JSON.stringify({ type: "error", ...faultOf(error), at: at() }));
      socket.close(CLOSE_POLICY, "no key");
    };
    const late = setTimeout(() => refuse(refusal("key_missing")), AUTH_WAIT_MS).unref();
    socket.once("close", () => clearTimeout(late));
    socket.once("message", (data: Buffer) => {
      clearTimeout(late);
      // Until it is clear who asks, nothing more is read.
      socket.pause();
      const admit = async (): Promise<void> => {
        const { key, userToken } = readAuth(parseJson(data));
        const principal = await options.gate.identify({ key, userToken, origin: request.headers.origin }, named);
        count(request, principal);
        begin(socket, request, readerOf(principal, named));
      };
      admit()
        .catch(refuse)
        .finally(() => socket.resume());
    });
  }

  /** @throws Problem (rate_limited). A node without keys counts nothing. */
  function count(request: IncomingMessage, principal: Principal): void {
    if (principal.kind === "open") return;
    options.limits.address(options.addressOf(request));
    if (principal.kind !== "nobody") options.limits.key(principal.id);
  }

  /** @throws Problem (key_missing, forbidden, unknown_project). */
  function readerOf(principal: Principal, named: string | undefined): Reader {
    requireNeed(principal, "own");
    const project = findProject(options.projects, named ?? principal.project);
    const { audit } = options;
    return {
      principal,
      project,
      noted(ref) {
        if (principal.kind === "open") return;
        const personKey = project.personKey(ref);
        options.limits.person(project.name, personKey);
        if (audit === undefined || !isAudited(principal)) return;
        const subject = audit.subjectOf(project.name, personKey);
        audit.read({ project: project.name, actor: principal.id, action: "WS /v1/live", subject });
      },
    };
  }

  function begin(socket: WebSocket, request: IncomingMessage, reader: Reader): void {
    // It may have ended while it was asked who it is for, and will not say so again.
    if (socket.readyState !== socket.OPEN) return;
    const { project, principal } = reader;
    const hub = options.hubOf(project);
    const outlet = socketOutlet(socket, () => {
      pace();
      hub.drained(subscriber);
    });
    const subscriber = hub.join(outlet);
    const sender = options.enricher.sender({
      address: options.addressOf(request),
      userAgent: request.headers["user-agent"],
      gpc: request.headers["sec-gpc"],
      isTrusted: principal.may("read"),
    });
    let taking = 0;
    /** Whoever sends and does not read has no more of him read: each message has its answer, and they would pile up. */
    const pace = (): void => (taking >= TAKING_MAX || outlet.unreadBytes > UNREAD_PAUSE_BYTES ? socket.pause() : socket.resume());
    /** Messages take effect in the order in which they came, however long it takes to know whether one is allowed. */
    let turn: Promise<unknown> = Promise.resolve();
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
        if (!principal.holds()) {
          const fault = principal.kind === "open" ? "key_missing" : "key_invalid";
          outlet.send({ type: "error", ...faultOf(refusal(fault)), at: at() });
          return socket.close(CLOSE_POLICY, "the key is not in force");
        }
        count(request, principal);
        const reading = turn.then(() => readClientMessage(value, reader));
        turn = reading.catch(() => undefined);
        const message = await reading;
        if (message.kind === "subscribe" && socket.readyState !== socket.OPEN) return;
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
          requireNeed(principal, "collect");
          taking++;
          pace();
          try {
            const answer = await intake.take(project, readBatch(message.body), {
              sender,
              sizeBytes: data.length,
              source: "live",
              keepRejected: true,
            });
            outlet.send({ type: "ack", ...echoed, ...answer, at: at() });
          } finally {
            taking--;
          }
        }
      } catch (error) {
        outlet.send({ type: "error", ...(id !== undefined && { id }), ...faultOf(error), at: at() });
      }
      pace();
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
    async take(request, socket, head) {
      if (server.clients.size >= SOCKETS_MAX) {
        throw new Problem("too_many_connections", `${SOCKETS_MAX} live connections are open.`, { retryAfterS: 10 });
      }
      const { gate } = options;
      const query = queryOf(request);
      const named = projectNamed(request.headers, query);
      const shown = credentialsOf(request.headers, query, options.isOwnPage(request));
      const principal = await gate.identify(shown, named);
      count(request, principal);
      if (principal.kind !== "nobody") readerOf(principal, named);
      server.handleUpgrade(request, socket, head, (open) => connect(open, request, principal, named));
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

function queryOf(request: IncomingMessage): Record<string, string> {
  const [, search = ""] = (request.url ?? "").split("?", 2);
  return Object.fromEntries(new URLSearchParams(search));
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
