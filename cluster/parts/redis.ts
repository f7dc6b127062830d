// One Redis server. It is a cache of what Kafka holds, so it keeps nothing on disk.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "redis";
import type { PartSpec } from "./part.ts";

const MEMORY_MB = 512;
const ASK_TIMEOUT_MS = 2_000;

export interface RedisOptions {
  folder: string;
  program: string;
  port: number;
  memoryMb?: number;
  /** Lines of redis.conf beside and above ours. */
  settings?: Readonly<Record<string, string | number>>;
}

export function redisSpec({ folder, program, port, memoryMb = MEMORY_MB, settings = {} }: RedisOptions): PartSpec {
  const file = join(folder, "redis.conf");
  const all = {
    bind: "127.0.0.1",
    port,
    daemonize: "no",
    dir: folder,
    logfile: join(folder, "redis.log"),
    save: '""',
    appendonly: "no",
    maxmemory: `${memoryMb}mb`,
    // A full Redis must say so: with eviction a profile would silently be missing.
    "maxmemory-policy": "noeviction",
    ...settings,
  };
  return {
    name: "redis",
    folder,
    program,
    args: [file],
    listens: [{ host: "127.0.0.1", port }],
    async prepare() {
      await mkdir(folder, { recursive: true });
      await writeFile(file, Object.entries(all).map(([key, value]) => `${key} ${value}\n`).join(""));
    },
    isReady: () => answers(`redis://127.0.0.1:${port}`),
  };
}

async function answers(url: string): Promise<boolean> {
  const socket = { reconnectStrategy: false as const, connectTimeout: ASK_TIMEOUT_MS };
  const client = createClient({ url, socket });
  // The connection's rejection says the same.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } finally {
    client.destroy();
  }
}
