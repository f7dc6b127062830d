// The HTTP shell: takes routes from the rooms, gives each request its project, and turns whatever comes of it into an
// answer: JSON, a file, or a problem document. Handlers know nothing of the library underneath.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { FilterError, HostError, RulesError } from "../ports.ts";
import { SDK_HEADERS } from "../segment-protocol/sdk-headers.ts";
import type { HttpConfig } from "./config.ts";
import { CAN_SHARE_PORT, claimPort, openDoors, type Doors } from "./doors.ts";
import { connectionsWithin } from "./open-files.ts";
import { isMachineName, isNearPage, isSameOrigin } from "./origin.ts";
import { goingDown, Problem, problemDocument, problemOfHost } from "./problem.ts";
import { actionOf, isAudited, RequestCall, type CallContext, type Door } from "./request-call.ts";
import type { Answer, Route, StreamRoute } from "./route.ts";
import type { Timings } from "./timings.ts";
import { createReceiver } from "./receive.ts";
import { createSending } from "./sending.ts";
import { readTls, watchTls } from "./tls.ts";

/** A request whose body has not arrived by then is answered 408: slow senders must not hold memory. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection that was answered and asks nothing more is closed then. */
const IDLE_MS = 72_000;
/**
 * A proxy's stays: one that it takes up again while it is being closed is a 502, and it must be the proxy that closes. caddy keeps them for
 * 2 min, Google's balancer for 10, Envoy for an hour.
 */
const PROXY_IDLE_MS = 3_660_000;
const CONNECTIONS_MAX = connectionsWithin(20_000);
/** Connections that wait to be taken: a burst beyond 511, the default, is reset before anybody could answer 503. */
const BACKLOG_MAX = 4_096;
/** Before it goes down: what a proxy sends over a connection that is just being closed is a 502, so each is told with its next answer. */
const LEAVE_MS = 3_000;
/** How long open requests may take to finish when the server goes down. */
const DRAIN_MS = 5_000;

export interface ShellOptions extends CallContext {
  tls?: HttpConfig["tls"] | undefined;
  /** Whether most connections are those of proxies. */
  isBehindProxy: boolean;
  receivingBytesMax: number;
  sendingBytesMax: number;
  routes: readonly Route[];
  streams: readonly StreamRoute[];
  /** Takes over a connection that asks for a WebSocket. @throws Problem. */
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void | Promise<void>;
  timings: Timings;
  logger: Logger;
}

export interface Shell {
  /** Resolves to the address that is bound, e.g. `http://127.0.0.1:8080`. */
  listen(options: { host: string; port: number }): Promise<string>;
  /** Behind a proxy: goes on answering for a while, and closes each connection with its answer. */
  leave(): Promise<void>;
  /** Answers what is open, refuses what comes, and cuts what is still open after some seconds. */
  close(): Promise<void>;
}

