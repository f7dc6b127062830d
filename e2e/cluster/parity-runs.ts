// What parity is measured on: real logs where they are there, and generated traffic of every kind.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ownDevice } from "../../cluster/flink/testing/traffic.ts";
import { randomVisit } from "../../cluster/operator/testing/visits.ts";
import { BUILT_IN_EVENT_TYPES, type LoggedEvent } from "../../core/event/event.ts";
import { normaliseEvent } from "../../core/event/validate.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { newsProgram } from "../../core/program/news.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { openEventFile } from "../../server/cli/event-file.ts";
import { measureParity, type Parity } from "./parity.ts";

export interface ParitySizes {
  /** Events of the news log. */
  readonly news: number;
  readonly generated: number;
  /** Persons whose lists are compared. */
  readonly asked: number;
  /** Subtasks of the job. */
  readonly parallelism: number;
}

export interface ParityLine {
  readonly name: string;
  readonly isRight: boolean;
  readonly text: string;
}

const DATA = resolve(import.meta.dirname, "../../../shared/data");
const FEATURE_ERROR_MAX = 1e-9;
const SAME_TOP_TEN_MIN = 0.95;
const HR20_GAP_MAX = 0.005;
const GENERATED_PERSONS = 2_000;
/** Below, a gap says nothing about models. */
const EVALUATED_MIN = 1_000;
const NOW = new Set(BUILT_IN_EVENT_TYPES);

/** Yields a line for each run; `skip` lines where a log is not there. */
export async function* parityRuns(sizes: ParitySizes, onProgress: (line: string) => void): AsyncGenerator<ParityLine | string> {
  const { asked, parallelism } = sizes;
  for (const topics of ["one", "families"] as const) {
    const generated = { program: shopProgram, events: generatedEvents(sizes.generated), topics, asked, parallelism, onProgress };
    if (sizes.generated > 0) {
      const found = await measureParity(generated);
      yield lineOf(`generated, ${topics}`, { topics, isJudged: false }, found);
    }
    for (const [name, program, limit] of [["otto", shopProgram, Infinity], ["globo_news", newsProgram, sizes.news]] as const) {
      const path = `${DATA}/${name}/events.ndjson.gz`;
      if (limit === 0) continue;
      if (!existsSync(path)) {
        yield `skip: parity on ${name}: there is no ${path}`;
        continue;
      }
      const events = fileEvents(path, limit);
      const excludesSession = program === newsProgram;
      const isJudged = limit !== Infinity;
      const found = await measureParity({ program, events, topics, asked, parallelism, excludesSession, onProgress });
      yield lineOf(`${name}, ${topics}`, { topics, isJudged }, found);
    }
  }
}

/** Lists of traffic that is drawn by chance, or of a handful of visitors, are noise: they are shown and not judged. */
function lineOf(
  name: string,
  { topics, isJudged }: { topics: "one" | "families"; isJudged: boolean },
  found: Parity,
): ParityLine {
  const { differing, featureError, sameTopTen, hr20 } = found;
  const gap = Math.abs(hr20.embedded - hr20.cluster);
  const isRight =
    differing.length === 0 &&
    featureError <= FEATURE_ERROR_MAX &&
    (!isJudged || sameTopTen >= SAME_TOP_TEN_MIN) &&
    (!isJudged || hr20.evaluated < EVALUATED_MIN || gap <= HR20_GAP_MAX);
  const bytes = topics === "one" ? `${differing.length} differ to the byte` : "bytes not compared";
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const text =
    `${found.events} records, ${found.duplicates} events twice, ${found.persons} persons: ${bytes}, ` +
    `features within ${featureError.toExponential(1)}; top ten of ${found.asked}: ${percent(sameTopTen)} the same; ` +
    `HR@20 ${percent(hr20.embedded)} embedded, ${percent(hr20.cluster)} cluster (${hr20.evaluated} asked)` +
    differing.slice(0, 3).map((line) => `\n      ${line}`).join("");
  return { name: `parity on ${name}`, isRight, text };
}

/** The log as it is, moved in time so that it ends now: servers and models live in the present. */
async function* fileEvents(path: string, limit: number): AsyncGenerator<LoggedEvent> {
  let last = 0;
  for await (const row of rowsOf(path, limit)) last = Math.max(last, Number(row["timestamp"]) || Date.parse(String(row["timestamp"])));
  const shiftMs = Date.now() - 60_000 - last;
  for await (const row of rowsOf(path, limit)) {
    const outcome = normaliseEvent(row, { receivedAtMs: Date.now(), eventTypes: NOW, anyAge: true, newEventId: () => "none" });
    if (!("event" in outcome)) continue;
    yield { ...outcome.event, timestamp: outcome.event.timestamp + shiftMs, received_at: 0 };
  }
}

async function* rowsOf(path: string, limit: number): AsyncGenerator<Record<string, unknown>> {
  let rows = 0;
  for await (const lines of openEventFile(path).lines()) {
    for (const { text } of lines) {
      if (rows++ >= limit) return;
      yield JSON.parse(text) as Record<string, unknown>;
    }
  }
}

/** Visitors with and without logins, late, ahead of time, marked, sent twice, linked before the server knows. */
function* generatedEvents(count: number): Generator<LoggedEvent> {
  const rng = rngFrom(11);
  const sent: LoggedEvent[] = [];
  for (let serial = 0; serial < count; serial++) {
    const isAgain = sent.length > 0 && rng.between(0, 9) === 0;
    const event = isAgain
      ? sent[Math.max(0, sent.length - rng.between(1, 2_000))]!
      : { ...ownDevice(randomVisit(rng, { persons: GENERATED_PERSONS, nowMs: Date.now(), serial })), received_at: 0 };
    sent.push(event);
    if (sent.length > 4_000) sent.splice(0, 2_000);
    yield { ...event };
  }
}
