// `attune export`: writes the log's events (or its items) as NDJSON, in the form that `import` reads. Marked traffic is left
// out: an event has no field for what intake found out, so an import would take it for what visitors did.
import { once } from "node:events";
import type { LoggedEvent } from "../../core/event/event.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import { parseFlags } from "./flags.ts";
import { PROJECT_FLAGS, withProject } from "./node.ts";

const CHUNK_CHARACTERS = 1 << 16;
const MARKS = "bots, patterns no human makes, Global Privacy Control";

export async function exportCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({ args, options: { ...PROJECT_FLAGS, items: { type: "boolean" } } });
  return withProject(values, { isMade: false }, async (project) => {
    let chunk = "";
    let isRead = true;
    let marked = 0;
    // Whoever reads has enough (`attune export | head`): so has the log been read.
    process.stdout.on("error", () => (isRead = false));
    const flush = async (): Promise<void> => {
      if (!process.stdout.write(chunk)) await written();
      chunk = "";
    };
    for (const entry of project.log.read(project.log.start)) {
      const record = decodeRecord(entry.type, entry.payload);
      if (values.items === true && record?.kind === "item_put") chunk += `${JSON.stringify(itemLine(record.item))}\n`;
      if (values.items !== true && record?.kind === "event") {
        if (record.event.traffic === undefined) chunk += `${JSON.stringify(eventLine(record.event))}\n`;
        else marked++;
      }
      if (chunk.length > CHUNK_CHARACTERS) await flush();
      if (!isRead) return 0;
    }
    await flush();
    if (marked > 0) process.stderr.write(`attune: ${marked} events left out, as they are from profiles: ${MARKS}\n`);
    return 0;
  });
}

/** Resolves when standard output takes more, or never will; neither wait leaves a listener behind. */
async function written(): Promise<void> {
  const waiting = new AbortController();
  const of = (name: string): Promise<unknown> => once(process.stdout, name, { signal: waiting.signal });
  await Promise.race([of("drain"), of("close")]).catch(() => {});
  waiting.abort();
}

/** The event as its sender wrote it: what intake added is left out. */
function eventLine({ item: _item, received_at: _receivedAt, ...event }: LoggedEvent) {
  return { ...event, timestamp: new Date(event.timestamp).toISOString() };
}

function itemLine(item: { published_at?: number }) {
  return item.published_at === undefined ? item : { ...item, published_at: new Date(item.published_at).toISOString() };
}
