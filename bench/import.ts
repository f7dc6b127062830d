// `attune import` of the largest log at hand, against `JSON.parse` of the same lines, with its memory; then `verify`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEventFile } from "../server/cli/event-file.ts";
import { printTable } from "./table.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FILE = join(ROOT, "../shared/data/globo_news/events.ndjson.gz");
const MEMORY_EVERY_MS = 200;

export async function importBench(): Promise<void> {
  if (!existsSync(FILE)) {
    console.log("skipped: ../shared/data/globo_news is not there");
    return;
  }
  const parsed = await parseOnly();
  const folder = mkdtempSync(join(tmpdir(), "attune-bench-"));
  const imported = await run(["import", "--program", "news", "--data", folder, FILE]);
  const verified = await run(["verify", "--data", folder]);
  const again = await run(["import", "--data", folder, FILE]);
  rmSync(folder, { recursive: true, force: true });
  printTable(
    ["step", "wall s", "CPU s", "peak MB", "of its own", "said"],
    [
      ["JSON.parse of the lines", parsed.seconds, parsed.cpuSeconds, "", "", `${parsed.lines} lines`],
      ["import", imported.seconds, imported.cpuSeconds, imported.peakMb, imported.ownMb, imported.said],
      ["verify", verified.seconds, verified.cpuSeconds, verified.peakMb, verified.ownMb, verified.said],
      ["import again", again.seconds, again.cpuSeconds, again.peakMb, again.ownMb, again.said],
      ["ratio import / parse", imported.seconds / parsed.seconds, imported.cpuSeconds / parsed.cpuSeconds, "", "", ""],
    ],
  );
}

async function parseOnly() {
  const texts: string[] = [];
  for await (const lines of openEventFile(FILE).lines()) for (const { text } of lines) texts.push(text);
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  for (const text of texts) JSON.parse(text);
  const used = process.cpuUsage(cpu);
  return {
    lines: texts.length,
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

async function run(args: string[]) {
  const startedMs = performance.now();
  // With the flags that the launcher gives every process.
  const child = spawn(process.execPath, [...process.execArgv, join(ROOT, "server/cli/main.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  let peakMb = 0;
  // Without pages of files, which the system takes back when it needs them.
  let ownMb = 0;
  let cpuSeconds = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const watch = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024;
    peakMb = megabytes("VmHWM");
    ownMb = Math.max(ownMb, megabytes("RssAnon"));
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
  }, MEMORY_EVERY_MS);
  const [code] = await once(child, "exit");
  clearInterval(watch);
  if (code !== 0) throw new Error(`attune ${args[0]} ended with ${code}: ${said.slice(-200)}`);
  return {
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds,
    peakMb,
    ownMb,
    said: said.trim().replaceAll("\n", "; "),
  };
}
