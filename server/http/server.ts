// The door of the server's network side: joins the rooms (intake, serve, live, admin, webhooks) to the shell.
import type { IncomingMessage } from "node:http";
import type { Logger } from "pino";
import { createHistory, commitName } from "../admin/history.ts";
import { deadLetterRoutes } from "../admin/dead-letter-routes.ts";
import { watchAlarms } from "../admin/alarm-watch.ts";
import { healthRoutes } from "../admin/health-routes.ts";
import { modelRoutes } from "../admin/model-routes.ts";
import { programRoutes } from "../admin/program-routes.ts";
import { statsRoutes } from "../admin/stats-routes.ts";
import type { GrpcOptions, GrpcServer } from "../grpc/server.ts";
import { admission } from "../intake/admission.ts";
import type { ReadAddress } from "../intake/enrich/addresses.ts";
import { openAddresses } from "../intake/enrich/addresses.ts";
import { createEnricher } from "../intake/enrich/enrich.ts";
import { createIntake } from "../intake/intake.ts";
import { intakeRoutes } from "../intake/routes.ts";
import { experimentRoutes } from "../experiments/routes.ts";
import { createHub, type Hub } from "../live/hub.ts";
import { createSocketServer } from "../live/socket.ts";
import { createStreams } from "../live/sse.ts";
import type { Project } from "../ports.ts";
import { segmentRoutes as segmentProtocolRoutes } from "../segment-protocol/routes.ts";
import { itemRoutes } from "../serve/item-routes.ts";
import { consentRoutes } from "../privacy/consent-routes.ts";
import { erasureRoutes } from "../privacy/erasure-routes.ts";
import { exportRoutes } from "../privacy/export-routes.ts";
import { inventoryRoutes } from "../privacy/inventory-routes.ts";
import { profileRoutes } from "../serve/profile-routes.ts";
import { previewRoutes } from "../serve/preview-routes.ts";
import { recommendationRoutes } from "../serve/recommendation-routes.ts";
import { segmentRoutes } from "../serve/segment-routes.ts";
import { createWebhookSender } from "../webhooks/sender.ts";
import { createGate } from "../access/gate.ts";
import type { KeyRing } from "../access/key-ring.ts";
import { createLimits, type CounterOf } from "../access/limits.ts";
import type { IdentityProvider } from "../access/oidc.ts";
import { oidcRoutes } from "../access/oidc-routes.ts";
import type { OidcConfig } from "../access/oidc-settings.ts";
import { accessRoutes } from "../access/routes.ts";
import { createSessions, type Sessions } from "../access/sessions.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { auditRoutes } from "../audit/routes.ts";
import { createShell } from "./app.ts";
import { clientAddress } from "./client-address.ts";
import { DEFAULT_HTTP_CONFIG, type HttpConfig } from "./config.ts";
import { docsRoutes } from "../docs/docs-routes.ts";
import { isOwnPage } from "./origin.ts";
import { Problem } from "./problem.ts";
import type { Route } from "./route.ts";
import { staticRoutes, type StaticFolders } from "./static-routes.ts";
import { Timings } from "./timings.ts";

export interface ServerOptions {
  /** The project of that name, already open; undefined where there is none. */
  projects: (name: string) => Project | undefined;
  projectNames: () => readonly string[];
  config: Partial<HttpConfig>;
  folders: StaticFolders;
  logger: Logger;
  /** Who may do what; without, everybody may do everything. */
  keys?: KeyRing | undefined;
  /** Console sessions; by default of this process alone. */
  sessions?: Sessions | undefined;
  /** How requests are counted; by default in this process alone. */
  counterOf?: CounterOf | undefined;
  /** Without, nothing is taken down and there is no `/v1/audit`. */
  audit?: AuditLog | undefined;
  /** Unix ms. */
  now?: () => number;
}

const UNNAMED_PROXY =
  "a request came with X-Forwarded-For from an address that trustedProxies does not name: is it a proxy of yours, then everybody " +
  "behind it counts as one sender";

