// `attune replay [--speed 60] [--url URL] FILE`: sends a file through HTTP as if it happened now, `speed` times as fast.
// Event times are moved to the moment of sending and ids get a suffix of this run, so each replay is new traffic.
import { parseTimestamp } from "../../core/event/time.ts";
import { environmentOf } from "./environment.ts";
import { openEventFile, parseLine, type Line } from "./event-file.ts";
import { parseFlags } from "./flags.ts";
import { progressBar } from "./progress.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { UsageError } from "./usage.ts";

const EVENTS_A_REQUEST = 200;
/** Half of what a request may have. */
const REQUEST_CHARACTERS = 512 * 1024;
const ATTEMPTS_MAX = 10;
const RETRY_PAUSE_MS = 500;

interface Counts {
  accepted: number;
  duplicates: number;
  rejected: number;
  unreadable: number;
  readonly refusals: Refusals;
}

interface Answer {
  accepted: number;
  duplicates: number;
  rejected: { index: number; code: string; message: string }[];
}

interface Waiting {
  event: Record<string, unknown>;
  /** File and line. */
  place: string;
}

export async function replayCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseFlags({
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
  if (path === undefined || positionals.length > 1) {
    throw new UsageError("replay: name one file: attune replay --speed 60 EVENTS.ndjson.gz");
  }
  const base = values.url ?? `http://127.0.0.1:${environmentOf()["ATTUNE_PORT"] ?? 8080}`;
  if (!/^https?:/.test(base) || !URL.canParse(base)) throw new UsageError(`replay: --url ${base}: a URL such as http://127.0.0.1:8080`);
  const send = sender({ url: new URL("/v1/events", base), project: values.project, key: environmentOf()["ATTUNE_KEY"] });
  const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0, unreadable: 0, refusals: createRefusals() };
  const runId = Date.now().toString(36);
  const startedMs = performance.now();
  const file = openEventFile(path);
  const bar = progressBar(`replaying ${path}`);
  let firstMs: number | undefined;
  let waiting: Waiting[] = [];
  let waitingCharacters = 0;
  let taken = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await send(waiting, counts);
    waiting = [];
    waitingCharacters = 0;
    bar.update(file.progress, `${counts.accepted} events`);
  };
  reading: for await (const lines of file.lines()) {
    for (const line of lines) {
      const { number, text } = line;
      if (taken >= limit) break reading;
      const event = readEvent(line);
      if (event === undefined) {
        const message = "the line is no JSON object with a timestamp, in UTF-8";
        counts.refusals.add({ code: "unreadable", message, place: `${path}:${number}` });
        counts.unreadable++;
        continue;
      }
      taken++;
      firstMs ??= event.timeMs;
      const dueMs = startedMs + Math.max(0, event.timeMs - firstMs) / speed;
      if (dueMs > performance.now()) {
        await flush();
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      }
      const { event_id: id } = event.body;
      const renamed = id === undefined ? {} : { event_id: `${String(id).slice(0, 54)}-${runId}` };
      // The sender's clock of then would move the time of now.
      const { sent_at: _, ...body } = event.body;
      waiting.push({ event: { ...body, ...renamed, timestamp: Date.now() }, place: `${path}:${number}` });
      waitingCharacters += text.length;
      if (waiting.length >= EVENTS_A_REQUEST || waitingCharacters >= REQUEST_CHARACTERS) await flush();
    }
  }
  await flush();
  bar.done();
  const { accepted, duplicates, rejected, unreadable } = counts;
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  process.stdout.write(
    `events: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected, ${unreadable} unreadable; ${seconds} s\n`,
  );
  for (const line of counts.refusals.lines()) process.stderr.write(`attune: ${line}\n`);
  return 0;
}

function readEvent(line: Line): { body: Record<string, unknown>; timeMs: number } | undefined {
  const parsed = parseLine(line);
  if ("fault" in parsed || typeof parsed.value !== "object" || parsed.value === null) return undefined;
  const body = parsed.value as Record<string, unknown>;
  const timeMs = parseTimestamp(body["timestamp"]);
  return Number.isNaN(timeMs) ? undefined : { body, timeMs };
}

/** Sends a batch, again while the node is away or overloaded. */
function sender({ url, project, key }: { url: URL; project: string | undefined; key: string | undefined }) {
  const headers = {
    "content-type": "application/json",
    ...(project === undefined ? {} : { "attune-project": project }),
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return async (batch: readonly Waiting[], counts: Counts): Promise<void> => {
    const body = JSON.stringify({ events: batch.map(({ event }) => event) });
    let problem = "";
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const response = await fetch(url, { method: "POST", headers, body }).catch((error: Error) => error);
      if (response instanceof Error) {
        problem = `${url.origin} does not answer: is the node running? (${causeOf(response)})`;
      } else {
        const text = await response.text();
        const answer = readAnswer(response.status, text);
        if (answer !== undefined) return count(answer, batch, counts);
        problem = `${url.href} answered ${response.status}: ${text}`;
        if (response.status === 401) problem += " (ATTUNE_KEY is the key that is shown)";
        if (response.status < 500 && response.status !== 429) break;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    }
    throw new UsageError(`replay: ${problem}`);
  };
}

/** `fetch` itself only says that it failed; why (nobody listens, a certificate that is not trusted) is its cause. */
function causeOf({ message, cause }: Error): string {
  return cause instanceof Error && cause.message !== "" ? cause.message : ((cause as NodeJS.ErrnoException | undefined)?.code ?? message);
}

/** What became of each event; undefined where the answer is about the request. */
function readAnswer(status: number, text: string): Answer | undefined {
  if (status !== 202 && status !== 400) return undefined;
  const answer = JSON.parse(text) as Partial<Answer>;
  return answer.rejected === undefined ? undefined : (answer as Answer);
}

function count({ accepted, duplicates, rejected }: Answer, batch: readonly Waiting[], counts: Counts): void {
  counts.accepted += accepted;
  counts.duplicates += duplicates;
  counts.rejected += rejected.length;
  for (const { index, code, message } of rejected) {
    counts.refusals.add({ code, message, place: batch[index]!.place });
  }
}
