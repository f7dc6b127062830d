// `attune import [--items FILE] [--project NAME] FILE …`: reads files into the data folder, past any age, at full speed.
// Each event is in the log once, however often the file is read; so an import that was cut off is simply started again.
import { normaliseEvent } from "../../core/event/validate.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { normaliseItem } from "../../core/item/validate.ts";
import { hash64 } from "../../core/math/hash.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { REFUSED_FOR_PERSONS } from "../intake/intake.ts";
import { keptBody } from "../intake/kept-body.ts";
import type { Submission } from "../ports.ts";
import { openEventFile, parseLine, type Line } from "./event-file.ts";
import { parseFlags } from "./flags.ts";
import { PROJECT_FLAGS, withProject } from "./node.ts";
import { progressBar } from "./progress.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { UsageError } from "./usage.ts";

/** Begins the source of a dead letter; file and line follow. */
const SOURCE = "import ";
const EVENTS_A_SUBMISSION = 500;
/** Submissions under way: the next ones are parsed while one is written. */
const SUBMISSIONS_MAX = 2;
const ITEMS_A_SUBMISSION = 500;
/** Seconds that are taken for milliseconds lie in January 1970; sites of before 2000 are none. */
const EARLY_BEFORE_MS = Date.UTC(2000, 0, 1);

interface Counts {
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** What is worth a word to whoever made the file. */
interface Notes {
  readonly refusals: Refusals;
  early: number;
  eventsAsItems: number;
}

export async function importCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: { ...PROJECT_FLAGS, items: { type: "string" } },
  });
  if (positionals.length === 0 && values.items === undefined) {
    throw new UsageError("import: name a file: attune import [--items ITEMS.ndjson.gz] EVENTS.ndjson.gz");
  }
  return withProject(values, { isMade: true }, async (project) => {
    const startedAt = performance.now();
    const notes: Notes = { refusals: createRefusals(), early: 0, eventsAsItems: 0 };
    let items = { accepted: 0, duplicates: 0, rejected: 0 };
    if (values.items !== undefined) items = await importItems(project, values.items, notes);
    const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0 };
    try {
      for (const path of positionals) await importEvents(project, path, counts, notes);
    } catch (error) {
      // The line after this one says why.
      if (counts.accepted > 0) {
        process.stderr.write(`attune: ${counts.accepted} events were accepted before, and stay: in the next import they are duplicates\n`);
      }
      throw error;
    }
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const itemCounts =
      values.items === undefined ? "" : `items: ${items.accepted} accepted, ${items.rejected} rejected; `;
    const { accepted, duplicates, rejected } = counts;
    process.stdout.write(
      `${itemCounts}events: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected; ${seconds} s\n`,
    );
    for (const line of wordsOf(notes)) process.stderr.write(`attune: ${line}\n`);
    return 0;
  });
}

function wordsOf({ refusals, early, eventsAsItems }: Notes): string[] {
  const lines = refusals.lines();
  if (refusals.codes().some((code) => !(code in REFUSED_FOR_PERSONS))) lines.push("what was refused is kept: Dead letters in the console, or GET /v1/dead-letters");
  if (early > 0) lines.push(`events from before the year 2000: ${early}; Unix time is in milliseconds, not seconds`);
  if (eventsAsItems > 0) lines.push(`lines of --items with an event_type, as events have: ${eventsAsItems}; is it the catalogue?`);
  return lines;
}