const JSON_TYPE = "application/json; charset=utf-8";
const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
const REQUEST_HEADERS = ["content-type", "content-encoding", "authorization", "attune-project", "attune-user-token", ...SDK_HEADERS];
/** A refused handshake says which there are (RFC 6455, 4.2.2). */
const WEBSOCKET_VERSIONS = { "sec-websocket-version": "13, 8" } as const;
const PREFLIGHT_HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT",
  "access-control-allow-headers": REQUEST_HEADERS.join(", "),
  "access-control-max-age": "86400",
} as const;
/** A browser that has seen the node over TLS asks in no other way for half a year. */
const HSTS = "max-age=15552000";
/** On every answer; pages replace what they need otherwise. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

const LIBRARY_OPTIONS = {
  // Node's own answer to a request without a host is no problem document; ours is in `callOf`.
  requireHostHeader: false,
  // Another protocol that is offered is not taken up, and the request is answered as it is (RFC 9110, 7.8): Java's client and
  // `curl --http2` offer `h2c` with every request. Node before 24.9 knows no such option, and refuses them.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
};

export function createShell(options: ShellOptions): Shell {
  const { logger, tls } = options;
  let closing = false;
  /** A host that may be asked for: nearly all requests ask for the same one, and to look costs 2 µs. */
  let lastName: string | undefined;
  const app = fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: options.isBehindProxy ? PROXY_IDLE_MS : IDLE_MS,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 2_048 },
    clientErrorHandler: answerBrokenHttp,
    ...(tls === undefined ? { http: LIBRARY_OPTIONS } : { https: { ...LIBRARY_OPTIONS, ...readTls(tls) } }),
    frameworkErrors: (error, request, reply) => sendFault(error, request, reply),
  });
  const stopWatching =
    tls === undefined
      ? () => {}
      : watchTls(
          tls,
          (secure) => (app.server as unknown as TlsServer).setSecureContext(secure),
          (error) => logger.error({ err: error }, "the new certificate cannot be used; the old one stays"),
          tls.lookEveryMs,
        );
  let doors: Doors | undefined;
  app.server.maxConnections = CONNECTIONS_MAX;
  app.server.on("checkExpectation", (_request, response: ServerResponse) => {
    send(response, problemAnswer(new Problem("expectation_failed", "Send the request without `Expect`.")), "*");
  });
  app.removeAllContentTypeParsers();
  // The usual types by name: what only `*` takes has its header parsed anew on each request.
  const types = ["application/json", "text/plain", "*"];
  const { receive } = createReceiver(options.receivingBytesMax);
  const sending = createSending(options.sendingBytesMax);
  app.addContentTypeParser(types, ({ headers }: FastifyRequest, payload: IncomingMessage) =>
    receive(payload, Number(headers["content-length"])),
  );
  app.setErrorHandler((error, request, reply) => sendFault(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    const methods = methodsOf(path);
    if (methods.length === 0) return sendFault(new Problem("unknown_route", "There is no such route."), request, reply);
    const allow = methods.join(", ");
    sendFault(new Problem("method_not_allowed", `The route takes ${allow}.`), request, reply, { allow });
  });

  for (const route of options.routes) {
    const timing = options.timings.of(`${route.method} ${route.path}`);
    const isOperators = route.method !== "GET" && (route.access === "operate" || route.access === "admin");
    app.route({
      method: route.method,
      url: libraryPath(route.path),
      handler(request, reply) {
        const { socket } = request.raw;
        reply.hijack();
        let startMs = 0;
        let call: RequestCall | undefined;
        const done = (answer: Answer): void => {
          const sizeBytes = send(reply.raw, answer, route.crossOrigin === true ? (call?.boundOrigin ?? "*") : undefined);
          sending.answered(socket, reply.raw, sizeBytes);
          timing.record(performance.now() - startMs);
        };
        const finish = (answer: Answer): void => {
          call!.checkAgain();
          const isTaken = isOperators || (route.isChange === true && isAudited(call!.principal));
          const taken = isTaken && answer.status < 400 ? takeDown(route, call!, answer) : undefined;
          if (taken instanceof Promise) taken.then(() => done(answer)).catch(failed);
          else done(answer);
        };
        const failed = (error: unknown): void => done(answerOf(error, route));
        const handle = (): void => {
          const answer = route.handle(call!);
          if (answer instanceof Promise) answer.then(finish).catch(failed);
          else finish(answer);
        };
        const begin = (): void => {
          startMs = performance.now();
          try {
            call = callOf(request, route);
            const admitted = call.admit();
            if (admitted === undefined) handle();
            else admitted.then(handle).catch(failed);
          } catch (error) {
            failed(error);
          }
        };
        const turn = sending.begin(socket);
        if (turn === undefined) begin();
        else void turn.then(begin);
      },
    });
  }
  for (const stream of options.streams) {
    const door = { ...stream, method: "GET" as const };
    app.route({
      method: "GET",
      url: libraryPath(stream.path),
      exposeHeadRoute: false,
      async handler(request, reply) {
        reply.hijack();
        const crossOrigin = stream.crossOrigin === true ? "*" : undefined;
        try {
          const call = callOf(request, door);
          await call.admit();
          const origin = crossOrigin && (call.boundOrigin ?? crossOrigin);
          for (const [name, value] of Object.entries({ ...SAFE_HEADERS, ...hstsOf(reply.raw), ...corsHeaders(origin) })) {
            reply.raw.setHeader(name, value);
          }
          await stream.open(call, reply.raw);
        } catch (error) {
          if (reply.raw.headersSent) reply.raw.destroy();
          else send(reply.raw, answerOf(error, door), crossOrigin);
        }
      },
    });
  }
  const crossOriginPaths = [...options.routes, ...options.streams].filter((route) => route.crossOrigin);
  for (const path of new Set(crossOriginPaths.map((route) => route.path))) {
    app.route({
      method: "OPTIONS",
      url: libraryPath(path),
      handler(_request, reply) {
        reply.hijack();
        reply.raw.writeHead(204, PREFLIGHT_HEADERS).end();
      },
    });
  }

  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const take = async (): Promise<void> => {
      if (closing) throw goingDown();
      requireName(request.headers.host);
      requireNearPage(request);
      await options.upgrade(request, socket, head);
    };
    take().catch((error: unknown) => {
      const problem = problemOf(error);
      if (problem.code === "internal") logger.error({ err: error }, "an upgrade failed");
      socket.end(rawProblem(problem, WEBSOCKET_VERSIONS));
    });
  });

  const patterns = [...options.routes, ...options.streams.map((route) => ({ ...route, method: "GET" as const }))].map(
    (route) => ({ method: route.method, pattern: pathPattern(route.path) }),
  );
  function methodsOf(path: string): string[] {
    return [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  }

  function callOf(request: FastifyRequest, route: Door & { readonly crossOrigin?: boolean }): RequestCall {
    if (closing) throw goingDown();
    const { origin, host } = request.headers;
    if (host === undefined && request.raw.httpVersion !== "1.0")
      throw new Problem("bad_request", "An HTTP request needs a Host header.");
    if (origin !== undefined && route.crossOrigin !== true && !isSameOrigin(origin, options.clients.host(request.raw))) {
      throw new Problem("cross_origin", "Pages of another origin may send events, read lists and listen, and no more.");
    }
    if (route.access !== "public") requireName(host);
    if (route.access === "own") requireNearPage(request.raw);
    return new RequestCall(request, route, options);
  }

  /** While a node is open, whoever reaches it may do everything: pages that reach it by a name of their own must not. */
  function requireName(host: string | undefined): void {
    if (!options.gate.isOpen || (host === lastName && host !== undefined)) return;
    if (isMachineName(host)) {
      lastName = host;
      return;
    }
    throw new Problem("cross_origin", "A node without keys is asked as localhost, by its address or by a name without a dot; make a key for other names.");
  }

  /**
   * While a node is open, every page that a browser on this machine has open could read whoever's id it can think of, by the lists
   * and the live connection that the SDK needs: only pages from near by may.
   */
  function requireNearPage(request: IncomingMessage): void {
    const { origin } = request.headers;
    if (origin === undefined || !options.gate.isOpen) return;
    if (isNearPage(origin) || isSameOrigin(origin, options.clients.host(request))) return;
    throw new Problem("cross_origin", "A node without keys shows a visitor to pages of this machine and its network only; make a key for pages elsewhere.");
  }

  /** Whatever an operator or an administrator changed, with what the path names; persons are in the trail as hashes. */
  function takeDown(route: Route, call: RequestCall, answer: Answer): unknown {
    const { audit } = options;
    if (audit === undefined) return undefined;
    const { user_id: userId, anonymous_id: anonymousId, ...named } = call.params;
    const { project, principal } = call;
    const ofPath = anonymousId === undefined ? undefined : { anonymous_id: anonymousId };
    const ref = userId === undefined ? (ofPath ?? answer.about) : { user_id: userId };
    return audit.change({
      project: project.name,
      actor: principal.id,
      action: actionOf(route),
      ...(ref !== undefined && { subject: audit.subjectOf(project.name, project.personKey(ref)) }),
      details: { ...named, ...answer.audit },
    });
  }

  function answerOf(error: unknown, route: { method: string; path: string }): Answer {
    const problem = problemOf(error);
    if (problem.code === "internal") {
      logger.error({ err: error, route: `${route.method} ${route.path}` }, "a handler failed");
    }
    return problemAnswer(problem);
  }

  function sendFault(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    headers: Record<string, string> = {},
  ): void {
    const answer = answerOf(error, { method: request.method, path: "(unrouted)" });
    reply.hijack();
    send(reply.raw, { ...answer, headers: { ...answer.headers, ...headers } }, "*");
  }

  return {
    async listen({ host, port }) {
      if (CAN_SHARE_PORT && port !== 0) await claimPort(host, port);
      const listening = { host, port, backlog: BACKLOG_MAX, reusePort: CAN_SHARE_PORT };
      await app.listen(listening);
      if (CAN_SHARE_PORT) {
        const options = { backlog: BACKLOG_MAX, connectionsMax: CONNECTIONS_MAX, allowHalfOpen: tls === undefined };
        doors = await openDoors(app.server, options);
      }
      const { port: bound } = app.server.address() as AddressInfo;
      const scheme = tls === undefined ? "http" : "https";
      return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${bound}`;
    },
    async leave() {
      if (!options.isBehindProxy) return;
      app.server.prependListener("request", (_request, response) => {
        response.shouldKeepAlive = false;
      });
      await pause(LEAVE_MS);
    },
    async close() {
      closing = true;
      stopWatching();
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS);
      await Promise.all([app.close(), doors?.close()]);
      clearTimeout(cut);
    },
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HostError) return problemOfHost(error);
  if (error instanceof RulesError) return new Problem("bad_rules", error.message, { parameter: "rules", faults: error.faults });
  if (error instanceof FilterError) return new Problem("bad_filter", error.message, { parameter: "filter" });
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  switch (code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Problem("unsupported_media_type", "The content type cannot be understood.");
    case "FST_ERR_BAD_URL":
      return new Problem("bad_request", "The URL is not valid.");
    case "ECONNRESET":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return new Problem("bad_request", "The request ended early.");
  }
  // Whatever else the library refuses is the sender's fault: a QUERY without a content type was answered with 500.
  const isRefusal = typeof code === "string" && code.startsWith("FST_ERR_") && Number(statusCode) < 500;
  if (isRefusal) return new Problem("bad_request", "The request cannot be taken as it is.");
  return new Problem("internal", "The server failed; its log says more.");
}

function problemAnswer(problem: Problem): Answer {
  const { retryAfterS } = problem.extras;
  return {
    status: problem.status,
    json: problemDocument(problem),
    headers: {
      "content-type": PROBLEM_TYPE,
      ...(problem.status === 401 && { "www-authenticate": 'Bearer realm="attune"' }),
      ...(retryAfterS !== undefined && { "retry-after": String(Math.max(1, Math.ceil(retryAfterS))) }),
    },
  };
}

/**
 * The bytes of the body, 0 where nobody is there any more.
 * @param origin - whose pages may read the answer: one, `*`, or none but this server's.
 */
function send(response: ServerResponse, answer: Answer, origin: string | undefined): number {
  if (response.headersSent || response.destroyed) return 0;
  const { status, json } = answer;
  const body = json === undefined ? answer.bytes : JSON.stringify(json);
  const headers: Record<string, string | number> = { ...SAFE_HEADERS, ...hstsOf(response), ...corsHeaders(origin) };
  if (json !== undefined) headers["content-type"] = JSON_TYPE;
  if (answer.headers?.["cache-control"] === undefined) headers["cache-control"] = "no-store";
  if (origin !== undefined && answer.headers?.["retry-after"] !== undefined) {
    headers["access-control-expose-headers"] = "retry-after";
  }
  const sizeBytes = body === undefined ? 0 : Buffer.byteLength(body);
  if (body !== undefined) headers["content-length"] = sizeBytes;
  if (answer.headers !== undefined) Object.assign(headers, answer.headers);
  response.writeHead(status, headers);
  // A byte a character: it goes out as it lies in memory, without being encoded.
  if (typeof body === "string") response.end(body, sizeBytes === body.length ? "latin1" : "utf8");
  else response.end(body);
  return sizeBytes;
}

function hstsOf(response: ServerResponse): Record<string, string> {
  const isSecure = (response.socket as Partial<TLSSocket> | null)?.encrypted === true;
  return isSecure ? { "strict-transport-security": HSTS } : {};
}

function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  return { "access-control-allow-origin": origin, ...(origin !== "*" && { vary: "origin" }) };
}

/** The library's words for bytes that are no HTTP request at all. */
function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const problem =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new Problem("headers_too_large", "The header of the request is too large.")
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? new Problem("request_timeout", "The request took too long to arrive.")
        : new Problem("bad_request", "This is not a valid HTTP request.");
  socket.end(rawProblem(problem));
}

/** A whole HTTP response, for connections that have no response object. */
function rawProblem(problem: Problem, more: Readonly<Record<string, string>> = {}): string {
  const { status, json, headers } = problemAnswer(problem);
  const body = JSON.stringify(json);
  const lines = [
    `HTTP/1.1 ${status} ${problem.code}`,
    "connection: close",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  for (const [name, value] of Object.entries({ ...headers, ...more })) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function libraryPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function pathPattern(path: string): RegExp {
  const source = path
    .replaceAll(".", "\\.")
    .replaceAll("*", ".*")
    .replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${source}$`);
}
