// `attune cluster logs [PART] [--follow]`: the end of a part's log, and what it writes from now on.
import { once } from "node:events";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { SettingError } from "../../server/cli/config.ts";
import { readJobState } from "../jobs/job-state.ts";
import { partsOf } from "./cluster-parts.ts";
import { type ClusterFlags, readCluster } from "./settings.ts";

const TAIL_BYTES = 8 << 10;
const CHUNK_BYTES = 64 << 10;
const LOOK_EVERY_MS = 250;

type LogFlags = ClusterFlags & { follow?: boolean | undefined };

export async function logsCommand(flags: LogFlags, names: string[]): Promise<number> {
  const settings = await readCluster(flags);
  const { generation } = await readJobState(settings.folder);
  const { installations, servers, supervisor } = partsOf(settings, generation);
  const parts = [...installations, ...servers, supervisor];
  const unknown = names.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new SettingError(`"${unknown}" is no part; one of ${parts.map(({ name }) => name).join(", ")}`);
  const chosen = parts.filter(({ name }) => names.length === 0 || names.includes(name));
  const files = chosen.flatMap(({ name, spec }) =>
    ["log", "out"].map((kind) => ({ name, path: join(spec.folder, `${name}.${kind}`) })),
  );
  // Before anything is written: who reads it may interrupt at once.
  const interrupted = flags.follow === true ? once(process, "SIGINT") : undefined;
  const prefix = chosen.length === 1 ? () => "" : (name: string) => `${name.padEnd(14)} `;
  const tails = files.map(({ name, path }) => tailOf(path, (line) => process.stdout.write(`${prefix(name)}${line}\n`)));
  for (const { name } of chosen)
    if (!files.some((file) => file.name === name && existsSync(file.path) && statSync(file.path).size > 0))
      process.stderr.write(`attune: ${name} has logged nothing yet\n`);
  if (interrupted === undefined) return 0;
  // Not by watching the files: what is written before a watcher's first look would be told with the next line only.
  const timer = setInterval(() => {
    for (const tail of tails) tail.read();
  }, LOOK_EVERY_MS);
  await interrupted;
  clearInterval(timer);
  return 0;
}

/** Reads the end of a file now and what was appended since at each `read`; starts anew where the file was rolled. */
function tailOf(path: string, onLine: (line: string) => void): { read(): void } {
  const sizeOf = (): number => (existsSync(path) ? statSync(path).size : 0);
  let position = Math.max(0, sizeOf() - TAIL_BYTES);
  // A chunk may end within a letter.
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let skipsFirst = position > 0;
  const read = (): void => {
    const sizeBytes = sizeOf();
    if (sizeBytes < position) position = 0;
    if (sizeBytes === position) return;
    const file = openSync(path, "r");
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let n = readSync(file, chunk, 0, CHUNK_BYTES, position); n > 0; ) {
      position += n;
      const lines = (rest + decoder.write(chunk.subarray(0, n))).split("\n");
      rest = lines.pop()!;
      for (const line of skipsFirst ? lines.slice(1) : lines) onLine(line);
      skipsFirst = false;
      n = readSync(file, chunk, 0, CHUNK_BYTES, position);
    }
    closeSync(file);
  };
  read();
  return { read };
}
