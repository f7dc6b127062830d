// Puts the simulated machine under the real code: what `server/` imports from Node and from LMDB is replaced while it is
// loaded. Import this before anything of the server.
import { registerHooks } from "node:module";
import { plantedBug } from "./bugs.ts";

const MODULES: Readonly<Record<string, string>> = {
  "node:fs": "fs.ts",
  "node:fs/promises": "fs-promises.ts",
  "node:worker_threads": "worker-threads.ts",
  "node:timers/promises": "timers-promises.ts",
  lmdb: "lmdb.ts",
  uuidv7: "uuidv7.ts",
};

interface Edit {
  file: string;
  from: string;
  to: string;
}

/** Limits made small, so that a short run meets them. */
const SMALL: readonly Edit[] = [
  { file: "server/log/segment-log.ts", from: "128 * 1024 * 1024", to: "24 * 1024" },
  { file: "server/log/segment-log.ts", from: "const RESERVE_BYTES = 1024 * 1024", to: "const RESERVE_BYTES = 4096" },
  { file: "server/log/id-index.ts", from: "const SMALL_RUN_IDS = 65_536", to: "const SMALL_RUN_IDS = 40" },
  { file: "server/log/id-index.ts", from: "const TABLE_BITS_MIN = 16", to: "const TABLE_BITS_MIN = 6" },
  { file: "core/model/arena.ts", from: "const PAGE_BITS = 18", to: "const PAGE_BITS = 11" },
  { file: "server/embedded/committer.ts", from: "const GROUP_RECORDS = 500", to: "const GROUP_RECORDS = 12" },
  { file: "server/embedded/committer.ts", from: "const GROUP_RECORDS_MAX = 2_000", to: "const GROUP_RECORDS_MAX = 48" },
];

const edits = [...SMALL, ...(plantedBug()?.edits ?? [])];

registerHooks({
  resolve(specifier, context, next) {
    const replacement = MODULES[specifier];
    const isServers = context.parentURL?.includes("/server/") === true;
    if (replacement === undefined || !isServers) return next(specifier, context);
    return { url: new URL(`./modules/${replacement}`, import.meta.url).href, shortCircuit: true };
  },
  load(url, context, next) {
    const loaded = next(url, context);
    const mine = edits.filter(({ file }) => url.endsWith(`/${file}`));
    if (mine.length === 0) return loaded;
    let source = Buffer.from(loaded.source as Uint8Array).toString("utf8");
    for (const { file, from, to } of mine) {
      if (!source.includes(from)) throw new Error(`the simulation changes "${from}" in ${file}, which is not there`);
      source = source.replace(from, to);
    }
    return { ...loaded, source };
  },
});
