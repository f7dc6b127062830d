// The gRPC door: services over HTTP/2 on a port of their own, within the same limits as the HTTP one.
import { createServer as createSocketServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Gate } from "../access/gate.ts";
import type { Limits } from "../access/limits.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { BODY_BYTES_MAX } from "../http/body.ts";
import type { ClientAddress } from "../http/client-address.ts";
import { connectionsWithin } from "../http/open-files.ts";
import { readTls, watchTls, type TlsConfig } from "../http/tls.ts";
import type { Timings } from "../http/timings.ts";
import type { Enricher } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import type { Hub } from "../live/hub.ts";
import type { Project } from "../ports.ts";
import { createCalls, definitionOf } from "./call.ts";
import { healthCheck, healthDefinition } from "./health.ts";
import { boundedReading, type ReadingLimits } from "./reading.ts";
import { createServices } from "./services.ts";
import { createWatches } from "./watch.ts";

const CONNECTIONS_MAX = connectionsWithin(2_000);
/** Calls at a time on one connection. */
const CALLS_MAX = 1_000;
/** A peer that is gone without a word is noticed after both together. */
const PING_EVERY_MS = 60_000;
const PING_TIMEOUT_MS = 20_000;
/** How long open calls may take to finish when the server goes down. */
const DRAIN_MS = 5_000;

export interface GrpcOptions {
  tls?: TlsConfig | undefined;
  projects: (name: string) => Project | undefined;
  isReady: () => boolean;
  hubOf: (project: Project) => Hub;
  intake: Intake;
  gate: Gate;
  limits: Limits;
  clients: Pick<ClientAddress, "behind">;
  audit?: AuditLog | undefined;
  enricher: Enricher;
  timings: Timings;
  logger: Logger;
  reading?: ReadingLimits | undefined;
}

export interface GrpcServer {
  /** Full names of the services. */
  readonly services: readonly string[];
  /** Open server streams. */
  readonly watching: number;
  /** Resolves to the address that is bound, e.g. `127.0.0.1:8081`. Rejects where the port is taken (EADDRINUSE). */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Answers open calls, ends streams, and cuts what is still open after some seconds. */
  close(): Promise<void>;
}

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  let closing = false;
  const reading = boundedReading(options.reading);
  const server = new Server({
    "grpc.max_receive_message_length": BODY_BYTES_MAX,
    "grpc.max_concurrent_streams": CALLS_MAX,
    "grpc.keepalive_time_ms": PING_EVERY_MS,
    "grpc.keepalive_timeout_ms": PING_TIMEOUT_MS,
    interceptors: [reading.interceptor],
  });
  const watches = createWatches(options.hubOf);
  const calls = createCalls({ ...options, closing: () => closing });
  const services = createServices(calls, watches, options.intake);
  for (const { name, handlers } of services) server.addService(definitionOf(name), handlers);
  const names = services.map(({ name }) => `attune.v1.${name}`);
  const isReady = (): boolean => !closing && options.isReady();
  server.addService(healthDefinition, { Check: healthCheck(new Set(names), isReady) });

  // Sockets are ours, so that their number is bounded and none outlives the server.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    injector.injectConnection(socket);
  };
  const { tls } = options;
  const door =
    tls === undefined
      ? createSocketServer({ noDelay: true }, take)
      : createTlsServer({ noDelay: true, ALPNProtocols: ["h2"], ...readTls(tls) }, take);
  const stopWatching =
    door instanceof TlsServer
      ? watchTls(tls!, (secure) => door.setSecureContext(secure), () => {}) // the HTTP door says so
      : () => {};
  door.maxConnections = CONNECTIONS_MAX;

  return {
    services: names,
    get watching() {
      return watches.open;
    },
    listen({ host, port }) {
      return new Promise((resolve, reject) => {
        door.once("error", reject);
        door.listen({ host, port }, () => {
          door.off("error", reject);
          const { port: bound } = door.address() as AddressInfo;
          resolve(`${host.includes(":") ? `[${host}]` : host}:${bound}`);
        });
      });
    },
    async close() {
      closing = true;
      stopWatching();
      const closed = new Promise<void>((resolve) => (door.listening ? door.close(() => resolve()) : resolve()));
      watches.close();
      injector.drain(DRAIN_MS);
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, DRAIN_MS);
      await closed;
      clearTimeout(cut);
      reading.stop();
      server.forceShutdown();
    },
  };
}
