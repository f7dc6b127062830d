// One process with a door: opens the host, whichever it is, then the network side; closes them the other way round.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pino, type Logger } from "pino";
import { openKeyRing, type KeyRing } from "../access/key-ring.ts";
import { DEFAULT_LIMITS, type CounterOf } from "../access/limits.ts";
import type { Sessions } from "../access/sessions.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { openNodeAudit, type AuditPlace } from "../audit/open.ts";
import { ownActs } from "../audit/own-acts.ts";
import type { HttpConfig } from "../http/config.ts";
import { createServer, GrpcPortError } from "../http/server.ts";
import type { OwnAct, Project } from "../ports.ts";
import { refuseOpenDoor, SettingError, type NodeSettings } from "./config.ts";
import { warmDemo } from "./demo.ts";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const PORT_MAX = 65_535;
const BUILD_SCRIPT = new URL("../../scripts/build.ts", import.meta.url);

export type ServeSettings = Pick<
  NodeSettings,
  | "host"
  | "port"
  | "grpcPort"
  | "demo"
  | "logLevel"
  | "trustedProxies"
  | "botAddresses"
  | "webhooks"
  | "tls"
  | "limits"
  | "oidc"
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

/** Who may do what, and what is taken down of it. */
export interface ServedAccess {
  /** Without, everything is open, and only to this machine. */
  readonly keys?: KeyRing | undefined;
  readonly sessions?: Sessions | undefined;
  readonly counterOf?: CounterOf | undefined;
  /** Called when the host is open. */
  openAudit(): AuditLog | undefined | Promise<AuditLog | undefined>;
  close?(): Promise<void>;
}

/**
 * Serves until SIGTERM, SIGINT or SIGHUP; resolves to the exit code. Prints one line to stdout when it is ready.
 * @param openAccess - default: keys and audit trail of this machine, as the settings name them.
 */
export async function serve(
  settings: ServeSettings,
  openHost: (logger: Logger, onOwnAct: (act: OwnAct) => void) => Promise<ServedHost>,
  openAccess: (logger: Logger) => ServedAccess | Promise<ServedAccess> = () => accessOfFiles(settings),
): Promise<number> {
  // Before anything is opened: who is told to stop while he starts, stops cleanly as well.
  const stopped = stopSignal();
  const logger = pino({ name: "attune", level: settings.logLevel }, pino.destination(2));
  const access = await openAccess(logger);
  const { keys, sessions, counterOf } = access;
  const isClosed = keys !== undefined && (settings.oidc !== undefined || !keys.isEmpty);
  if (!isClosed) refuseOpenDoor(settings.host);
  await build();
  const acts = ownActs((error) => logger.error({ err: error }, "what the node did is missing in the audit trail"));
  const host = await openHost(logger, acts.note);
  let audit: AuditLog | undefined;
  try {
    audit = await access.openAudit();
    acts.attach(audit);
    if (settings.demo) {
      await warmDemo(host.projects, logger);
      giveBackMemory();
    }
    const server = await createServer({
      projects: (name) => host.projects.get(name),
      projectNames: () => [...host.projects.keys()],
      config: serverConfig(settings),
      keys,
      sessions,
      counterOf,
      audit,
      folders: { console: `${DIST}console`, demo: `${DIST}demo`, sdk: `${DIST}sdk` },
      logger,
    });
    const address = await server.listen().catch((error: NodeJS.ErrnoException) => {
      throw listenFault(error, settings);
    });
    if (server.grpcAddress !== undefined) logger.info({ address: server.grpcAddress }, "listening for gRPC");
    process.stdout.write(`attune listening on ${address}\n`);
    await stopped;
    await server.close();
    return 0;
  } finally {
    // Also where something failed: what the host holds open would keep the process. It may still end an erasure: the trail
    // is closed after it.
    await host.close();
    await audit?.close();
    await access.close?.();
  }
}

/** With words on what to do, where the address is why. */
function listenFault(error: NodeJS.ErrnoException, { host, port }: ServeSettings): Error {
  const isGrpc = error instanceof GrpcPortError;
  const [taken, variable] = isGrpc ? [error.port, "ATTUNE_GRPC_PORT"] : [port, "ATTUNE_PORT"];
  if (error.code === "EADDRINUSE") {
    return new SettingError(`port ${taken} is taken: stop what runs there, or set ${variable} (0 picks a free one)`);
  }
  if (error.code === "EACCES") {
    return new SettingError(`port ${taken} is for privileged processes: set ${variable}, or let the process bind it`);
  }
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") {
    return new SettingError(`ATTUNE_HOST is "${host}", which is no address of this machine (${error.code})`);
  }
  return error;
}

function accessOfFiles({ keyFile, audit }: ServeSettings): ServedAccess {
  return {
    keys: keyFile === undefined ? undefined : openKeyRing(keyFile, Date.now),
    openAudit: () => (audit === undefined ? undefined : openNodeAudit(audit, Date.now)),
  };
}

/** The port that was named, or the one above HTTP's where nobody else has it. */
function grpcConfig({ port, grpcPort }: ServeSettings): Pick<HttpConfig, "grpc"> {
  if (grpcPort === "off") return {};
  if (grpcPort !== undefined) return { grpc: { port: grpcPort, ifFree: false } };
  const next = port === 0 ? 0 : port + 1;
  return next > PORT_MAX ? {} : { grpc: { port: next, ifFree: true } };
}

function serverConfig(settings: ServeSettings) {
  const { host, port, demo, trustedProxies, botAddresses, webhooks, tls, limits, oidc } = settings;
  return {
    host,
    port,
    demo,
    ...grpcConfig(settings),
    ...(tls === undefined ? {} : { tls }),
    ...(oidc === undefined ? {} : { oidc }),
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(botAddresses === undefined ? {} : { botAddresses }),
    ...(webhooks === undefined
      ? {}
      : { webhooks: { backoffMs: 1_000, attemptsMax: 6, ...webhooks } }),
  };
}

/** Builds the SDK, the console and the demo where this is a checkout; an installed package brings them. */
async function build(): Promise<void> {
  if (!existsSync(BUILD_SCRIPT)) return;
  const { buildAll } = (await import(BUILD_SCRIPT.href)) as { buildAll: () => Promise<void> };
  await buildAll();
}

/**
 * Warming the demo makes garbage as a busy hour does, and an idle node would keep the room for it: one full collection,
 * before anybody waits for an answer, gives it back.
 */
function giveBackMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
  collect({ type: "major", flavor: "last-resort" });
}

/** SIGHUP is a terminal that was closed. A signal to the whole group (Ctrl-C, a supervisor) comes again from the launcher: only the first one counts. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}
