// `attune export`: writes the log's events, or the catalogue, as NDJSON in the form that `import` reads. Left out is what may
// shape no profile: an event has no field for what intake found out and none for its person's consent, so an import would
// take it for what any visitor did.
import { isGranted } from "../../core/consent/consent.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { drained } from "../drained.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import { parseFlags } from "./flags.ts";
import { PROJECT_FLAGS, withProject } from "./node.ts";

const CHUNK_CHARACTERS = 1 << 16;
const MARKS = "bots, patterns no human makes, Global Privacy Control";

interface LeftOut {
  marked: number;
  denied: number;
}

export async function exportCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({ args, options: { ...PROJECT_FLAGS, items: { type: "boolean" } } });
  return withProject(values, { isMade: false }, async (project) => {
    const leftOut: LeftOut = { marked: 0, denied: 0 };
    const isWhole = await writeLines(values.items === true ? itemLines(project) : eventLines(project, leftOut));
    if (!isWhole) return 0;
    const { marked, denied } = leftOut;
    if (marked > 0) process.stderr.write(`attune: ${marked} events left out, as they are from profiles: ${MARKS}\n`);
    if (denied > 0) process.stderr.write(`attune: ${denied} events left out, of persons who allow no profile of theirs\n`);
    return 0;
  });
}

/** False where the reader has had enough (`attune export | head`). */
async function writeLines(lines: Iterable<object>): Promise<boolean> {
  let chunk = "";
  let isRead = true;
  process.stdout.on("error", () => (isRead = false));
  const flush = async (): Promise<void> => {
    if (!process.stdout.write(chunk)) await drained(process.stdout);
    chunk = "";
  };
  for (const line of lines) {
    chunk += `${JSON.stringify(line)}\n`;
    if (chunk.length > CHUNK_CHARACTERS) await flush();
    if (!isRead) return false;
  }
  await flush();
  return isRead;
}

function* eventLines(project: EmbeddedProject, leftOut: LeftOut): Generator<object> {
  const mayShape = profilesAllowed(project);
  for (const { type, payload } of project.log.read(project.log.start)) {
    const record = decodeRecord(type, payload);
    if (record?.kind !== "event") continue;
    if (record.event.traffic !== undefined) leftOut.marked++;
    else if (!mayShape(record.event)) leftOut.denied++;
    else yield eventLine(record.event);
  }
}

/** What the catalogue holds now: in the log are also items that were deleted, and are not those that retention outlived. */
function* itemLines({ fold }: EmbeddedProject): Generator<object> {
  for (const item of fold.recommender.catalogue()) yield itemLine(item);
}

/**
 * Whether an event's person allows now that it shapes a profile. Persons are looked through once, as there are far fewer of
 * them than events; those are kept who say something else than holds for everybody.
 */
function profilesAllowed({ fold }: EmbeddedProject): (event: LoggedEvent) => boolean {
  const otherwise = fold.programs.current.consentDefault;
  const others = new Set<string>();
  for (const key of fold.persons.all()) {
    const said = fold.persons.peek(key)?.consent;
    if (isGranted(said, "profiling", otherwise) !== (otherwise === "granted")) others.add(key);
  }
  if (others.size === 0) return () => otherwise === "granted";
  return (event) => others.has(fold.keyNow(event)) !== (otherwise === "granted");
}

/** The event as its sender wrote it: what intake added is left out. */
function eventLine({ item: _item, received_at: _receivedAt, ...event }: LoggedEvent) {
  return { ...event, timestamp: new Date(event.timestamp).toISOString() };
}

function itemLine(item: Item) {
  return item.published_at === undefined ? item : { ...item, published_at: new Date(item.published_at).toISOString() };
}
