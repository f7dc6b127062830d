// One process with a door: opens the host, whichever it is, then the network side; closes them the other way round.
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { fileURLToPath } from "node:url";
import ipaddr from "ipaddr.js";
import { pino, type Logger } from "pino";
import { openKeyRing } from "../access/key-ring.ts";
import { DEFAULT_LIMITS } from "../access/limits.ts";
import { openNodeAudit, type AuditPlace } from "../audit/open.ts";
import type { HttpConfig } from "../http/config.ts";
import { createServer, GrpcPortError } from "../http/server.ts";
import type { Project } from "../ports.ts";
import { SettingError, type NodeSettings } from "./config.ts";
import { warmDemo } from "./demo.ts";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const PORT_MAX = 65_535;
const BUILD_SCRIPT = new URL("../../scripts/build.ts", import.meta.url);

export type ServeSettings = Pick<
  NodeSettings,
  "host" | "port" | "grpcPort" | "demo" | "trustedProxies" | "botAddresses" | "webhooks" | "tls" | "limits"
> & {
  /** The keys; without, everything is open, and only to this machine. */
  keyFile?: string | undefined;
  /** Without, nothing is taken down. */
  audit?: AuditPlace | undefined;
};

export interface ServedHost {
  readonly projects: ReadonlyMap<string, Project>;
  close(): Promise<void>;
}

/** Serves until SIGTERM or SIGINT; resolves to the exit code. Prints one line to stdout when it is ready. */
export async function serve(
  settings: ServeSettings,
  openHost: (logger: Logger) => Promise<ServedHost>,
): Promise<number> {
  const keys = settings.keyFile === undefined ? undefined : openKeyRing(settings.keyFile, Date.now);
  if (keys === undefined || keys.isEmpty) refuseOpenDoor(settings.host);
  // Before anything is opened: who is told to stop while he starts, stops cleanly as well.
  const stopped = stopSignal();
  const logger = pino({ name: "attune", level: process.env["ATTUNE_LOG_LEVEL"] ?? "info" }, pino.destination(2));
  await build();
  const host = await openHost(logger);
  const audit = settings.audit === undefined ? undefined : openNodeAudit(settings.audit, Date.now);
  if (settings.demo) await warmDemo(host.projects, logger);
  const server = await createServer({
    projects: (name) => host.projects.get(name),
    projectNames: () => [...host.projects.keys()],
    config: serverConfig(settings),
    keys,
    audit,
    folders: { console: `${DIST}console`, demo: `${DIST}demo`, sdk: `${DIST}sdk` },
    logger,
  });
  const address = await server.listen().catch(async (error: NodeJS.ErrnoException) => {
    await host.close();
    if (error.code !== "EADDRINUSE") throw error;
    const isGrpc = error instanceof GrpcPortError;
    throw new SettingError(
      `port ${isGrpc ? error.port : settings.port} is taken: stop what runs there, or set ` +
        `${isGrpc ? "ATTUNE_GRPC_PORT" : "ATTUNE_PORT"} (0 picks a free one)`,
    );
  });
  if (server.grpcAddress !== undefined) logger.info({ address: server.grpcAddress }, "listening for gRPC");
  process.stdout.write(`attune listening on ${address}\n`);
  await stopped;
  await server.close();
  audit?.close();
  await host.close();
  return 0;
}

/** Without keys every route is open, so nobody but this machine may reach it. */
function refuseOpenDoor(host: string): void {
  const isLoopback = host === "localhost" || (isIP(host) !== 0 && ipaddr.parse(host).range() === "loopback");
  if (isLoopback) return;
  throw new SettingError(
    `ATTUNE_HOST is "${host}", which others can reach, and there are no keys: attune keys create --role admin, or bind 127.0.0.1`,
  );
}

/** The port that was named, or the one above HTTP's where nobody else has it. */
function grpcConfig({ port, grpcPort }: ServeSettings): Pick<HttpConfig, "grpc"> {
  if (grpcPort === "off") return {};
  if (grpcPort !== undefined) return { grpc: { port: grpcPort, ifFree: false } };
  const next = port === 0 ? 0 : port + 1;
  return next > PORT_MAX ? {} : { grpc: { port: next, ifFree: true } };
}

function serverConfig(settings: ServeSettings) {
  const { host, port, demo, trustedProxies, botAddresses, webhooks, tls, limits } = settings;
  return {
    host,
    port,
    demo,
    ...grpcConfig(settings),
    ...(tls === undefined ? {} : { tls }),
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(botAddresses === undefined ? {} : { botAddresses }),
    ...(webhooks === undefined
      ? {}
      : { webhooks: { allowPrivate: false, backoffMs: 1_000, attemptsMax: 6, ...webhooks } }),
  };
}

/** Builds the SDK, the console and the demo where this is a checkout; an installed package brings them. */
async function build(): Promise<void> {
  if (!existsSync(BUILD_SCRIPT)) return;
  const { buildAll } = (await import(BUILD_SCRIPT.href)) as { buildAll: () => Promise<void> };
  await buildAll();
}

/** A signal to the whole group (Ctrl-C, a supervisor) comes again from the launcher: only the first one counts. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve());
  });
}
