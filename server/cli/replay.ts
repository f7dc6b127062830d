// `attune replay [--speed 60] [--url URL] FILE`: sends a file through HTTP as if it happened now, `speed` times as fast.
// Event times are moved to the moment of sending and ids get a suffix of this run, so each replay is new traffic.
import { parseArgs } from "node:util";
import { parseTimestamp } from "../../core/event/time.ts";
import { environmentOf } from "./environment.ts";
import { openEventFile } from "./event-file.ts";
import { progressBar } from "./progress.ts";
import { UsageError } from "./usage.ts";

const EVENTS_A_REQUEST = 200;
const ATTEMPTS_MAX = 10;
const RETRY_PAUSE_MS = 500;

interface Counts {
  accepted: number;
  duplicates: number;
  rejected: number;
  unreadable: number;
}

export async function replayCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      speed: { type: "string" },
      url: { type: "string" },
      project: { type: "string" },
      limit: { type: "string" },
    },
  });
  const speed = Number(values.speed ?? 1);
  const limit = Number(values.limit ?? Infinity);
  if (!(speed > 0))
    throw new UsageError(`replay: --speed ${values.speed}: a number above 0; 60 plays an hour in a minute`);
  if (!(limit > 0)) throw new UsageError(`replay: --limit ${values.limit}: a number above 0`);
  const [path] = positionals;
  if (path === undefined) throw new UsageError("replay: name a file: attune replay --speed 60 EVENTS.ndjson.gz");
  const base = values.url ?? `http://127.0.0.1:${environmentOf()["ATTUNE_PORT"] ?? 8080}`;
  const send = sender(new URL("/v1/events", base), values.project);
  const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0, unreadable: 0 };
  const runId = Date.now().toString(36);
  const startedAtMs = Date.now();
  const file = openEventFile(path);
  const bar = progressBar(`replaying ${path}`);
  let firstMs: number | undefined;
  let waiting: Record<string, unknown>[] = [];
  let taken = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await send(waiting, counts);
    waiting = [];
    bar.update(file.progress, `${counts.accepted} events`);
  };
  reading: for await (const lines of file.lines()) {
    for (const { text } of lines) {
      if (taken >= limit) break reading;
      const event = readEvent(text);
      if (event === undefined) {
        counts.unreadable++;
        continue;
      }
      taken++;
      firstMs ??= event.timeMs;
      const dueMs = startedAtMs + Math.max(0, event.timeMs - firstMs) / speed;
      if (dueMs > Date.now()) {
        await flush();
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - Date.now())));
      }
      const { event_id: id } = event.body;
      const renamed = id === undefined ? {} : { event_id: `${String(id).slice(0, 54)}-${runId}` };
      waiting.push({ ...event.body, ...renamed, timestamp: Date.now() });
      if (waiting.length >= EVENTS_A_REQUEST) await flush();
    }
  }
  await flush();
  bar.done();
  const { accepted, duplicates, rejected, unreadable } = counts;
  const seconds = ((Date.now() - startedAtMs) / 1_000).toFixed(1);
  process.stdout.write(
    `events: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected, ${unreadable} unreadable; ${seconds} s\n`,
  );
  return 0;
}

function readEvent(text: string): { body: Record<string, unknown>; timeMs: number } | undefined {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    const timeMs = parseTimestamp(body["timestamp"]);
    return Number.isNaN(timeMs) ? undefined : { body, timeMs };
  } catch {
    // A line that is not JSON is counted by the caller as unreadable.
    return undefined;
  }
}

/** Sends a batch, again while the node is away or overloaded. */
function sender(url: URL, project: string | undefined) {
  const headers = {
    "content-type": "application/json",
    ...(project === undefined ? {} : { "attune-project": project }),
  };
  return async (events: readonly unknown[], counts: Counts): Promise<void> => {
    const body = JSON.stringify({ events });
    let problem = "";
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const response = await fetch(url, { method: "POST", headers, body }).catch((error: Error) => error);
      if (response instanceof Error) {
        problem = `${url.origin} does not answer: is the node running? (${response.message})`;
      } else if (response.status === 202 || response.status === 400) {
        const answer = (await response.json()) as { accepted: number; duplicates: number; rejected: unknown[] };
        counts.accepted += answer.accepted ?? 0;
        counts.duplicates += answer.duplicates ?? 0;
        counts.rejected += answer.rejected?.length ?? 0;
        return;
      } else {
        problem = `${url.href} answered ${response.status}: ${await response.text()}`;
        if (response.status < 500 && response.status !== 429) break;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    }
    throw new UsageError(`replay: ${problem}`);
  };
}
