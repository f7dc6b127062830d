// One of the cluster's Node servers.
import { mkdir } from "node:fs/promises";
import { request as ask, type IncomingMessage } from "node:http";
import { request as askTls } from "node:https";
import { join } from "node:path";
import type { PartSpec } from "./part.ts";
import type { Address } from "./port.ts";

const MAIN = join(import.meta.dirname, "../server/main.ts");
const ASK_TIMEOUT_MS = 2_000;
const HEAP_MB = 512;

export interface ServerPartOptions {
  folder: string;
  name: string;
  /** Where it answers. */
  url: string;
  /** What the server's entry reads; holds passwords, so its file is for its owner only. */
  settings: object;
}

export function serverSpec({ folder, name, url, settings }: ServerPartOptions): PartSpec {
  const file = join(folder, "settings.json");
  return {
    name,
    folder,
    program: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", `--max-old-space-size=${HEAP_MB}`, MAIN, "--settings", file],
    listens: [addressOf(url)],
    settings: { file, text: JSON.stringify(settings) },
    prepare: async () => void (await mkdir(folder, { recursive: true })),
    isReady: () => isReady(`${url}/readyz`),
  };
}

function addressOf(url: string): Address {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "https:" ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
}

/** Whether it answers, not who it is: its certificate may be for the name that the world knows it by. */
function isReady(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response.statusCode === 200);
    };
    const request = url.startsWith("https:")
      ? askTls(url, { signal, rejectUnauthorized: false }, answered)
      : ask(url, { signal }, answered);
    request.on("error", reject).end();
  });
}
