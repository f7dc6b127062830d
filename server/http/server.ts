// The door of the server's network side: joins the rooms (intake, serve, live, admin) to the shell.
import type { Logger } from "pino";
import type { Project } from "../ports.ts";
import { createShell } from "./app.ts";
import { DEFAULT_HTTP_CONFIG, type HttpConfig } from "./config.ts";
import { Timings } from "./timings.ts";

/** Folders with built files; what is missing is not served. */
export interface StaticFolders {
  console?: string;
  demo?: string;
  /** Holds `attune.js`. */
  sdk?: string;
}

export interface ServerOptions {
  /** The project of that name, already open; undefined where there is none. */
  projects: (name: string) => Project | undefined;
  projectNames: () => readonly string[];
  config: Partial<HttpConfig>;
  folders: StaticFolders;
  logger: Logger;
  /** Unix ms. */
  now?: () => number;
}

export interface AttuneServer {
  /** Resolves to the address that is bound, e.g. `http://127.0.0.1:8080`. */
  listen(): Promise<string>;
  /** Answers open requests, ends live connections, keeps undelivered webhooks as dead letters. Before the projects close. */
  close(): Promise<void>;
}

export function createServer(options: ServerOptions): AttuneServer {
  const config = { ...DEFAULT_HTTP_CONFIG, ...options.config };
  const shell = createShell({
    routes: [],
    streams: [],
    upgrade: () => false,
    projects: options.projects,
    trustedProxies: config.trustedProxies,
    timings: new Timings(),
    logger: options.logger,
    now: options.now ?? Date.now,
  });
  return {
    listen: () => shell.listen(config),
    close: () => shell.close(),
  };
}