async function importEvents(project: EmbeddedProject, path: string, counts: Counts, notes: Notes): Promise<void> {
  const file = openEventFile(path);
  const bar = progressBar(`importing ${path}`);
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  const submit = async (submission: ReturnType<typeof submissionOf>): Promise<void> => {
    for (const [i, outcome] of (await project.submit(submission)).entries()) {
      if (outcome === "accepted") counts.accepted++;
      else if (outcome === "duplicate") counts.duplicates++;
      else {
        counts.rejected++;
        const code = outcome === "erased" ? "erased" : "no_consent";
        notes.refusals.add({ code, message: REFUSED_FOR_PERSONS[code], place: `${path}:${submission.numbers[i]!}` });
      }
    }
    counts.rejected += submission.deadLetters.length;
    for (const { code, message, source } of submission.deadLetters) {
      notes.refusals.add({ code, message, place: source.slice(SOURCE.length) });
    }
    notes.early += submission.events.filter(({ timestamp }) => timestamp < EARLY_BEFORE_MS).length;
  };
  try {
    for await (const lines of file.lines()) {
      for (let start = 0; start < lines.length; start += EVENTS_A_SUBMISSION) {
        const submission = submissionOf(project, path, lines.slice(start, start + EVENTS_A_SUBMISSION));
        const done: Promise<void> = submit(submission)
          .catch((error: unknown) => (failure ??= error))
          .then(() => void underWay.delete(done));
        underWay.add(done);
        if (underWay.size >= SUBMISSIONS_MAX) await Promise.race(underWay);
        if (failure !== undefined) throw failure;
      }
      bar.update(file.progress, `${counts.accepted + counts.duplicates} events`);
    }
  } finally {
    await Promise.all(underWay);
  }
  bar.done();
  if (failure !== undefined) throw failure;
}

/** `numbers`: each event's line. */
function submissionOf(project: EmbeddedProject, path: string, lines: readonly Line[]): Submission & { numbers: number[] } {
  const events: LoggedEvent[] = [];
  const numbers: number[] = [];
  const deadLetters: Submission["deadLetters"][number][] = [];
  const receivedAtMs = Date.now();
  for (const line of lines) {
    const { number, text } = line;
    const source = `${SOURCE}${path}:${number}`;
    const parsed = parseLine(line);
    if ("fault" in parsed) {
      const body = keptBody(text);
      deadLetters.push({ code: "bad_json", path: "", message: parsed.fault, source, body, once: lineId(number, text) });
      continue;
    }
    const raw = parsed.value;
    const result = normaliseEvent(raw, {
      receivedAtMs,
      eventTypes: project.eventTypes,
      anyAge: true,
      newEventId: () => lineId(number, text),
    });
    if ("rejected" in result) {
      const { code, path: pointer, message } = result.rejected;
      deadLetters.push({ code, path: pointer, message, source, body: keptBody(raw), once: lineId(number, text) });
      continue;
    }
    events.push({ ...result.event, received_at: receivedAtMs });
    numbers.push(number);
  }
  return { events, numbers, deadLetters };
}

/** A line without an id gets one from what it says and where it stands: reading the file again changes nothing. */
function lineId(number: number, text: string): string {
  const { hi, lo } = hash64(text);
  return `line-${number}-${hi.toString(16).padStart(8, "0")}${lo.toString(16).padStart(8, "0")}`;
}

async function importItems(project: EmbeddedProject, path: string, notes: Notes): Promise<Counts> {
  const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0 };
  let items: Item[] = [];
  const flush = async (): Promise<void> => {
    await project.putItems(items);
    counts.accepted += items.length;
    items = [];
  };
  for await (const lines of openEventFile(path).lines()) {
    for (const line of lines) {
      const { number, text } = line;
      const refused = takeItem(line, items);
      if (refused !== undefined) {
        const source = `${SOURCE}${path}:${number}`;
        notes.refusals.add({ ...refused, place: `${path}:${number}` });
        await project.submit({ events: [], deadLetters: [{ ...refused, source, once: lineId(number, text) }] });
        counts.rejected++;
      }
      if (refused === undefined && items.at(-1)!.attributes?.["event_type"] !== undefined) notes.eventsAsItems++;
      if (items.length >= ITEMS_A_SUBMISSION) await flush();
    }
  }
  await flush();
  return counts;
}

function takeItem(line: Line, items: Item[]) {
  const parsed = parseLine(line);
  if ("fault" in parsed) return { code: "bad_json", path: "", message: parsed.fault, body: keptBody(line.text) };
  const raw = parsed.value;
  const result = normaliseItem(raw);
  if ("item" in result) {
    items.push(result.item);
    return undefined;
  }
  const { code, path, message } = result.rejected;
  return { code, path, message, body: raw };
}
