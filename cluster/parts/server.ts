// One of the cluster's Node servers.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PartSpec } from "./part.ts";

const MAIN = join(import.meta.dirname, "../server/main.ts");
const ASK_TIMEOUT_MS = 2_000;
const HEAP_MB = 512;

export interface ServerPartOptions {
  folder: string;
  name: string;
  host: string;
  port: number;
  /** What the server's entry reads; holds passwords, so its file is for its owner only. */
  settings: object;
}

export function serverSpec({ folder, name, host, port, settings }: ServerPartOptions): PartSpec {
  const file = join(folder, "settings.json");
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/readyz`;
  return {
    name,
    folder,
    program: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", `--max-old-space-size=${HEAP_MB}`, MAIN, "--settings", file],
    async prepare() {
      await mkdir(folder, { recursive: true });
      await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
    },
    isReady: async () => (await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })).ok,
  };
}
