// One process that opens damaged copies of a data folder, one after the other, and says what it served: `rot-trial.ts`,
// trials as lines of JSON on stdin, answers as lines on stdout. A process of its own, because rot may kill it.
import { createInterface } from "node:readline";
import { join } from "node:path";
import { KEY_FILE } from "../../server/access/key-file.ts";
import { openKeyRing } from "../../server/access/key-ring.ts";
import { openSettingsHost } from "../../server/cli/node.ts";
import type { EmbeddedProject } from "../../server/embedded/project.ts";

export interface Trial {
  folder: string;
  users: readonly string[];
  /** Checks keys, too: each with whether it must be in force. */
  keys: readonly string[];
}

/** What a folder gives to whoever asks. */
export interface Served {
  /** Faults that were told of while it was opened and read, by kind; what the node does not tell is not here. */
  reports: string[];
  /** Why it did not open; undefined where it did. */
  refused?: string;
  profiles: Record<string, { hits: number; total: number } | null>;
  /** Items of lists and the number of persons in the segment. */
  lists: string;
  /** Of each key: its role, or null where it opens nothing. */
  keys: (string | null)[];
}

async function serveOnce({ folder, users, keys }: Trial): Promise<Served> {
  const served: Served = { reports: [], profiles: {}, lists: "", keys: [] };
  try {
    const ring = openKeyRing(join(folder, KEY_FILE), Date.now);
    served.keys = keys.map((key) => ring.find(key)?.role ?? null);
    const settings = { host: "127.0.0.1", port: 0, data: folder, demo: false, logLevel: "error" as const };
    const host = await openSettingsHost(settings, { onFault: ({ kind }) => served.reports.push(kind) });
    try {
      await read(host.projects.get("default")!, users, served);
    } finally {
      await host.close();
    }
  } catch (error) {
    const { name, message } = error as Error;
    served.refused = `${name}: ${message}`;
  }
  return served;
}

async function read(project: EmbeddedProject, users: readonly string[], served: Served): Promise<void> {
  for (const id of users) {
    const features = (await project.profile({ user_id: id }))?.features as Record<string, number> | undefined;
    served.profiles[id] = features === undefined ? null : { hits: features["hits"] ?? 0, total: features["total"] ?? 0 };
  }
  const { items } = await project.trending(20);
  const segments = await project.segments();
  served.lists = JSON.stringify([items.map(({ item_id }) => item_id).sort(), segments.map(({ size }) => size)]);
}

for await (const line of createInterface(process.stdin)) {
  const trial = JSON.parse(line) as Trial;
  const first = await serveOnce(trial);
  // What was found rotten while it was read is thrown away by the next start.
  const again = first.refused?.startsWith("StateCorruptError") === true ? await serveOnce(trial) : undefined;
  process.stdout.write(`${JSON.stringify({ first, again })}\n`);
}
