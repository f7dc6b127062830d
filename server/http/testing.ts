// A whole node for tests: the embedded host on a folder of its own, behind a real port.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino, type Logger } from "pino";
import { shopProgram } from "../../core/program/shop.ts";
import { KEY_FILE } from "../access/key-file.ts";
import { openKeyRing, type FileKeyRing } from "../access/key-ring.ts";
import type { FileAuditLog } from "../audit/audit-log.ts";
import { openNodeAudit } from "../audit/open.ts";
import { EmbeddedProject } from "../embedded/project.ts";
import type { HttpConfig } from "./config.ts";
import type { Project } from "../ports.ts";
import { createServer, type AttuneServer, type ServerOptions } from "./server.ts";
import type { StaticFolders } from "./static-routes.ts";

export interface TestNode {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** Of the data. */
  folder: string;
  project: EmbeddedProject;
  server: AttuneServer;
  /** Without a key until a test makes one: everything is open. */
  keys: FileKeyRing;
  audit: FileAuditLog;
  close(): Promise<void>;
}

export const silent: Logger = pino({ level: "silent" });

/** A server over one project of whatever host, on a port that is free; without keys unless they are given. */
export function serverOver(project: Project, { config, ...more }: Partial<ServerOptions> = {}): Promise<AttuneServer> {
  return createServer({
    projects: (name) => (name === "default" ? project : undefined),
    projectNames: () => ["default"],
    config: { port: 0, ...config },
    folders: {},
    logger: silent,
    ...more,
  });
}

export async function startNode(
  options: { config?: Partial<HttpConfig>; folders?: StaticFolders; logger?: Logger; firstProgram?: unknown } = {},
): Promise<TestNode> {
  const folder = mkdtempSync(join(tmpdir(), "attune-http-"));
  const project = await EmbeddedProject.open({
    folder,
    name: "default",
    firstProgram: options.firstProgram ?? shopProgram,
    now: Date.now,
    sync: "none",
  });
  const keys = openKeyRing(join(folder, KEY_FILE), Date.now);
  const anchor = join(folder, "anchor", "audit.json");
  const audit = openNodeAudit({ dataFolder: folder, anchor }, Date.now);
  const { folders = {}, logger = silent, config = {} } = options;
  const server = await serverOver(project, { keys, audit, config, folders, logger });
  const close = async (): Promise<void> => {
    await server.close();
    audit.close();
    await project.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { url: await server.listen(), folder, project, server, keys, audit, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface TestAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined where it is no JSON. */
  json: any;
}

/** One request; an object as body is sent as JSON. */
export async function ask(node: Pick<TestNode, "url">, route: string, body?: unknown, init: RequestInit = {}): Promise<TestAnswer> {
  const [method, path] = route.split(" ") as [string, string];
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(node.url + path, {
    method,
    redirect: "manual",
    ...(body !== undefined && { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
    ...init,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...init.headers },
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}