/** The port that gRPC was to listen on is taken. */
export class GrpcPortError extends Error {
  override readonly name = "GrpcPortError";
  readonly code = "EADDRINUSE";
  readonly port: number;
  constructor(port: number, cause: unknown) {
    super(`port ${port} is taken`, { cause });
    this.port = port;
  }
}

export interface AttuneServer {
  /** Method and path of every route and what it needs, as the OpenAPI document writes them. */
  readonly routes: readonly Pick<Route, "method" | "path" | "access">[];
  /** Resolves to the address that is bound, e.g. `http://127.0.0.1:8080`. */
  listen(): Promise<string>;
  /** Once it listens, where gRPC is on: `127.0.0.1:8081`. */
  readonly grpcAddress: string | undefined;
  /** Full names; empty where gRPC is off. */
  readonly grpcServices: readonly string[];
  /** Answers open requests, ends live connections, keeps undelivered webhooks as dead letters. Before the projects close. */
  close(): Promise<void>;
}

/** @throws Error when the configuration names an address range that is none. */
export async function createServer(options: ServerOptions): Promise<AttuneServer> {
  const config = { ...DEFAULT_HTTP_CONFIG, ...options.config };
  const readAddress = await openAddresses(config.botAddresses);
  // Loaded where they are wanted: a node without gRPC, or without an identity provider, does without the library.
  const grpc = config.grpc === undefined ? undefined : await import("../grpc/server.ts");
  const oidc = config.oidc === undefined ? undefined : await import("../access/oidc.ts");
  const optional = { createGrpc: grpc?.createGrpcServer, createProvider: oidc?.openIdentityProvider };
  return assemble(options, config, readAddress, optional);
}

interface OptionalParts {
  createGrpc: ((options: GrpcOptions) => GrpcServer) | undefined;
  createProvider: ((config: OidcConfig, logger: Logger) => IdentityProvider) | undefined;
}

