// `attune import [--items FILE] [--project NAME] FILE …`: reads files into the data folder, past any age, at full speed.
// Each event is in the log once, however often the file is read; so an import that was cut off is simply started again.
import { parseArgs } from "node:util";
import { normaliseEvent } from "../../core/event/validate.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { normaliseItem } from "../../core/item/validate.ts";
import { hash64 } from "../../core/math/hash.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { keptBody } from "../intake/kept-body.ts";
import type { Submission } from "../ports.ts";
import { openEventFile, type Line } from "./event-file.ts";
import { PROJECT_FLAGS, withProject } from "./node.ts";
import { progressBar } from "./progress.ts";
import { UsageError } from "./usage.ts";

const EVENTS_A_SUBMISSION = 1_000;
/** Submissions under way: the next ones are parsed while one is written. */
const SUBMISSIONS_MAX = 4;
const ITEMS_A_SUBMISSION = 500;

interface Counts {
  accepted: number;
  duplicates: number;
  rejected: number;
}

export async function importCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...PROJECT_FLAGS, items: { type: "string" } },
  });
  if (positionals.length === 0 && values.items === undefined) {
    throw new UsageError("import: name a file: attune import [--items ITEMS.ndjson.gz] EVENTS.ndjson.gz");
  }
  return withProject(values, { isMade: true }, async (project) => {
    const startedAt = performance.now();
    let items = { accepted: 0, duplicates: 0, rejected: 0 };
    if (values.items !== undefined) items = await importItems(project, values.items);
    const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0 };
    for (const path of positionals) await importEvents(project, path, counts);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const itemCounts =
      values.items === undefined ? "" : `items: ${items.accepted} accepted, ${items.rejected} rejected; `;
    const { accepted, duplicates, rejected } = counts;
    process.stdout.write(
      `${itemCounts}events: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected; ${seconds} s\n`,
    );
    return 0;
  });
}

async function importEvents(project: EmbeddedProject, path: string, counts: Counts): Promise<void> {
  const file = openEventFile(path);
  const bar = progressBar(`importing ${path}`);
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  const submit = async (submission: Submission): Promise<void> => {
    for (const outcome of await project.submit(submission)) {
      if (outcome === "accepted") counts.accepted++;
      else counts.duplicates++;
    }
    counts.rejected += submission.deadLetters.length;
  };
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
  await Promise.all(underWay);
  bar.done();
  if (failure !== undefined) throw failure;
}

function submissionOf(project: EmbeddedProject, path: string, lines: readonly Line[]): Submission {
  const events: LoggedEvent[] = [];
  const deadLetters: Submission["deadLetters"][number][] = [];
  const receivedAtMs = Date.now();
  for (const { number, text } of lines) {
    const source = `import ${path}:${number}`;
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch (error) {
      const message = `the line is not JSON: ${(error as Error).message}`;
      deadLetters.push({ code: "bad_json", path: "", message, source, body: keptBody(text), once: lineId(number, text) });
      continue;
    }
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
  }
  return { events, deadLetters };
}

/** A line without an id gets one from what it says and where it stands: reading the file again changes nothing. */
function lineId(number: number, text: string): string {
  const { hi, lo } = hash64(text);
  return `line-${number}-${hi.toString(16).padStart(8, "0")}${lo.toString(16).padStart(8, "0")}`;
}

async function importItems(project: EmbeddedProject, path: string): Promise<Counts> {
  const counts: Counts = { accepted: 0, duplicates: 0, rejected: 0 };
  let items: Item[] = [];
  const flush = async (): Promise<void> => {
    await project.putItems(items);
    counts.accepted += items.length;
    items = [];
  };
  for await (const lines of openEventFile(path).lines()) {
    for (const { number, text } of lines) {
      const refused = takeItem(text, items);
      if (refused !== undefined) {
        const source = `import ${path}:${number}`;
        await project.submit({ events: [], deadLetters: [{ ...refused, source, once: lineId(number, text) }] });
        counts.rejected++;
      }
      if (items.length >= ITEMS_A_SUBMISSION) await flush();
    }
  }
  await flush();
  return counts;
}

function takeItem(text: string, items: Item[]) {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    return { code: "bad_json", path: "", message: `the line is not JSON: ${(error as Error).message}`, body: text };
  }
  const result = normaliseItem(raw);
  if ("item" in result) {
    items.push(result.item);
    return undefined;
  }
  const { code, path, message } = result.rejected;
  return { code, path, message, body: raw };
}