function assemble(
  options: ServerOptions,
  config: HttpConfig,
  readAddress: ReadAddress,
  { createGrpc, createProvider }: OptionalParts,
): AttuneServer {
  const { logger, projectNames, audit } = options;
  const now = options.now ?? Date.now;
  const ring = options.keys;
  const sessions = ring === undefined ? undefined : (options.sessions ?? createSessions(ring, now));
  const limits = createLimits(config.limits, now, options.counterOf);
  const provider = config.oidc === undefined ? undefined : createProvider?.(config.oidc, logger);
  const gate = createGate(ring, sessions, now, { isClosed: provider !== undefined });
  const timings = new Timings();
  const clients = clientAddress(config.trustedProxies, () => logger.warn(UNNAMED_PROXY));
  const enricher = createEnricher(readAddress);
  const commitTiming = (project: Project) => timings.of(commitName(project));
  const intake = createIntake({
    enricher,
    admission: admission({ bytesMax: config.queueBytesMax }),
    commitTiming,
    now,
  });
  const isBehindProxy = config.trustedProxies.length > 0;
  // Behind a proxy the whole world may be at loopback's door.
  const isOpen = (): boolean => (ring?.isEmpty ?? true) && provider === undefined && !isBehindProxy;
  const webhooks = createWebhookSender({ config: config.webhooks, logger, seed: now() >>> 0, now, isOpen });
  const history = createHistory({ timings, commitTiming, intake, logger, now });
  const hubs = new Map<Project, Hub>();

  /** The first time that a project is heard of, its changes are watched: triggers fire without a reader too. */
  function hubOf(project: Project): Hub {
    let hub = hubs.get(project);
    if (hub === undefined) {
      hubs.set(project, (hub = createHub(project, { logger, now })));
      history.watch(project);
      project.onChange(({ ref, triggers, event }) => {
        for (const trigger of triggers) {
          if (trigger.webhook === undefined) continue;
          webhooks.fire(project, { trigger, url: trigger.webhook, ref, eventId: event?.event_id });
        }
      });
    }
    return hub;
  }
  function projects(name: string): Project | undefined {
    const project = options.projects(name);
    if (project !== undefined) hubOf(project);
    return project;
  }
  const refresh = (project: Project): void => hubOf(project).refreshAll();

  const streams = createStreams({ hubOf, intake, now });
  const allStreams = [...streams.routes, ...exportRoutes()];
  const sockets = createSocketServer({
    hubOf,
    gate,
    limits,
    projects,
    isOwnPage: (request) => isOwnPage(request.headers, "GET", clients.host(request)),
    audit,
    addressOf: clients.of,
    intake,
    enricher,
    logger,
    now,
  });
  const isReady = (): boolean => projectNames().every((name) => options.projects(name)?.stats().ready === true);
  const grpc = createGrpc?.({ tls: config.tls, projects, gate, limits, clients, audit, isReady, hubOf, intake, enricher, timings, logger });
  let grpcAddress: string | undefined;

  async function listenGrpc(): Promise<void> {
    if (grpc === undefined || config.grpc === undefined) return;
    const { port, ifFree } = config.grpc;
    try {
      grpcAddress = await grpc.listen({ host: config.host, port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (!ifFree) throw new GrpcPortError(port, error);
      logger.warn({ port }, "the port for gRPC is taken: going on without it (set ATTUNE_GRPC_PORT)");
    }
  }

  const sources = {
    timings,
    intake,
    history,
    live(project: Project) {
      const { subscriptions, sent, paused, cut } = hubOf(project).stats();
      return { sockets: sockets.open, streams: streams.open + (grpc?.watching ?? 0), subscriptions, sent, paused, dropped: cut };
    },
    webhooks: () => webhooks.stats(),
    projects,
    projectNames,
    queueBytesMax: config.queueBytesMax,
    now,
  };
  const alarms = watchAlarms({
    projects: () => projectNames().flatMap((name) => projects(name) ?? []),
    logger,
    webhooks,
  });
  const routes = [
    ...intakeRoutes(intake, enricher),
    ...segmentProtocolRoutes(intake, enricher),
    ...profileRoutes(),
    ...consentRoutes(),
    ...erasureRoutes(),
    ...inventoryRoutes(),
    ...recommendationRoutes(),
    ...previewRoutes(),
    ...itemRoutes(refresh),
    ...segmentRoutes(),
    ...experimentRoutes(),
    ...modelRoutes(),
    ...programRoutes(refresh, {
      get webhooks() {
        return config.webhooks.secret !== undefined ? "signed" : isOpen() ? "unsigned" : "kept";
      },
    }),
    ...deadLetterRoutes(intake, webhooks),
    ...statsRoutes(sources),
    ...healthRoutes(sources),
    ...(ring === undefined || sessions === undefined
      ? []
      : [...accessRoutes(ring, sessions, provider), ...oidcRoutes(provider, sessions, logger)]),
    ...(audit === undefined ? [] : auditRoutes(audit)),
    ...docsRoutes(),
    ...staticRoutes(options.folders, { demo: config.demo }),
  ];
  const shell = createShell({
    routes,
    streams: allStreams,
    upgrade(request, socket, head) {
      if (pathOf(request) !== "/v1/live") throw new Problem("unknown_route", "There is no WebSocket at this path.");
      return sockets.take(request, socket, head);
    },
    projects,
    clients,
    gate,
    limits,
    audit,
    tls: config.tls,
    isBehindProxy,
    receivingBytesMax: config.receivingBytesMax,
    sendingBytesMax: config.sendingBytesMax,
    timings,
    logger,
    now,
  });

  return {
    routes: [...routes, ...allStreams.map(({ path, access }) => ({ method: "GET" as const, path, access }))],
    grpcServices: grpc?.services ?? [],
    get grpcAddress() {
      return grpcAddress;
    },
    async listen() {
      for (const name of projectNames()) projects(name);
      await listenGrpc();
      try {
        return await shell.listen(config);
      } catch (error) {
        await grpc?.close();
        throw error;
      }
    },
    async close() {
      await shell.leave();
      streams.close();
      sockets.close();
      await Promise.all([shell.close(), grpc?.close()]);
      for (const hub of hubs.values()) hub.close();
      history.close();
      alarms.stop();
      await webhooks.close();
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0]!;
}
